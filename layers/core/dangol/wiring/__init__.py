"""The one place that reads the environment and builds clients, once per container.

Each door of the system (one per function) is built here when it is first asked for. What computes is
imported by the doors that need it, so that the others start fast.
"""

from dangol.wiring.append import engagement_recorder, ingest
from dangol.wiring.campaign import audience_exporter, deliverer, journal, launcher, link_keys, responder
from dangol.wiring.environment import settings
from dangol.wiring.refresh import daily_run, keep_borders, keep_sales, measurer, refresher, report
from dangol.wiring.shared import bus, deliveries, profiles, runs, scratch_database, store, tried_again_soon
from dangol.wiring.upkeep import configure, forgetter

__all__ = [
    "audience_exporter",
    "bus",
    "configure",
    "daily_run",
    "deliverer",
    "deliveries",
    "engagement_recorder",
    "forgetter",
    "ingest",
    "journal",
    "keep_borders",
    "keep_sales",
    "launcher",
    "link_keys",
    "measurer",
    "profiles",
    "refresher",
    "report",
    "responder",
    "runs",
    "scratch_database",
    "settings",
    "store",
    "tried_again_soon",
]
