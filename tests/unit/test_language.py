"""The rule language: what it says of a customer, and what it says of a rule that cannot be read."""

import math
import operator
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dangol.errors import RuleError
from dangol.segments.features import NUMBER, Feature
from dangol.segments.language import Expression, Vocabulary
from dangol.segments.language import parse as parse_rule
from dangol.segments.language.evaluate import mask as mask_of
from dangol.segments.language.frames import columns_of
from dangol.segments.language.person import Person
from dangol.segments.language.person import holds as holds_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

FEATURES = ("recency_days", "orders_90d", "aov_90d")
VOCABULARY = Vocabulary({name: Feature(name, NUMBER, "days", "") for name in FEATURES})
NAN = float("nan")
AS_OF = date(2026, 11, 22)


def parse(rule: str) -> Expression:
    return parse_rule(rule, VOCABULARY)


def mask(expression: Expression, frame: pd.DataFrame) -> NDArray[np.bool_]:
    return mask_of(expression, columns_of(frame, dict.fromkeys(FEATURES, NUMBER)), AS_OF)


def holds(rule: str, **features: float) -> bool:
    """Whether the rule is true of one customer, among many and alone; features not given are missing."""
    frame = pd.DataFrame({name: [features.get(name, NAN)] for name in FEATURES})
    (answer,) = mask(parse(rule), frame)
    assert holds_of(parse(rule), Person(features, AS_OF)) == answer
    return bool(answer)


def error(rule: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        parse(rule)
    return caught.value


# ---- what is true of whom -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "true_of"),
    [
        ("orders_90d < 2", [0, 1]),
        ("orders_90d <= 2", [0, 1, 2]),
        ("orders_90d > 2", [3, 4]),
        ("orders_90d >= 2", [2, 3, 4]),
        ("orders_90d == 2", [2]),
        ("orders_90d != 2", [0, 1, 3, 4]),
        ("2 > orders_90d", [0, 1]),
        ("1 <= orders_90d < 3", [1, 2]),
        ("3 > orders_90d > 0", [1, 2]),
        ("1 < orders_90d < 4 < 5", [2, 3]),
        ("1 < orders_90d < 4 < 3", []),
        ("orders_90d in (1, 3)", [1, 3]),
        ("orders_90d in (-1, 0)", [0]),
        ("orders_90d not in (1, 3)", [0, 2, 4]),
        ("not orders_90d in (1, 3)", [0, 2, 4]),
        ("not orders_90d < 2", [2, 3, 4]),
        ("not not orders_90d < 2", [0, 1]),
        ("orders_90d < 1 or orders_90d > 3", [0, 4]),
        ("orders_90d > 1 and orders_90d < 4", [2, 3]),
    ],
)
def test_a_comparison_is_true_of_those_it_describes(rule: str, true_of: list[int]) -> None:
    frame = pd.DataFrame({"orders_90d": np.arange(5.0)})
    assert np.flatnonzero(mask(parse(rule), frame)).tolist() == true_of


def test_and_binds_tighter_than_or() -> None:
    assert holds("orders_90d == 1 or orders_90d == 2 and orders_90d == 3", orders_90d=1)
    assert not holds("(orders_90d == 1 or orders_90d == 2) and orders_90d == 3", orders_90d=1)


def test_not_binds_tighter_than_and_and_looser_than_a_comparison() -> None:
    assert not holds("not orders_90d == 1 and orders_90d == 1", orders_90d=2)
    assert holds("not orders_90d == 1 or orders_90d == 1", orders_90d=2)
    assert holds("not (orders_90d == 1 and orders_90d == 2)", orders_90d=1)


@pytest.mark.parametrize(
    ("sum_", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("24 / 4 / 2", 3),
        ("2 * 3 / 4", 1.5),
        ("-2 * 3", -6),
        ("2 - -3", 5),
        ("--4", 4),
        ("-(1 + 2)", -3),
        ("((5))", 5),
        ("1_000_000", 1_000_000),
        ("12.5", 12.5),
        ("0.1 * 3", 0.1 * 3),
        ("orders_90d * aov_90d", 6),
        ("aov_90d-orders_90d", 1),
    ],
)
def test_arithmetic_is_that_of_school(sum_: str, value: float) -> None:
    assert holds(f"{sum_} == {value}", orders_90d=2, aov_90d=3)
    assert holds(f"{value} == ({sum_})", orders_90d=2, aov_90d=3)
    assert not holds(f"{sum_} != {value}", orders_90d=2, aov_90d=3)


