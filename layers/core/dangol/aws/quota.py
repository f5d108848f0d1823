"""What all senders together may send: rates, and SES's daily quota. Kept in table `Runs`, so that they agree."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from dangol.aws.conditions import write_if
from dangol.moves.campaign.messages import Grant

PACE = "pace"
"""Kind in table `Runs`."""
_TRIES = 10
_FRESH = timedelta(minutes=1)
"""For which the account's own number of mails sent is believed, with what senders took since counted beside it."""


class Rate:
    """So many messages a second, by all who share a key: they queue up, each for the time that its messages need."""

    def __init__(self, table: Any, key: str, per_second: float) -> None:
        self._book = _Book(table, key)
        self._per_second = per_second

    def take(self, wanted: int, now: datetime, latest: datetime) -> Grant:
        """See Quota."""
        length, at, end = ceil(wanted / self._per_second * 1000), _milliseconds(now), _milliseconds(latest)
        for _ in range(_TRIES):
            # Others' messages take until later than now, but not too late: behind them.
            queued = self._book.update(
                "SET free_at = free_at + :length",
                "free_at > :now AND free_at <= :latest",
                {":length": length, ":now": at, ":latest": end},
            )
            if queued:
                return Grant(wanted, _moment(int(queued["free_at"]) - length))
            # Nobody's messages take until later than now: at once.
            first = {":next": at + length, ":now": at}
            if self._book.update("SET free_at = :next", "attribute_not_exists(free_at) OR free_at <= :now", first):
                return Grant(wanted, now)
            if int(self._book.item().get("free_at", 0)) > end:
                break
        return Grant(0, now)


class SesQuota:
    """SES's rate and daily quota, as the account has them."""

    def __init__(self, table: Any, ses: Any) -> None:
        self._table = table
        self._ses = ses
        self._book = _Book(table, "email-day")

    def take(self, wanted: int, now: datetime, latest: datetime) -> Grant:
        """See Quota."""
        found = self._account(now)
        left = int(found["left"])
        count = wanted if left < 0 else min(wanted, left)
        if not count:
            return Grant(0, now)
        grant = Rate(self._table, "email", float(found["rate"])).take(count, now, latest)
        if grant.count and left >= 0 and not self._count(grant.count):
            return Grant(0, now)
        return grant

    def _count(self, count: int) -> bool:
        # So many are left: senders beside us count theirs too.
        return bool(self._book.update("SET #left = #left - :count", "#left >= :count", {":count": count}, _LEFT))

    def _account(self, now: datetime) -> Mapping[str, Any]:
        """What is left of the day (-1: no end) and the rate, not older than _FRESH."""
        known = self._book.item()
        if known and int(known["asked_at"]) > _milliseconds(now - _FRESH):
            return known
        quota = self._ses.get_account()["SendQuota"]
        endless = quota["Max24HourSend"] < 0
        left = -1 if endless else max(0, int(quota["Max24HourSend"] - quota["SentLast24Hours"]))
        found = {"left": left, "rate": str(quota["MaxSendRate"]), "asked_at": _milliseconds(now)}
        # As it was read: if another sender asked meanwhile, some may have been taken of what it heard.
        unchanged = "asked_at = :before" if known else "attribute_not_exists(asked_at)"
        before = {":before": known["asked_at"]} if known else {}
        values = {f":{name}": value for name, value in found.items()} | before
        names = {"#left": "left", "#rate": "rate"}
        self._book.update("SET #left = :left, #rate = :rate, asked_at = :asked_at", unchanged, values, names)
        return self._book.item()


_LEFT = {"#left": "left"}


class _Book:
    """One row of table `Runs`."""

    def __init__(self, table: Any, key: str) -> None:
        self._table = table
        self._key = {"kind": PACE, "id": key}

    def item(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._table.get_item(Key=self._key, ConsistentRead=True).get("Item", {})
        return found

    def update(
        self, update: str, condition: str, values: Mapping[str, Any], names: Mapping[str, str] | None = None
    ) -> Mapping[str, Any] | None:
        """The row afterwards; None where the condition does not hold."""
        answer = write_if(
            self._table.update_item,
            Key=self._key,
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            **({"ExpressionAttributeNames": names} if names else {}),
        )
        return answer["Attributes"] if answer else None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
