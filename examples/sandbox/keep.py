"""What to type to look around in a local AWS that is kept up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from examples.sandbox.deployed import DeployedShop
from examples.sandbox.local_aws import LocalAws

LOOK_UP = (
    """.venv/bin/python -c 'import boto3, sys; _, table, customer = sys.argv; """
    """print(boto3.resource("dynamodb").Table(table).get_item(Key={"customer_id": customer})["Item"])'"""
)
DROP = (
    """.venv/bin/python -c 'import boto3, sys; _, bucket, name = sys.argv; """
    """boto3.client("s3").put_object(Bucket=bucket, Key="incoming/orders/" + name, Body=sys.stdin.buffer.read())'"""
)


def how_to_look_around(aws: LocalAws, shops: Sequence[tuple[DeployedShop, date]]) -> str:
    """Endpoint, credentials, and commands to copy; those in Python need nothing that is not installed."""
    lines = ["", "The local AWS stays up until Ctrl-C. In another terminal, in the folder of the repository:", ""]
    lines += [f"export {name}={value}" for name, value in aws.variables.items()]
    return "\n".join(lines + [line for shop, today in shops for line in _commands(shop, today)])


def _commands(shop: DeployedShop, today: date) -> list[str]:
    out, somebody, tomorrow = shop.outputs, shop.member("at_risk"), today + timedelta(days=1)
    return [
        "",
        f"# {shop.stack}, where it is {today} by now",
        f"BUCKET={out['BucketName']}",
        f"CUSTOMERS={out['CustomersTableName']}",
        f"MEMBERSHIPS={out['MembershipsTableName']}",
        f"RUNS={out['RunsTableName']}",
        f"DAILY={out['DailyRefreshArn']}",
        "# why somebody is in which segments, and everybody in one of them",
        f".venv/bin/dangol segments explain {somebody} --as-of {today} --stack {shop.stack} --cache build/ledger",
        f".venv/bin/dangol segments members at_risk --stack {shop.stack}",
        "# somebody at risk; drop a file with an order of theirs; seconds later, look at them again",
        f"{LOOK_UP} $CUSTOMERS {somebody}",
        f"printf 'order_id,customer_id,ordered_at,amount\\nTRY-1,{somebody},{today},25\\n' | {DROP} $BUCKET try.csv",
        "# with the aws command: a sixteenth of a segment, the receipts, the reports, the run of the next night",
        f"aws dynamodb query --table-name $MEMBERSHIPS {_where('segment_bucket', 'at_risk#0')}",
        f"aws dynamodb query --table-name $RUNS {_where('kind', 'file')}",
        "aws s3 cp --recursive s3://$BUCKET/reports/ build/reports/",
        f"""aws stepfunctions start-execution --state-machine-arn $DAILY --input '{{"as_of": "{tomorrow}"}}'""",
    ]


def _where(key: str, value: str) -> str:
    return f"""--key-condition-expression '{key} = :v' --expression-attribute-values '{{":v": {{"S": "{value}"}}}}'"""
