"""All ids of a segment of 100,000, read from DynamoDB by the documented access pattern: Queries of 16 buckets, no scan.

Table `Memberships` of a freshly deployed stack on the local AWS is filled by the code that serves; then the segment is
read as docs/reading-the-tables.md says, beside two other segments that must not show. Seconds are the local AWS's, not
DynamoDB's; what carries over is the number of calls and of ids.

    python -m benchmarks.members [--members 100_000] [--runs 3]
"""

import argparse
import sys
import time
from datetime import date
from statistics import median

from dangol.aws.members import members_of
from dangol.aws.tables import DynamoServingTables
from dangol.moves.messages import Membership

from benchmarks.timing import progress
from examples.sandbox.local_aws import LocalAws

SEGMENT, DAY = "at_risk", date(2026, 11, 22)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with LocalAws.start() as aws:
        outputs = aws.deploy("members")
        resource, name = aws.resource("dynamodb"), outputs["MembershipsTableName"]
        tables = DynamoServingTables(resource, outputs["CustomersTableName"], name)
        progress(f"writing {options.members:,} memberships")
        ids = [f"C{number:07d}" for number in range(options.members)]
        tables.put_memberships([Membership(SEGMENT, who, DAY) for who in ids])
        tables.put_memberships([Membership(other, who, DAY) for other in ("at_risk_2", "new") for who in ids[:1_000]])
        table, calls = _Counting(resource.Table(name)), 0
        seconds = []
        for _ in range(options.runs):
            table.queries, start = 0, time.monotonic()
            found = [who for who, _ in members_of(table, SEGMENT)]
            seconds.append(time.monotonic() - start)
            calls = table.queries
            if sorted(found) != ids:
                print(f"read {len(found):,} ids, {len(set(found) ^ set(ids)):,} of them wrong or missing")
                return 1
    print(f"{len(ids):,} ids of {len(ids):,} with {calls} Queries and no scan, {median(seconds):.1f} s (median)")
    return 0


class _Counting:
    """A table that only takes Queries, and counts them."""

    def __init__(self, table: object) -> None:
        self._table = table
        self.queries = 0

    def query(self, **arguments: object) -> object:
        self.queries += 1
        return self._table.query(**arguments)  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
