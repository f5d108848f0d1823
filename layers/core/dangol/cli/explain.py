"""One customer: their features, their segments, and each clause of each rule."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from dangol.cli.base import Base
from dangol.errors import DangolError
from dangol.reports.text import aligned
from dangol.segments.features import FEATURES
from dangol.segments.language.names import features_in
from dangol.segments.language.person import Explanation, Interaction, Person, explain, holds
from dangol.segments.language.syntax import And, Expression, Not, Or
from dangol.segments.policy import UNCLASSIFIED, Policy, Rule

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_UNITS = {feature.name: feature.unit for feature in FEATURES} | {"kilometres": "km"}
_SPOKEN = ("days", "orders", "products", "years", "times", "km")
"""Units that are put behind a number."""
_HIDDEN = ("latitude", "longitude")
"""Said by `near` as kilometres."""


def find_person(base: Base, policy: Policy, customer_id: str) -> Person:
    """A row of view `customers`. Raises DangolError where there is no such customer."""
    found = base.connection.execute("FROM customers WHERE customer_id = ?", [customer_id])
    names = [column[0] for column in found.description]
    if (row := found.fetchone()) is None:
        raise DangolError(f"there is no customer '{customer_id}'{_example(base.connection)}")
    features = dict(zip(names, row, strict=True))
    features.pop("customer_id")
    segments = (features.pop("segment"), *features.pop("segments"))
    return Person(features, base.as_of, segments, _interactions(base.connection, policy, customer_id))


def _example(connection: "DuckDBPyConnection") -> str:
    one = connection.execute("SELECT min(customer_id) FROM features").fetchone()
    return f"; ids look like '{one[0]}'" if one and one[0] else "; there is no customer at all"


def _interactions(connection: "DuckDBPyConnection", policy: Policy, customer_id: str) -> tuple[Interaction, ...]:
    if not policy.needs.interactions:
        return ()
    columns = "kind, happened_on, product_id, product_name, category"
    rows = connection.execute(f"SELECT {columns} FROM interactions WHERE customer_id = ?", [customer_id]).fetchall()
    return tuple(Interaction(*row) for row in rows)


def chosen_rules(policy: Policy, segment: str | None) -> tuple[Rule, ...]:
    """All rules, or those that decide on one segment: of `unclassified`, every RFM rule."""
    if segment == UNCLASSIFIED:
        return policy.rfm
    return tuple(rule for rule in policy.rules if segment in (None, rule.id))


def explained(person: Person, policy: Policy, rules: Sequence[Rule]) -> dict[str, Any]:
    """For programs: features with units, segments, and each rule as a tree of clauses."""
    return {
        "as_of": person.as_of.isoformat(),
        "features": {
            name: {"value": _plain(value), "unit": _UNITS[name]} for name, value in _shown(person, policy, rules)
        },
        "segments": list(person.segments),
        "rules": [
            {"id": rule.id, "name": rule.name, "member": rule.id in person.segments}
            | {"rule": _tree(explain(rule.where, person))}
            for rule in rules
        ],
    }


def explanation_text(person: Person, policy: Policy, rules: Sequence[Rule], currency: str) -> str:
    """For people."""
    rows = [(f"  {name}", value_text(name, value, currency)) for name, value in _shown(person, policy, rules)]
    names = ", ".join(f"{segment} ({policy.names[segment]})" for segment in person.segments)
    parts = [f"Features\n{aligned(rows, left=2)}"] if rows else []
    parts.append(f"Segments: {names}")
    parts += ["\n".join(_rule_lines(rule, person, policy, currency)) for rule in rules]
    return "\n\n".join(parts)


def _shown(person: Person, policy: Policy, rules: Sequence[Rule]) -> Iterator[tuple[str, Any]]:
    """Features in the order of the catalogue; where rules are asked for, no others than they name."""
    wanted = frozenset[str]().union(*(features_in(rule.where) for rule in rules))
    everything = len(rules) == len(policy.rules)
    for feature in FEATURES:
        if feature.name in person.features and feature.name not in _HIDDEN and (everything or feature.name in wanted):
            yield feature.name, person.features[feature.name]


def _rule_lines(rule: Rule, person: Person, policy: Policy, currency: str) -> Iterator[str]:
    true, member = holds(rule.where, person), rule.id in person.segments
    first = f"  (its rule holds, but {_winner(rule, person, policy)} comes first)" if true and not member else ""
    yield f"{_mark(member)} {rule.id}  {rule.name}{first}"
    yield aligned(list(_clauses(rule.where, person, currency, 1)), left=2)


def _winner(rule: Rule, person: Person, policy: Policy) -> str:
    section = policy.rfm if rule in policy.rfm else policy.scores
    return next(one.id for one in section if one.id in person.segments)


def _clauses(expression: Expression, person: Person, currency: str, depth: int) -> Iterator[tuple[str, str]]:
    """(condition with its mark, values in it), a line each; of what must all hold, one below the other."""
    if isinstance(expression, And):
        for operand in expression.operands:
            yield from _clauses(operand, person, currency, depth)
        return
    explanation = explain(expression, person)
    yield f"{'    ' * depth}{_mark(explanation.holds)} {explanation.text}", _said(explanation, currency)
    parts = expression.operands if isinstance(expression, Or) else ()
    for part in (expression.operand,) if isinstance(expression, Not) else parts:
        yield from _clauses(part, person, currency, depth + 1)


def _said(explanation: Explanation, currency: str) -> str:
    values = {
        "distance" if name == "kilometres" else name: value_text(name, value, currency)
        for name, value in explanation.values.items()
        if name not in _HIDDEN
    }
    if len(values) == 1:
        return f"is {next(iter(values.values()))}"
    return ", ".join(f"{name} is {value}" for name, value in values.items())


def _mark(true: bool) -> str:
    return "✓" if true else "✗"


def value_text(name: str, value: Any, currency: str) -> str:
    """A value with its unit."""
    if value is None or value != value:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    number = f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    unit = _UNITS[name]
    if unit == "shop's currency":
        return f"{number} {currency}"
    return f"{number} {unit.removesuffix('s') if value == 1 else unit}" if unit in _SPOKEN else number


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else None if value != value else value


def _tree(explanation: Explanation) -> Mapping[str, Any]:
    own = {"text": explanation.text, "holds": explanation.holds}
    if explanation.parts:
        return own | {"parts": [_tree(part) for part in explanation.parts]}
    return own | {"values": {name: _plain(value) for name, value in explanation.values.items()}}