def test_space_and_line_breaks_do_not_matter() -> None:
    for rule in (
        "orders_90d>=1 and aov_90d<5",
        "  orders_90d\n  >= 1\tand(aov_90d)<5 ",
        "(orders_90d>=1)and(aov_90d<5)",
    ):
        assert parse(rule) == parse("orders_90d >= 1 and aov_90d < 5")


def test_underscores_in_numbers_are_for_the_eye() -> None:
    assert parse("aov_90d < 2_000_000") == parse("aov_90d < 2000000")


# ---- missing values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        *(f"aov_90d {sign} 1" for sign in ("<", "<=", ">", ">=", "==", "!=")),
        *(f"1 {sign} aov_90d" for sign in ("<", "<=", ">", ">=", "==", "!=")),
        "aov_90d == aov_90d",
        "aov_90d != recency_days",
        "0 <= aov_90d < 1",
        "aov_90d + 1 > 0",
        "aov_90d * 0 == 0",
        "aov_90d in (0, 1)",
        "aov_90d not in (0, 1)",
        "orders_90d / 0 > 0",
        "orders_90d / 0 == orders_90d / 0",
        "0 / 0 != 1",
        "-1 / (orders_90d - 5) < 0",
    ],
)
def test_a_missing_value_makes_a_comparison_false(rule: str) -> None:
    assert not holds(rule, orders_90d=5)
    assert holds(f"not ({rule})", orders_90d=5)


def test_missing_asks_for_exactly_that() -> None:
    assert holds("missing(aov_90d)", orders_90d=1)
    assert not holds("missing(orders_90d)", orders_90d=1)
    assert holds("not missing(orders_90d) and missing(aov_90d + orders_90d)", orders_90d=1)
    assert holds("missing(orders_90d / (orders_90d - 1))", orders_90d=1)
    assert not holds("missing(orders_90d / 0.5)", orders_90d=1)


def test_a_missing_value_beside_a_true_condition_does_not_spoil_it() -> None:
    assert holds("aov_90d > 5 or orders_90d == 1", orders_90d=1)
    assert not holds("aov_90d > 5 and orders_90d == 1", orders_90d=1)


def test_infinity_is_a_value_and_no_warning() -> None:
    huge = "9" * 300
    assert holds(f"orders_90d < {huge} * {huge}", orders_90d=1)
    assert not holds(f"{huge} * {huge} - {huge} * {huge} == 0", orders_90d=1)
    assert holds("orders_90d > aov_90d", orders_90d=float("inf"), aov_90d=1)
    assert error(f"orders_90d < {'9' * 400}").reason == "the number is too large"


# ---- frames ---------------------------------------------------------------------------------------------


def test_the_answer_has_a_row_for_each_customer_in_their_order() -> None:
    frame = pd.DataFrame({"orders_90d": [3.0, NAN, 1.0]}, index=[7, 7, 2])
    answer = mask(parse("orders_90d > 2"), frame)
    assert (answer.dtype, answer.tolist()) == (np.dtype(bool), [True, False, False])


def test_a_rule_about_no_feature_is_the_same_for_all() -> None:
    frame = pd.DataFrame({"orders_90d": [1.0, NAN]})
    assert mask(parse("1 < 2"), frame).tolist() == [True, True]
    assert mask(parse("missing(1)"), frame).tolist() == [False, False]


def test_a_shop_without_customers_is_no_special_case() -> None:
    frame = pd.DataFrame({name: np.array([], dtype=np.float64) for name in FEATURES})
    assert mask(parse("not (orders_90d > 2 or aov_90d in (1, 2))"), frame).tolist() == []


def test_a_rule_does_not_change_the_features() -> None:
    frame = pd.DataFrame({"orders_90d": [0.0, 1.0, NAN]})
    before = frame.copy()
    mask(parse("1 / orders_90d + -orders_90d > 0"), frame)
    pd.testing.assert_frame_equal(frame, before)


