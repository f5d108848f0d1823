"""`dangol campaigns cost`: what campaigns and a month of the shop will cost, before they do."""

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dangol.channels import CHANNELS
from dangol.cli.base import add_base_to, configuration_of, open_base, stack_of
from dangol.cli.stack import telling_of_aws
from dangol.errors import DangolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from dangol.campaigns.definition import Campaign
    from dangol.configuration import Configuration
    from dangol.costs.prediction import Audience
    from dangol.costs.usage import Shop

_DONE, _FINDINGS = 0, 1
_CONSENTS = {channel: f"accepts_{channel}" for channel in CHANNELS}
"""Feature by channel."""
_SHARDS = 16
"""As the template has it, where no stack says."""


def add_cost_to(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the action."""
    text = "what campaigns and a month of the shop will cost in its AWS account: a prediction"
    parser = actions.add_parser(
        "cost",
        usage="dangol campaigns cost [FILE ...] [options]",
        help=text,
        description=f"{text[0].upper()}{text[1:]}, by the customers of files or of a stack, the schedules, what a "
        "message was measured to take, and prices.yaml of the configuration.",
        epilog="example: dangol campaigns cost orders.csv --customers people.csv --campaign vip_thanks",
    )
    add_base_to(parser)
    parser.add_argument("--campaign", metavar="ID", help="this one only (default: all, and the shop beside them)")
    parser.add_argument("--region", metavar="NAME", help="whose prices count (default: as prices.yaml says)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=telling_of_aws(show_cost))


def show_cost(options: argparse.Namespace) -> int:
    """Print the prediction; the status is 1 when rows of the files could not be used."""
    from dangol.configuration import shipped
    from dangol.costs.prediction import predict
    from dangol.costs.usage import usage_of_month
    from dangol.reports.costs import CostReport, costs_json, costs_text
    from dangol.segments.classify import classify

    stack = stack_of(options)
    configuration = configuration_of(options, stack) if options.config or stack else shipped()
    prices, policy = configuration.prices.of(options.region), configuration.policy
    zone = stack.shop.time_zone if stack else options.time_zone
    campaigns = _campaigns(options, configuration, zone)
    shards = int(stack.deployment.parameter("NumberOfShards")) if stack else _SHARDS
    with open_base(options, stack, (policy,), also=_CONSENTS.values()) as base:
        classify(base.connection, policy, base.as_of)
        audiences = {one.id: _audience(base.connection, one) for one in campaigns}
        shop = _shop(base.connection, shards)
    holdout, now = configuration.messaging.global_holdout, datetime.now(UTC)
    found = [predict(one, audiences[one.id], holdout, now) for one in campaigns]
    beside = {} if options.campaign else usage_of_month(shop, len(campaigns))
    report = CostReport(prices, found, shop, beside)
    print(json.dumps(costs_json(report), ensure_ascii=False, indent=2) if options.json else costs_text(report))
    return _FINDINGS if base.rejected else _DONE


def _campaigns(options: argparse.Namespace, configuration: "Configuration", zone: str) -> "Sequence[Campaign]":
    """Those of the configuration, or the one asked for."""
    from dangol.document import nearest

    found = configuration.campaigns(zone)
    if options.campaign is None:
        return found
    chosen = [campaign for campaign in found if campaign.id == options.campaign]
    if not chosen:
        hint = nearest(options.campaign, [one.id for one in found]) if found else "the configuration has none"
        raise DangolError(f"no campaign '{options.campaign}'; {hint}")
    return chosen


def _audience(connection: "DuckDBPyConnection", campaign: "Campaign") -> "Audience":
    """Who is in the campaign's segment, and has agreed; where nobody's answer is known at all, everybody."""
    from dangol.costs.prediction import Audience

    known = ", ".join(f"count({consent}) > 0" for consent in _CONSENTS.values())
    answered = connection.execute(f"SELECT {known} FROM customers").fetchone() or ()
    columns = (consent if told else "true" for consent, told in zip(_CONSENTS.values(), answered, strict=True))
    row = connection.execute(
        f"SELECT count(*), {', '.join(f'count(*) FILTER ({column})' for column in columns)} FROM customers "
        "WHERE segment = $id OR list_contains(segments, $id)",
        {"id": campaign.segment},
    ).fetchone()
    assert row is not None
    return Audience(row[0], dict(zip(_CONSENTS, row[1:], strict=True)))


def _shop(connection: "DuckDBPyConnection", shards: int) -> "Shop":
    from dangol.costs.usage import Shop

    row = connection.execute(
        "SELECT coalesce(sum(orders_90d), 0) / 3, count(*), coalesce(sum(orders_lifetime), 0) FROM features"
    ).fetchone()
    assert row is not None
    return Shop(float(row[0]), int(row[1]), int(row[2]), shards)
