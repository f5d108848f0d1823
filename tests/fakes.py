"""Stand-ins for AWS that keep what they were told, so that a test can look at it; and one that makes them fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dangol.errors import ObjectReplaced
from dangol.moves.messages import Membership, RefreshRequest
from dangol.segments.state import Customer


class FakeTables:
    """ServingTables: what other services would read, and how much was written to get there."""

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.memberships: dict[tuple[str, str], Membership] = {}
        self.written: list[str] = []
        """Each write so far, such as 'put customer c1'."""

    def put_customers(self, customers: Sequence[Customer]) -> None:
        _no_duplicates([customer.customer_id for customer in customers])
        for customer in customers:
            self.customers[customer.customer_id] = customer
            self.written.append(f"put customer {customer.customer_id}")

    def delete_customers(self, customer_ids: Sequence[str]) -> None:
        _no_duplicates(customer_ids)
        for customer_id in customer_ids:
            self.customers.pop(customer_id, None)
            self.written.append(f"delete customer {customer_id}")

    def put_memberships(self, memberships: Sequence[Membership]) -> None:
        _no_duplicates([(membership.segment, membership.customer_id) for membership in memberships])
        for membership in memberships:
            self.memberships[membership.segment, membership.customer_id] = membership
            self.written.append(f"put membership {membership.segment} {membership.customer_id}")

    def delete_memberships(self, memberships: Sequence[tuple[str, str]]) -> None:
        _no_duplicates(memberships)
        for segment, customer_id in memberships:
            self.memberships.pop((segment, customer_id), None)
            self.written.append(f"delete membership {segment} {customer_id}")


def _no_duplicates(keys: Sequence[object]) -> None:
    """DynamoDB refuses a batch that writes a row twice."""
    assert len(keys) == len(set(keys)), "a row is written twice by one call"


class FakeBus:
    """EventBus: every event published, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def publish(self, kind: str, details: Sequence[Mapping[str, object]]) -> None:
        self.events += [(kind, dict(detail)) for detail in details]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The details of one kind, in order."""
        return [detail for known, detail in self.events if known == kind]


class FakeRuns:
    """Runs, by kind and id."""

    def __init__(self) -> None:
        self.noted: dict[tuple[str, str], Mapping[str, Any]] = {}

    def find(self, kind: str, run_id: str) -> Mapping[str, Any] | None:
        return self.noted.get((kind, run_id))

    def since(self, kind: str, run_id: str) -> list[Mapping[str, Any]]:
        found = sorted((key, dict(facts)) for (of, key), facts in self.noted.items() if of == kind and key > run_id)
        return [{**facts, "id": key} for key, facts in found]

    def note(self, kind: str, run_id: str, facts: Mapping[str, Any]) -> None:
        self.noted[kind, run_id] = dict(facts)


class FakeQueue:
    """RefreshQueue: the requests that wait, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[RefreshRequest] = []

    def ask(self, requests: Sequence[RefreshRequest]) -> None:
        self.waiting += requests


class FakeIncoming:
    """Incoming: what lies in the bucket now, by key, with its etag."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[str, bytes]] = {}

    def fetch(self, key: str, etag: str, target: Path) -> None:
        if key not in self.objects or self.objects[key][0] != etag:
            raise ObjectReplaced(key)
        target.write_bytes(self.objects[key][1])


class Crashed(Exception):
    """The process died here."""


class Crash:
    """Lets the n-th call of all that it watches die: before it has any effect, or `halfway` through its items."""

    def __init__(self, at: int = -1, halfway: bool = False) -> None:
        self.calls: list[tuple[str, bool]] = []
        """Each call so far, and whether it has items to be halfway through."""
        self.struck: str | None = None
        """The call that died; None as long as none did."""
        self._at = at
        self._halfway = halfway

    def watch(self, door: Any) -> Any:
        """The same object, with calls that may die."""
        return _Watched(door, self)

    def passes(self, name: str, method: Any, arguments: tuple[Any, ...]) -> Any:
        """Make the call, or die."""
        items = next((argument for argument in arguments if isinstance(argument, list)), None)
        self.calls.append((name, items is not None))
        if len(self.calls) - 1 != self._at or self.struck:
            return method(*arguments)
        self.struck = name
        if self._halfway and items is not None:
            method(*(items[: (len(items) + 1) // 2] if argument is items else argument for argument in arguments))
        raise Crashed(f"{name}, call {self._at}")


class Meanwhile(Crash):
    """Lets something happen right after the n-th call instead of a crash."""

    def __init__(self, at: int, event: Callable[[], object]) -> None:
        super().__init__()
        self._n = at
        self._event = event
        self._over = False

    def passes(self, name: str, method: Any, arguments: tuple[Any, ...]) -> Any:
        """Make the call; let it happen when it is time."""
        if self._over:
            return method(*arguments)
        try:
            return super().passes(name, method, arguments)
        finally:  # also after a call that finds nothing
            if len(self.calls) - 1 == self._n:
                self._over = True
                self._event()


class RightAfter(Crash):
    """Lets something happen right after the first call of a name, such as 'FakePost.send'."""

    def __init__(self, name: str, event: Callable[[], object]) -> None:
        super().__init__()
        self._name = name
        self._event = event
        self._over = False

    def passes(self, name: str, method: Any, arguments: tuple[Any, ...]) -> Any:
        """Make the call; let it happen when it is time."""
        answer = super().passes(name, method, arguments)
        if name == self._name and not self._over:
            self._over = True
            self._event()
        return answer


class _Watched:
    def __init__(self, door: Any, crash: Crash) -> None:
        self._door = door
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._door, name)
        kind = f"{type(self._door).__name__}.{name}"
        return lambda *arguments: self._crash.passes(kind, method, tuple(map(_listed, arguments)))


def _listed(argument: Any) -> Any:
    return list(argument) if isinstance(argument, Iterator) else argument
