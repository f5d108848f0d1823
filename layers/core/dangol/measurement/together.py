"""All campaigns together, against the global holdout, which hears from none of them.

A person enters with the first run of advertising that set out to address them and could reach them, once and for all;
what they buy in the time of GOAL from then on counts. The lot was drawn before, so both groups enter alike; whoever a
single campaign leaves out is with those who hear from the others. Entries of a month and a share of the holdout are
compared together (docs/measurement.md gives the reasons).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dangol.campaigns.definition import Goal
from dangol.ledger.store import ObjectStore
from dangol.measurement.layout import FIRST_ADDRESSED_KEY
from dangol.measurement.plan import SETTLING, TrialArm
from dangol.measurement.results import FINAL, OPEN, ArmResult, goal_of, lift_as_dict, lift_of
from dangol.measurement.sources import downloaded, parquet

GOAL = Goal(within_days=90)
"""A purchase in the time over which segments count orders."""
_KEPT = timedelta(days=365)
"""At least so long rows of `Runs` are kept."""

_ENTERED = f"""
    SELECT DISTINCT ON (customer_id) * FROM (
        SELECT customer_id, run, starts_at, if(arm = '{TrialArm.GLOBAL_HOLDOUT}', 'holdout', 'treated') AS arm,
            global_holdout
        FROM outcomes JOIN plans USING (run) WHERE reachable AND NOT cancelled AND global_holdout > 0
        UNION ALL BY NAME FROM entered_before ANTI JOIN plans USING (run)
    ) ORDER BY customer_id, starts_at, run
"""
"""Who entered, with the run and its moment (shop time)."""

_ARMS = f"""
    WITH bought AS (
        SELECT customer_id, count(*) AS orders, sum(amount) AS revenue
        FROM first_addressed JOIN sales USING (customer_id)
        WHERE moment >= starts_at AND moment::DATE <= starts_at::DATE + {GOAL.within_days} GROUP BY customer_id
    )
    SELECT date_trunc('month', starts_at)::DATE AS month, global_holdout, arm, count(*) AS people,
        count(orders) AS reached, count(orders) AS buyers, coalesce(sum(orders), 0)::BIGINT AS orders,
        coalesce(sum(revenue), 0) AS revenue, coalesce(sum(revenue * revenue), 0) AS squares
    FROM first_addressed LEFT JOIN bought USING (customer_id) GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who entered in a month, while the global holdout had some share."""

    month: date
    """Its first day."""
    share: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Cohort":
        """Whose numbers a row tells."""
        return cls(date.fromisoformat(f"{row['month']}-01"), float(row["global_holdout"]))

    @property
    def id(self) -> str:
        """As `Runs` has it: 2026-11@0.05."""
        return f"{self.month:%Y-%m}@{self.share:g}"

    @property
    def final_on(self) -> date:
        """From this day on its numbers are final."""
        next_month = (self.month + timedelta(days=31)).replace(day=1)
        return next_month - timedelta(days=1) + timedelta(days=GOAL.within_days) + SETTLING


class Together:
    """Who entered when, kept from day to day, and the comparison of those whose numbers may still change."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, noted: Mapping[str, Mapping[str, Any]], as_of: date
    ) -> None:
        """`noted` are the rows of cohorts so far, by id."""
        self._connection = connection
        self._noted = noted
        self._as_of = as_of

    def load(self, store: ObjectStore, folder: Path) -> None:
        """Read who entered before."""
        self._connection.execute("""
            CREATE OR REPLACE TEMP TABLE entered_before
            (customer_id TEXT, run TEXT, starts_at TIMESTAMP, arm TEXT, global_holdout DOUBLE)""")
        with downloaded(store, store.keys(FIRST_ADDRESSED_KEY), folder) as files:
            if files:
                self._connection.execute(f"INSERT INTO entered_before BY NAME FROM {parquet(files)}")

    @property
    def since(self) -> date | None:
        """The first day on which a purchase may still matter to who entered before; None: to nobody."""
        found = self._connection.execute("""
            SELECT DISTINCT date_trunc('month', starts_at)::DATE, global_holdout FROM entered_before""").fetchall()
        return min((one.month for one in (Cohort(*row) for row in found) if not self._is_over(one)), default=None)

    def add_people(self) -> None:
        """Have what those did read as well (temp table `people`) to whom purchases may still matter."""
        if since := self.since:
            self._connection.execute(f"""
                INSERT INTO people SELECT customer_id FROM entered_before ANTI JOIN people USING (customer_id)
                WHERE starts_at >= DATE '{since}'""")

    def make(self) -> None:
        """Make temp table `first_addressed` of `outcomes` and who entered before."""
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE first_addressed AS {_ENTERED}")

    def compare(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows by id (docs/schemas/runs-campaigns-together.json), but for those that are final or of a later day."""
        open_ones = [row for row in self._noted.values() if row["state"] == OPEN]  # whose only run may be cancelled now
        found: dict[Cohort, dict[str, ArmResult]] = {Cohort.of(row): {} for row in open_ones}
        for month, share, arm, *numbers in self._connection.execute(_ARMS).fetchall():
            found.setdefault(Cohort(month, share), {})[arm] = ArmResult(*numbers)
        for cohort, arms in found.items():
            later = self._noted.get(cohort.id, {}).get("as_of", "") > self._as_of.isoformat()
            if not (later or self._is_over(cohort)):
                yield cohort.id, _facts(cohort, arms, self._as_of)

    def _is_over(self, cohort: Cohort) -> bool:
        """Whether its numbers are final: noted so, or so long ago that the row has expired."""
        return self._noted.get(cohort.id, {}).get("state") == FINAL or self._as_of > cohort.final_on + _KEPT


def _facts(cohort: Cohort, arms: Mapping[str, ArmResult], as_of: date) -> dict[str, Any]:
    treated, holdout = (arms.get(arm, ArmResult()) for arm in (TrialArm.TREATED, TrialArm.HOLDOUT))
    return {
        "month": f"{cohort.month:%Y-%m}",
        "global_holdout": cohort.share,
        "goal": goal_of(GOAL),
        "arms": {"treated": asdict(treated), "holdout": asdict(holdout)},
        "lift": lift_as_dict(lift_of(treated, holdout)),
        "state": FINAL if as_of >= cohort.final_on else OPEN,
        "as_of": as_of.isoformat(),
        "final_on": cohort.final_on.isoformat(),
    }
