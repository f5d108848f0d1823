"""Campaigns and their runs, in table `Runs`.

kind | id
campaign | the campaign: until when its schedule was worked off, whether it is paused
campaign-run | the run
campaign-open | the run, as long as it is not over
campaign-batch | a batch that was counted
campaign-waiting | when it is due, and the batch
campaign-call | a call to a mail or push service, begun or given up
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.conditions import Key

from dangol.aws.conditions import transact, write_if
from dangol.aws.pages import paged
from dangol.aws.runs import KEPT_DAYS
from dangol.moves.campaign.messages import Batch, Run, RunState

_MINUTE = "%Y%m%dT%H%MZ"
_BRIEFLY_DAYS = 45
"""For which calls and batches are kept: longer than a message can be late."""


class DynamoCampaigns:
    """Campaigns (see dangol.moves.campaign.messages) and Calls (see dangol.campaigns.gate)."""

    def __init__(self, resource: Any, table: str) -> None:
        self._name = table
        self._table = resource.Table(table)
        self._client = resource.meta.client

    def looked_at(self, campaign: str) -> datetime | None:
        """See Campaigns."""
        found = self._item("campaign", campaign).get("looked_at")
        return datetime.fromisoformat(found) if found else None

    def look(self, campaign: str, at: datetime) -> None:
        """See Campaigns."""
        self._set("campaign", campaign, looked_at=at.isoformat())

    def is_paused(self, campaign: str) -> bool:
        """See Campaigns."""
        return bool(self._item("campaign", campaign).get("paused", False))

    def pause(self, campaign: str, paused: bool) -> None:
        """Pause a campaign, or let it go on."""
        self._set("campaign", campaign, paused=paused)

    def create(self, run: Run) -> bool:
        """See Campaigns."""
        item = _run_item(run) | {"expires_at": _expires(KEPT_DAYS)}
        opened = {"kind": "campaign-open", "id": run.id, "expires_at": _expires(KEPT_DAYS)}
        # Not created before: whoever finds the same tick makes the same run.
        return self._transact(self._new(item), {"Put": {"TableName": self._name, "Item": opened}})

    def find(self, run_id: str) -> Run | None:
        """See Campaigns."""
        item = self._item("campaign-run", run_id)
        return _run(item) if item else None

    def open_runs(self) -> Sequence[Run]:
        """See Campaigns."""
        ids = [item["id"] for item in self._query(Key("kind").eq("campaign-open"))]
        return [run for run in map(self.find, ids) if run]

    def all_runs(self) -> Sequence[Run]:
        """See RunBook in dangol.moves.measure."""
        return [_run(item) for item in self._query(Key("kind").eq("campaign-run"))]

    def recent(self, campaign: str, count: int) -> Sequence[Run]:
        """The last runs of a campaign, the newest first."""
        condition = Key("kind").eq("campaign-run") & Key("id").begins_with(f"{campaign}-2")
        page = self._table.query(KeyConditionExpression=condition, ScanIndexForward=False, Limit=count)
        return [_run(item) for item in page["Items"]]

    def advance(self, before: Run, after: Run) -> bool:
        """See Campaigns."""
        names = {"#state": "state", "#cursor": "cursor"}
        values = {
            ":before": _cursor(before),
            ":after": _cursor(after),
            ":state": after.state.value,
            ":launching": RunState.LAUNCHING.value,
            ":recipients": after.recipients,
            ":batches": after.batches,
            ":tallies": after.tallies,
        }
        return self._update(
            ("campaign-run", before.id),
            "SET #cursor = :after, #state = :state, recipients = :recipients ADD batches :batches, tallies :tallies",
            # The cursor stands where it was read: one of two launchers moves it. And nobody cancelled the run.
            "#cursor = :before AND #state = :launching",
            names,
            values,
        )

    def settle(self, batch: Batch, counts: Mapping[str, int]) -> None:
        """See Campaigns."""
        self._add_up(batch, "counts", counts, ["batches :one"])

    def count(self, batch: Batch, tally: Mapping[str, int]) -> None:
        """See Campaigns."""
        self._add_up(batch, "tally", tally, ["batches :one", "tallies :one"])

    def choose(self, run_id: str, winners: Mapping[str, str]) -> Mapping[str, str]:
        """See Campaigns."""
        # Not decided before: all senders of a run use what the first one found.
        undecided = "attribute_exists(id) AND attribute_not_exists(winners)"
        key = ("campaign-run", run_id)
        if self._update(key, "SET winners = :winners", undecided, {}, {":winners": dict(winners)}):
            return winners
        found: Mapping[str, str] = self._item(*key).get("winners", {})
        return found

    def _add_up(self, batch: Batch, where: str, counts: Mapping[str, int], less: Sequence[str]) -> None:
        """Add numbers to a map of the run, and take one off what is left; once a batch."""
        counted = {"kind": "campaign-batch", "id": batch.id, "expires_at": _expires(_BRIEFLY_DAYS)}
        names = {f"#c{n}": name for n, name in enumerate(counts)}
        adds = [f"{where}.#c{n} :c{n}" for n in range(len(counts))]
        update = {
            "TableName": self._name,
            "Key": {"kind": "campaign-run", "id": batch.run},
            "UpdateExpression": f"ADD {', '.join([*adds, *less])}",
            "ConditionExpression": "attribute_exists(id)",
            "ExpressionAttributeValues": {f":c{n}": count for n, count in enumerate(counts.values())} | {":one": -1},
        } | ({"ExpressionAttributeNames": names} if names else {})
        # Not counted before: a batch that is delivered twice counts once.
        self._transact(self._new(counted), {"Update": update})

    def close(self, run: Run) -> None:
        """See Campaigns."""
        values = {"state": run.state.value, "ended_at": datetime.now(UTC).isoformat(timespec="seconds")}
        values |= {"reason": run.reason} if run.reason else {}
        closed = self._update(
            ("campaign-run", run.id),
            f"SET {', '.join(f'#{name} = :{name}' for name in values)}",
            "#cursor = :read",  # nobody launched meanwhile what is to be refused
            {f"#{name}": name for name in (*values, "cursor")},
            {f":{name}": value for name, value in values.items()} | {":read": _cursor(run)},
        )
        if closed:
            self._table.delete_item(Key={"kind": "campaign-open", "id": run.id})

    def cancel(self, run: Run) -> bool:
        """Send no more of a run; False if it is over."""
        return self._update(
            ("campaign-run", run.id),
            "SET #state = :cancelled",
            # What is over stays as it ended: a launcher may be telling it that all batches are worked off.
            "#state = :launching OR (#state = :sending AND batches > :none)",
            {"#state": "state"},
            {f":{state.value}": state.value for state in (RunState.CANCELLED, RunState.LAUNCHING, RunState.SENDING)}
            | {":none": 0},
        )

    def wait(self, batches: Sequence[Batch], until: datetime) -> None:
        """See Campaigns. To the minute, rounded up."""
        minute = until.astimezone(UTC) + timedelta(seconds=59)
        for batch in batches:
            key = {"kind": "campaign-waiting", "id": f"{minute.strftime(_MINUTE)}#{batch.rest_id}"}
            self._table.put_item(Item={**key, "batch": batch.as_dict()})

    def due(self, now: datetime) -> Iterator[tuple[object, Batch]]:
        """See Campaigns."""
        last = f"{now.astimezone(UTC).strftime(_MINUTE)}$"  # the next character after '#'
        for item in self._query(Key("kind").eq("campaign-waiting") & Key("id").lt(last)):
            yield item["id"], Batch.from_dict(item["batch"])

    def forget(self, key: object) -> None:
        """See Campaigns."""
        self._table.delete_item(Key={"kind": "campaign-waiting", "id": key})

    def begin(self, call: str) -> bool:
        """See Calls."""
        return self._decide(call, "begun") == "begun"

    def give_up(self, call: str) -> bool:
        """See Calls."""
        return self._decide(call, "given up") == "given up"

    def _decide(self, call: str, state: str) -> str:
        """What a call is from now on: whoever writes first decides."""
        item = {"kind": "campaign-call", "id": call, "state": state, "expires_at": _expires(_BRIEFLY_DAYS)}
        # Nobody decided before: a call that was given up is never begun, and one that was begun not given up.
        first = write_if(self._table.put_item, Item=item, ConditionExpression="attribute_not_exists(id)") is not None
        return state if first else str(self._item("campaign-call", call)["state"])

    def _new(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self._name, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}}

    def _transact(self, *writes: Mapping[str, Any]) -> bool:
        return not transact(self._client, writes)

    def _update(
        self, key: tuple[str, str], update: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> bool:
        written = write_if(
            self._table.update_item,
            Key={"kind": key[0], "id": key[1]},
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            **({"ExpressionAttributeNames": names} if names else {}),
        )
        return written is not None

    def _set(self, kind: str, run_id: str, **values: Any) -> None:
        names = {f"#{name}": name for name in values}
        self._table.update_item(
            Key={"kind": kind, "id": run_id},
            UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in values)}",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )

    def _item(self, kind: str, item_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._table.get_item(Key={"kind": kind, "id": item_id}, ConsistentRead=True).get(
            "Item", {}
        )
        return found

    def _query(self, condition: Any) -> Iterator[dict[str, Any]]:
        return paged(self._table.query, KeyConditionExpression=condition, ConsistentRead=True)


def _run_item(run: Run) -> dict[str, Any]:
    return {
        "kind": "campaign-run",
        "id": run.id,
        "campaign": run.campaign,
        "run_at": run.run_at.isoformat(),
        "state": run.state.value,
        "cursor": _cursor(run),
        "recipients": run.recipients,
        "batches": run.batches,
        "counts": dict(run.counts),
        "tallies": run.tallies,
        "tally": dict(run.tally),
    }


def _run(item: Mapping[str, Any]) -> Run:
    bucket, _, after = item["cursor"].partition(" ")
    return Run(
        id=item["id"],
        campaign=item["campaign"],
        run_at=datetime.fromisoformat(item["run_at"]),
        state=RunState(item["state"]),
        bucket=int(bucket),
        after=after or None,
        recipients=int(item["recipients"]),
        batches=int(item["batches"]),
        counts={name: int(number) for name, number in item["counts"].items()},
        reason=item.get("reason"),
        tallies=int(item.get("tallies", 0)),
        tally={name: int(number) for name, number in item.get("tally", {}).items()},
        winners=item.get("winners"),
    )


def _cursor(run: Run) -> str:
    return f"{run.bucket} {run.after or ''}"


def _expires(days: int) -> int:
    return int(time.time()) + days * 24 * 3600
