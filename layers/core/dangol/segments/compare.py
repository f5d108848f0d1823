"""What another policy would change, for the same customers on the same day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from dangol.engine import scalar
from dangol.segments.classify import classify
from dangol.segments.language.text import text_of
from dangol.segments.policy import Policy, Rule


@dataclass(frozen=True, slots=True)
class Effect:
    """Who enters and who leaves one segment."""

    id: str
    before: int | None
    """Customers in it by the old policy; None where that does not know it."""
    after: int | None
    """The same by the new policy."""
    entered: int
    """Customers who are in it by the new policy alone."""
    left: int
    """Customers who were in it by the old policy alone."""
    entering: tuple[str, ...]
    """Customer ids of some who enter, the first by id."""
    leaving: tuple[str, ...]
    """The same of those who leave."""

    @property
    def noticed(self) -> bool:
        """Whether anybody enters or leaves, or the segment comes or goes."""
        return bool(self.entered or self.left) or self.before is None or self.after is None


@dataclass(frozen=True, slots=True)
class Edit:
    """What is written differently of a segment that both policies have."""

    what: str
    """'kind', 'rule', 'name', 'English name', 'description' or 're-entry'."""
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Edits:
    """How the texts of two policies differ."""

    of: Mapping[str, tuple[Edit, ...]]
    """By segment, in the new policy's order; only those with any."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    reordered: tuple[str, ...]
    """'rfm', 'scores': where the rules that stay stand in another order, which decides who wins."""

    @property
    def any(self) -> bool:
        """Whether there is a difference at all. Comments and layout are none."""
        return bool(self.of or self.added or self.removed or self.reordered)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a new policy does in the place of an old one."""

    customers: int
    effects: tuple[Effect, ...]
    """Of every segment: in the new policy's order, and then those that it has no more."""
    moves: Mapping[tuple[str, str], int]
    """(RFM segment before, after) → customers, of those who move."""
    edits: Edits

    @property
    def different(self) -> bool:
        """Whether the policies differ, be it in words alone."""
        return self.edits.any or any(effect.noticed for effect in self.effects)


def compare(
    connection: duckdb.DuckDBPyConnection, old: Policy, new: Policy, as_of: date, samples: int = 5
) -> Comparison:
    """Apply both policies to table `features` (see classify), which has what either of them needs.

    Leaves view `customers` as the new one makes it.
    """
    classify(connection, old, as_of)
    connection.execute("CREATE OR REPLACE TABLE before AS SELECT segment, segments FROM customers")
    classify(connection, new, as_of)
    # Few rows, however many customers: all further questions are asked of them.
    connection.execute(f"""
        CREATE OR REPLACE TABLE fates AS
        SELECT was, was_also, now, now_also, count(*) AS customers, min(customer_id, {max(samples, 1)}) AS ids
        FROM (
            SELECT customer_id, before.segment AS was, before.segments AS was_also,
                customers.segment AS now, customers.segments AS now_also
            FROM customers POSITIONAL JOIN before
        ) GROUP BY ALL
    """)
    moves = connection.execute(
        "SELECT was, now, sum(customers)::BIGINT FROM fates WHERE was <> now GROUP BY was, now ORDER BY was, now"
    ).fetchall()
    return Comparison(
        scalar(connection, "SELECT coalesce(sum(customers), 0) FROM fates"),
        tuple(_effects(connection, old, new, samples)),
        {(was, now): customers for was, now, customers in moves},
        edits(old, new),
    )


def _effects(connection: duckdb.DuckDBPyConnection, old: Policy, new: Policy, samples: int) -> Iterator[Effect]:
    some = f"list_slice(list_sort(flatten(list(ids) FILTER ({{0}}))), 1, {samples})"
    entered, left = "NOT list_contains(was, segment)", "NOT list_contains(now, segment)"
    found = connection.execute(f"""
        WITH fate AS (
            SELECT list_prepend(was, was_also) AS was, list_prepend(now, now_also) AS now, customers, ids FROM fates
        ), told AS (
            SELECT unnest(list_distinct(list_concat(was, now))) AS segment, * FROM fate
        )
        SELECT segment,
            coalesce(sum(customers) FILTER (list_contains(was, segment)), 0)::BIGINT,
            coalesce(sum(customers) FILTER (list_contains(now, segment)), 0)::BIGINT,
            coalesce(sum(customers) FILTER ({entered}), 0)::BIGINT,
            coalesce(sum(customers) FILTER ({left}), 0)::BIGINT,
            {some.format(entered)}, {some.format(left)}
        FROM told GROUP BY segment
    """).fetchall()
    by_id = {row[0]: row[1:] for row in found}
    for segment in dict.fromkeys((*new.names, *old.names)):
        before, after, came, went, entering, leaving = by_id.get(segment, (0, 0, 0, 0, None, None))
        yield Effect(
            segment,
            before if segment in old.names else None,
            after if segment in new.names else None,
            came,
            went,
            tuple(entering or ()),
            tuple(leaving or ()),
        )


def edits(old: Policy, new: Policy) -> Edits:
    """How the texts differ; nothing is applied to anybody."""
    was, now = dict(_rules(old)), dict(_rules(new))
    found = {segment: tuple(_edits(*was[segment], *rule)) for segment, rule in now.items() if segment in was}
    return Edits(
        {segment: written for segment, written in found.items() if written},
        tuple(segment for segment in now if segment not in was),
        tuple(segment for segment in was if segment not in now),
        tuple(name for name in ("rfm", "scores") if _order(old, new, name) != _order(new, old, name)),
    )


def _rules(policy: Policy) -> Iterator[tuple[str, tuple[str, Rule]]]:
    for kind in ("rfm", "scores", "segments"):
        yield from ((rule.id, (kind, rule)) for rule in getattr(policy, kind))


def _order(policy: Policy, other: Policy, section: str) -> list[str]:
    """The exclusive rules of a section that both have."""
    shared = {rule.id for rule in getattr(other, section)}
    return [rule.id for rule in getattr(policy, section) if rule.id in shared]


def _edits(old_kind: str, old: Rule, new_kind: str, new: Rule) -> Iterator[Edit]:
    if old_kind != new_kind:
        yield Edit("kind", old_kind, new_kind)
    if old.where != new.where:
        yield Edit("rule", text_of(old.where), text_of(new.where))
    for what, was, now in (
        ("name", old.name, new.name),
        ("English name", old.english, new.english),
        ("description", old.description, new.description),
        ("re-entry", _days(old.reentry_days), _days(new.reentry_days)),
    ):
        if was != now:
            yield Edit(what, was, now)


def _days(days: int | None) -> str:
    return "" if days is None else f"{days} days"