# ---- what cannot be read ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "position", "reason"),
    [
        ("", 0, "expected a feature or a value"),
        ("   ", 3, "expected a feature or a value"),
        ("orders_90d", 10, "expected a comparison (< <= > >= == !=) or 'in'"),
        ("orders_90d >", 12, "expected a feature or a value"),
        ("> 3", 0, "expected a feature or a value"),
        ("orders_90d = 3", 11, "'=' does not belong in a rule; compare with =="),
        ("orders_90d > 3 4", 15, "'4' is unexpected here; join conditions with 'and' or 'or'"),
        ("orders_90d > 3 AND aov_90d > 1", 15, "'AND' is unexpected here; join conditions with 'and' or 'or'"),
        ("orders_90d > 3 and", 18, "expected a feature or a value"),
        ("orders_90d > 3 or or aov_90d > 1", 18, "expected a feature or a value"),
        ("(orders_90d > 3", 15, "expected ')'"),
        ("orders_90d > 3)", 14, "')' is unexpected here; join conditions with 'and' or 'or'"),
        ("(orders_90d > 3) > 1", 17, "'>' is unexpected here; join conditions with 'and' or 'or'"),
        ("orders_90d in 3", 14, "expected '('"),
        ("orders_90d in ()", 15, "expected a number or a text in quotes"),
        ("orders_90d in (1,)", 17, "expected a number or a text in quotes"),
        ("orders_90d in (aov_90d)", 15, "expected a number or a text in quotes"),
        ("orders_90d not 3", 15, "expected 'in'"),
        ("missing aov_90d", 8, "expected '('"),
        ("missing(aov_90d > 1)", 16, "expected ')'"),
        ("orders_90d > 'many", 13, "''' does not belong in a rule: the quote is not closed"),
        ("orders_90d > 1.", 14, "'.' does not belong in a rule"),
        ("orders_90d > 1 # often", 15, "'#' does not belong in a rule"),
        ("orders_90d > 1e5", 14, "'e5' is unexpected here; join conditions with 'and' or 'or'"),
        ("__import__ > 0", 0, "unknown feature '__import__'; known are recency_days, orders_90d, aov_90d"),
        ("orders_90d.real > 0", 10, "'.' does not belong in a rule"),
        ("orders90d >= 1", 0, "unknown feature 'orders90d'; did you mean 'orders_90d'?"),
        ("orders_90d > 1 and recency < 3", 19, "unknown feature 'recency'; did you mean 'recency_days'?"),
        ("height > 3", 0, "unknown feature 'height'; known are recency_days, orders_90d, aov_90d"),
        ("and > 3", 0, "expected a feature or a value"),
    ],
)
def test_an_error_tells_where_and_what(rule: str, position: int, reason: str) -> None:
    found = error(rule)
    assert (found.position, found.reason, found.rule) == (position, reason, rule)


def test_an_error_points_at_the_place() -> None:
    assert str(error("orders_90d > 1 and recency < 3")).splitlines()[1:] == [
        "    orders_90d > 1 and recency < 3",
        "                       ^",
    ]


@pytest.mark.parametrize(("before", "after"), [("(", ")"), ("not ", ""), ("not (", ")")])
def test_nesting_is_read_to_a_depth_no_one_needs(before: str, after: str) -> None:
    assert holds(before * 24 + "orders_90d > 1" + after * 24, orders_90d=2)


@pytest.mark.parametrize(
    "rule",
    [
        "(" * 1_000 + "1" + ")" * 1_000 + " > 0",
        "-" * 1_000 + "1 > 0",
        "not " * 900 + "1 > 0",
        "1" + "+1" * 1_900 + " > 0",
    ],
    ids=["parentheses", "signs", "negations", "sums"],
)
def test_what_would_exhaust_the_stack_is_refused(rule: str) -> None:
    assert "split the rule" in error(rule).reason


def test_a_sum_of_two_hundred_terms_is_computed() -> None:
    assert holds("orders_90d" + " + 1" * 199 + " == 200", orders_90d=1)
    assert holds("orders_90d" + " * 1" * 100 + " - 0" * 100 + " == 1", orders_90d=1)


def test_a_rule_of_many_conditions_is_read_soon() -> None:
    start = time.monotonic()
    assert holds(" or ".join(["orders_90d > 9"] * 200 + ["orders_90d == 1"]), orders_90d=1)
    assert "longer than 4,000 characters" in error("orders_90d > 1 and " * 100_000).reason
    assert time.monotonic() - start < 2


# ---- against a second interpreter ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """A rule as text, and what it means for a customer; None of a term is a missing value."""

    text: str
    meaning: Callable[[Mapping[str, float | None]], Any]


SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
VALUES = st.sampled_from([None, 0.0, 1.0, 2.0, -1.0, 2.5, 1000.0])


def number(value: float) -> Rule:
    text = f"{value:_.1f}" if value % 1 else f"{int(value):_}"
    return Rule(text, lambda customer: value)


def feature(name: str) -> Rule:
    return Rule(name, lambda customer: customer[name])


def calculation(left: Rule, sign: str, right: Rule) -> Rule:
    def meaning(customer: Mapping[str, float | None]) -> float | None:
        a, b = left.meaning(customer), right.meaning(customer)
        if a is None or b is None or (sign == "/" and b == 0):
            return None
        return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[sign](a, b)

    return Rule(f"({left.text} {sign} {right.text})", meaning)


def minus(term: Rule) -> Rule:
    def meaning(customer: Mapping[str, float | None]) -> float | None:
        value = term.meaning(customer)
        return None if value is None else -value

    return Rule(f"-{term.text}", meaning)


TERMS = st.recursive(
    st.one_of(st.sampled_from([0, 1, 2, 2.5, 1000]).map(number), st.sampled_from(FEATURES).map(feature)),
    lambda terms: st.one_of(
        st.builds(calculation, terms, st.sampled_from("+-*/"), terms),
        terms.map(minus),
    ),
    max_leaves=4,
)


def chain(terms: list[Rule], signs: list[str]) -> Rule:
    used = signs[: len(terms) - 1]

    def meaning(customer: Mapping[str, float | None]) -> bool:
        values = [term.meaning(customer) for term in terms]
        pairs = zip(values, used, values[1:], strict=False)
        return all(a is not None and b is not None and SIGNS[sign](a, b) for a, sign, b in pairs)

    text = terms[0].text + "".join(f" {sign} {term.text}" for sign, term in zip(used, terms[1:], strict=True))
    return Rule(text, meaning)


def membership(term: Rule, values: list[float], negated: bool) -> Rule:
    def meaning(customer: Mapping[str, float | None]) -> bool:
        value = term.meaning(customer)
        return value is not None and (value in values) != negated

    listed = ", ".join(number(value).text for value in values)
    return Rule(f"{term.text} {'not ' if negated else ''}in ({listed})", meaning)


def is_missing(term: Rule) -> Rule:
    return Rule(f"missing({term.text})", lambda customer: term.meaning(customer) is None)


def negation(rule: Rule) -> Rule:
    return Rule(f"not ({rule.text})", lambda customer: not rule.meaning(customer))


def conjunction(rules: list[Rule]) -> Rule:
    return Rule(" and ".join(f"({rule.text})" for rule in rules), lambda c: all(rule.meaning(c) for rule in rules))


def disjunction(rules: list[Rule]) -> Rule:
    """Without parentheses around its parts: they are conditions or conjunctions, which bind tighter."""
    return Rule(" or ".join(rule.text for rule in rules), lambda c: any(rule.meaning(c) for rule in rules))


CONDITIONS = st.one_of(
    st.builds(
        chain,
        st.lists(TERMS, min_size=2, max_size=3),
        st.lists(st.sampled_from(sorted(SIGNS)), min_size=2, max_size=2),
    ),
    st.builds(membership, TERMS, st.lists(st.sampled_from([-1.0, 0.0, 2.5]), min_size=1, max_size=3), st.booleans()),
    TERMS.map(is_missing),
)
RULES = st.recursive(
    CONDITIONS,
    lambda rules: st.one_of(
        rules.map(negation),
        st.lists(rules, min_size=1, max_size=3).map(conjunction),
        st.lists(st.lists(rules, min_size=1, max_size=2).map(conjunction), min_size=1, max_size=3).map(disjunction),
    ),
    max_leaves=6,
)
CUSTOMERS = st.lists(st.fixed_dictionaries(dict.fromkeys(FEATURES, VALUES)), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(RULES, CUSTOMERS)
def test_a_whole_frame_is_judged_as_each_customer_alone(rule: Rule, customers: list[dict[str, float | None]]) -> None:
    frame = pd.DataFrame(
        {name: [NAN if customer[name] is None else customer[name] for customer in customers] for name in FEATURES}
    )
    found = mask(parse(rule.text), frame)
    assert found.tolist() == [rule.meaning(customer) for customer in customers]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*FEATURES, *SIGNS, *"+-*/(),", "and", "or", "not", "in", "missing", "3", "2_0.5", "x", "=", "%"]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_row_of_words_is_a_rule_or_an_error_with_a_place(text: str) -> None:
    frame = pd.DataFrame({name: [1.0, NAN] for name in FEATURES})
    answer = mask_or_error(text, frame)
    if isinstance(answer, RuleError):
        assert 0 <= answer.position <= len(text)
        assert answer.reason
    else:
        assert answer.shape == (2,)


def mask_or_error(rule: str, frame: pd.DataFrame) -> Any:
    try:
        return mask(parse(rule), frame)
    except RuleError as found:
        return found


def test_the_second_interpreter_knows_missing_values() -> None:
    customer: dict[str, float | None] = {"recency_days": None, "orders_90d": 2.0, "aov_90d": 0.0}
    assert calculation(number(1), "/", feature("aov_90d")).meaning(customer) is None
    assert membership(feature("recency_days"), [1.0], negated=True).meaning(customer) is False
    assert math.isclose(calculation(feature("orders_90d"), "*", number(2.5)).meaning(customer), 5)
