"""Rules about text, dates, flags, places, segments and interactions: among many customers and of one alone."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from dangol.errors import RuleError
from dangol.segments.features import DATE, FEATURES, FLAG, NUMBER, TEXT
from dangol.segments.language import Expression, catalogue, parse
from dangol.segments.language.evaluate import Evaluation
from dangol.segments.language.frames import columns_of
from dangol.segments.language.person import Explanation, Interaction, Person, explain, holds
from dangol.segments.language.syntax import (
    And,
    Arithmetic,
    Comparison,
    Day,
    Did,
    Duration,
    Flag,
    InSegment,
    Match,
    Membership,
    Missing,
    Name,
    Near,
    Not,
    Number,
    Or,
    Today,
)
from dangol.segments.language.text import text_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

AS_OF = date(2026, 11, 22)
KINDS = {feature.name: feature.kind for feature in FEATURES}
SEGMENTS = ("vip", "loyal")
VOCABULARY = catalogue(SEGMENTS)


def judged(expression: Expression, people: list[Person]) -> list[bool]:
    """Whom the expression holds for, evaluated as columns."""
    frame = pd.DataFrame([dict(person.features) for person in people]).astype(object)
    dids = [Did(kind, what, within) for kind, what, within in INTERACTION_CONDITIONS]
    columns = columns_of(frame, KINDS)
    columns = type(columns)(len(people), columns.numbers, columns.texts)
    done = {did: pd.Series([holds(did, person) for person in people], dtype=bool).to_numpy() for did in dids}
    members = {one: pd.Series([one in person.segments for person in people], dtype=bool).to_numpy() for one in SEGMENTS}
    return Evaluation(columns, AS_OF, done, members).mask(expression).tolist()


INTERACTION_CONDITIONS: list[tuple[str, str, Duration | None]] = [
    ("bought", "코트", None),
    ("bought", "코트", Duration(30, "day")),
    ("viewed", "p1", Duration(1, "month")),
]


def true_of(rule: str, **features: Any) -> bool:
    """Whether the rule is true of one customer, among many and alone; features not given are missing."""
    person = Person(features, AS_OF)
    expression = parse(rule, VOCABULARY)
    alone = holds(expression, person)
    assert judged(expression, [person]) == [alone]
    return alone


def did(rule: str, *interactions: Interaction) -> bool:
    return holds(parse(rule, VOCABULARY), Person({}, AS_OF, (), interactions))


def error(rule: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        parse(rule, VOCABULARY)
    return caught.value


# ---- text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "cities"),
    [
        ("city == 'seoul'", ["Seoul", "SEOUL"]),
        ("'Seoul' == city", ["Seoul", "SEOUL"]),
        ("city != 'seoul'", ["Busan", "서울 강남구"]),
        ("city in ('busan', \"SEOUL\")", ["Seoul", "SEOUL", "Busan"]),
        ("city not in ('busan', 'x')", ["Seoul", "SEOUL", "서울 강남구"]),
        ("contains(city, '강남')", ["서울 강남구"]),
        ("starts_with(city, 'se')", ["Seoul", "SEOUL"]),
        ("ends_with(city, 'AN')", ["Busan"]),
        ("not contains(city, 'e')", ["Busan", "서울 강남구", None]),
        ("missing(city)", [None]),
        ("not missing(city)", ["Seoul", "SEOUL", "Busan", "서울 강남구"]),
    ],
)
def test_text_is_compared_without_difference_of_case(rule: str, cities: list[str | None]) -> None:
    everywhere = ["Seoul", "SEOUL", "Busan", "서울 강남구", None]
    assert [city for city in everywhere if true_of(rule, city=city)] == cities


def test_korean_text_is_the_same_however_its_letters_are_put_together() -> None:
    assert true_of("city == '서울'", city="\u1109\u1165\u110b\u116e\u11af")


def test_text_in_quotes_may_hold_the_other_quote() -> None:
    assert true_of('last_product == "Kid\'s coat"', last_product="KID'S COAT")
    assert true_of("contains(last_product, '\"a\"')", last_product='size "A"')


# ---- dates and durations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "last_day_it_holds_for"),
    [
        ("subscribed_on <= '2026-01-01'", "2026-01-01"),
        ("subscribed_on < '2026-01-01'", "2025-12-31"),
        ("'2026-01-01' > subscribed_on", "2025-12-31"),
        ("subscribed_on <= today", "2026-11-22"),
        ("subscribed_on <= today - 30", "2026-10-23"),
        ("subscribed_on <= today - 30 days", "2026-10-23"),
        ("subscribed_on <= today - 2 weeks", "2026-11-08"),
        ("subscribed_on <= today - 9 months", "2026-02-22"),
        ("subscribed_on <= today - 1 year", "2025-11-22"),
        ("subscribed_on <= '2026-03-31' - 1 month", "2026-02-28"),
        ("subscribed_on <= '2024-02-29' - 1 year", "2023-02-28"),
        ("subscribed_on + 1 month <= '2026-02-28'", "2026-01-31"),
        ("1 year + subscribed_on <= today", "2025-11-22"),
        ("today - subscribed_on >= 100", "2026-08-14"),
        ("today - subscribed_on >= 2 weeks", "2026-11-08"),
    ],
)
def test_dates_are_counted_by_the_calendar(rule: str, last_day_it_holds_for: str) -> None:
    last = date.fromisoformat(last_day_it_holds_for)
    assert true_of(rule, subscribed_on=last)
    assert not true_of(rule, subscribed_on=last + timedelta(1))
    assert not true_of(rule)


def test_a_week_beside_a_number_is_seven_days() -> None:
    assert true_of("recency_days <= 2 weeks", recency_days=14)
    assert not true_of("recency_days <= 2 weeks", recency_days=15)


def test_dates_can_be_listed_and_chained() -> None:
    assert true_of("first_order_on in ('2026-01-01', '2026-02-01')", first_order_on=date(2026, 2, 1))
    assert not true_of("first_order_on not in ('2026-01-01', '2026-02-01')", first_order_on=date(2026, 2, 1))
    assert true_of("'2026-01-01' <= first_order_on < '2027-01-01'", first_order_on=date(2026, 12, 31))


def test_a_date_beyond_the_calendar_is_missing() -> None:
    assert true_of("missing(subscribed_on + 999 years + 999 years)", subscribed_on=date(9000, 1, 1))
    assert not true_of("subscribed_on - 999 years < today", subscribed_on=date(900, 1, 1))


# ---- flags -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "holds_for"),
    [
        ("accepts_email", [True]),
        ("not accepts_email", [False, None]),
        ("missing(accepts_email)", [None]),
        ("not accepts_email and not missing(accepts_email)", [False]),
        ("(accepts_email) or 1 > 2", [True]),
    ],
)
def test_a_flag_stands_by_itself(rule: str, holds_for: list[bool | None]) -> None:
    assert [value for value in (True, False, None) if true_of(rule, accepts_email=value)] == holds_for


# ---- places ----------------------------------------------------------------------------------------------

SUWON = {"latitude": 37.2911, "longitude": 127.0089}
BUSAN = {"latitude": 35.1017, "longitude": 129.03}


def test_suwon_is_thirty_and_busan_three_hundred_and_twenty_five_kilometres_from_seoul() -> None:
    # By Vincenty's formula on the ellipsoid: 30.6 and 329.1 km; a sphere is within half a percent.
    assert [km for km in (30, 31) if true_of(f"near('Seoul', {km})", **SUWON)] == [31]
    assert [km for km in (320, 330) if true_of(f"near('서울', {km})", **BUSAN)] == [330]
    assert true_of("near(37.2911, 127.0089, 0)", **SUWON)
    assert not true_of("near('Seoul', 40000)")


def test_a_quarter_of_a_meridian_is_ten_thousand_kilometres() -> None:
    quarter = 6_371.0088 * 3.141592653589793 / 2
    assert true_of(f"near(0, 0, {quarter + 0.001:.4f})", latitude=90.0, longitude=0.0)
    assert not true_of(f"near(0, 0, {quarter - 0.001:.4f})", latitude=90.0, longitude=0.0)
    assert true_of("near(0, -179.9, 23)", latitude=0.0, longitude=179.9)


# ---- interactions ----------------------------------------------------------------------------------------


def bought(days_ago: int, **product: str) -> Interaction:
    return Interaction("bought", AS_OF - timedelta(days_ago), **product)


def test_bought_is_a_category_a_product_or_its_name_in_whole() -> None:
    coat = bought(400, product_id="P-1", product_name="울 코트", category="Coats")
    for what in ("p-1", "울 코트", "coats"):
        assert did(f"bought('{what}')", coat)
    assert not did("bought('코트')", coat)
    assert not did("viewed('coats')", coat)
    assert not did("bought('coats')")


def test_thirty_days_begin_where_orders_90d_would_begin() -> None:
    assert did("bought('코트', 30 days)", bought(29, category="코트"))
    assert not did("bought('코트', 30 days)", bought(30, category="코트"))
    assert did("bought('코트', 1 month)", bought(30, category="코트"))  # later than 22 October
    assert not did("bought('코트', 1 month)", bought(31, category="코트"))
    assert not did("bought('코트')", bought(-1, category="코트"))


# ---- what cannot be read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "position", "reason"),
    [
        ("city > 3", 5, "city is text and 3 is a number; compare it with text in quotes"),
        ("orders_90d == 'many'", 11, "orders_90d is a number and 'many' is text; compare it with a number"),
        (
            "subscribed_on > 3",
            14,
            "subscribed_on is a date and 3 is a number; compare it with a date such as '2026-01-31' or today - 30 days",
        ),
        ("subscribed_on > '2026-02-30'", 14, "'2026-02-30' is not a date; write it as '2026-01-31'"),
        ("subscribed_on > '20260228'", 14, "'20260228' is not a date; write it as '2026-01-31'"),
        (
            "recency_days <= 6 months",
            13,
            "months and years differ in length: write days, as in 180 days, or take them from a date: today - 6 months",
        ),
        ("orders_90d <= 30 days", 11, "orders_90d is in orders, not in days"),
        ("recency_days <= 1.5 days", 16, "'1.5' days: give a whole number of them"),
        ("today - 2000 years > birthday", 8, "the duration is longer than 1,000 years"),
        ("city < 'a'", 5, "text is compared with == or != only; see also contains, starts_with, ends_with"),
        ("city == last_category", 5, "compare a text feature with a text in quotes"),
        ("accepts_email == 1", 14, "accepts_email is yes or no: write accepts_email or not accepts_email, "
         "without comparison"),
        ("accepts_email + 1 > 2", 14, "'+' does not go here: accepts_email is yes or no and 1 is a number"),
        ("today + today > today", 6, "'+' does not go here: today is a date and today is a date"),
        ("city in (1, 2)", 9, "expected a text in quotes"),
        ("recency_days in ('a')", 17, "expected a number"),
        ("birthday in (1)", 13, "expected a date in quotes"),
        ("accepts_email in (1)", 14, "accepts_email cannot stand before 'in'"),
        ("missing('x')", 8, "expected a feature"),
        ("contains(recency_days, 'x')", 9, "contains looks into text, and recency_days is none"),
        ("contains(city, 3)", 15, "expected a text in quotes"),
        ("near('Seul', 20)", 5, "unknown city 'Seul'; did you mean 'seoul'?"),
        ("near('Seoul')", 12, "expected ','"),
        ("near('Seoul', -1)", 14, "expected a distance in kilometres"),
        ("near(91, 0, 1)", 5, "expected degrees from -90 to 90"),
        ("near(1, 200, 1)", 8, "expected degrees from -180 to 180"),
        ("in_segment('vp')", 11, "unknown segment 'vp'; did you mean 'vip'?"),
        ("bought('코트', 30)", 13, "expected a duration such as 30 days or 6 months"),
        ("bought(city)", 7, "expected a number or a text in quotes"),
        ("baught('코트')", 0, "unknown function 'baught'; did you mean 'bought'?"),
        ("acepts_email", 0, "unknown feature 'acepts_email'; did you mean 'accepts_email'?"),
        ("(orders_90d > 3) + 1 > 2", 17, "'+' is unexpected here; join conditions with 'and' or 'or'"),
        ("1 + (orders_90d > 3) > 2", 4, "expected a value; this is a condition"),
        ("not city", 8, "expected a comparison (< <= > >= == !=) or 'in'"),
    ],
)  # fmt: skip
def test_an_error_tells_where_and_what(rule: str, position: int, reason: str) -> None:
    found = error(rule)
    assert (found.position, found.reason) == (position, reason)


# ---- many and one alike ----------------------------------------------------------------------------------

NUMBERS = st.sampled_from([None, float("nan"), 0.0, 1.0, -2.5, 30.0, 1e300, float("inf")])
DATES = st.sampled_from([None, date(1, 1, 1), date(2024, 2, 29), date(2026, 1, 31), AS_OF, date(9999, 12, 31)])
TEXTS = st.sampled_from([None, "", "Seoul", "SEOUL", "서울 강남구", "it's"])
PLACES = {"latitude": [None, 37.566, 37.5, -91.0, 90.0], "longitude": [None, 126.9784, 127.0, -180.0, float("inf")]}
PEOPLE = st.builds(
    lambda features, segments, interactions: Person(features, AS_OF, segments, interactions),
    st.fixed_dictionaries(
        {
            "recency_days": NUMBERS,
            "orders_90d": NUMBERS,
            "subscribed_on": DATES,
            "birthday": DATES,
            "city": TEXTS,
            "accepts_email": st.sampled_from([None, True, False]),
            **{name: st.sampled_from(values) for name, values in PLACES.items()},
        }
    ),
    st.sets(st.sampled_from(SEGMENTS)),
    st.lists(
        st.builds(
            Interaction,
            st.sampled_from(["bought", "viewed"]),
            st.sampled_from([AS_OF, AS_OF - timedelta(29), AS_OF - timedelta(31)]),
            product_id=st.sampled_from([None, "P1"]),
            category=st.sampled_from([None, "코트"]),
        ),
        max_size=2,
    ),
)

number_names = st.sampled_from(["recency_days", "orders_90d", "age"]).map(lambda name: Name(name, NUMBER))
date_names = st.sampled_from(["subscribed_on", "birthday", "last_open_on"]).map(lambda name: Name(name, DATE))
city = st.sampled_from(["city", "last_product"]).map(lambda name: Name(name, TEXT))
literals = st.sampled_from([0.0, 1.0, 2.5, 30.0, 1e300]).map(Number)
days = st.sampled_from([Day(date(2026, 1, 31)), Day(date(1, 1, 1)), Today()])
spans = st.builds(Duration, st.integers(0, 1000), st.sampled_from(["month", "year"]))
lengths = st.builds(Duration, st.integers(0, 9999), st.sampled_from(["day", "week"]))
dated = st.recursive(
    st.one_of(date_names, days),
    lambda inner: st.builds(
        Arithmetic, st.sampled_from("+-"), inner, st.one_of(spans, lengths, literals, number_names)
    ),
    max_leaves=3,
)
numeric = st.recursive(
    st.one_of(number_names, literals, st.builds(Arithmetic, st.just("-"), dated, dated)),
    lambda inner: st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
    max_leaves=4,
)
# A text in quotes is a date only beside something that is one.
not_alone = dated.filter(lambda term: not isinstance(term, Day))
SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
WORDS = st.sampled_from(["in", "not in"])
QUOTED = st.sampled_from(["seoul", "서울", "", "강남", 'a "b"', "it's"])
CONDITIONS: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Comparison, SIGNS, numeric, numeric),
    st.builds(Comparison, SIGNS, not_alone, dated),
    st.builds(Membership, WORDS, numeric, st.lists(literals, min_size=1, max_size=3).map(tuple)),
    st.builds(Membership, WORDS, not_alone, st.just((Day(date(2026, 1, 31)), Day(AS_OF)))),
    st.builds(Match, st.sampled_from(["==", "!="]), city, st.tuples(QUOTED)),
    st.builds(Match, st.sampled_from(["contains", "starts_with", "ends_with"]), city, st.tuples(QUOTED.filter(bool))),
    st.builds(Match, WORDS, city, st.lists(QUOTED, min_size=1, max_size=3).map(tuple)),
    st.sampled_from(["accepts_email", "accepts_push"]).map(Flag),
    st.builds(Missing, st.one_of(numeric, not_alone, city, st.just(Name("accepts_email", FLAG)))),
    st.sampled_from([Near("Seoul", 37.566, 126.9784, 20.0), Near(None, -33.8, 151.2, 20_000.5)]),
    st.sampled_from(SEGMENTS).map(InSegment),
    st.sampled_from(INTERACTION_CONDITIONS).map(lambda found: Did(*found)),
)


def joined(node: Callable[..., Expression]) -> Callable[[st.SearchStrategy[Expression]], st.SearchStrategy[Expression]]:
    return lambda inner: st.lists(inner, min_size=2, max_size=3).map(lambda operands: node(tuple(operands)))


EXPRESSIONS = st.recursive(
    CONDITIONS, lambda inner: st.one_of(inner.map(Not), joined(And)(inner), joined(Or)(inner)), max_leaves=5
)


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS, st.lists(PEOPLE, min_size=1, max_size=5))
@example(
    Comparison("!=", Arithmetic("/", Number(1.0), Name("recency_days", NUMBER)), Number(0.0)),
    [Person({"recency_days": value}, AS_OF) for value in (0.0, float("inf"), None, 2.0)],
)
def test_many_customers_are_judged_as_each_alone(expression: Expression, people: list[Person]) -> None:
    assert judged(expression, people) == [holds(expression, person) for person in people]


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_a_rule_written_out_is_read_back_as_the_same_rule(expression: Expression) -> None:
    assert parse(text_of(expression), VOCABULARY) == expression


# ---- explaining ------------------------------------------------------------------------------------------


def test_an_explanation_has_each_condition_with_its_values() -> None:
    rule = "(recency_days > 60 or missing(city)) and not accepts_email and near('Seoul', 31) and in_segment('vip')"
    person = Person({"recency_days": 70, "city": "Suwon", **SUWON, "accepts_email": None}, AS_OF, {"vip"})
    found = explain(parse(rule, VOCABULARY), person)
    assert (found.text, found.holds) == (rule, True)
    assert flat(found) == {
        "recency_days > 60": (True, {"recency_days": 70}),
        "missing(city)": (False, {"city": "Suwon"}),
        "accepts_email": (False, {"accepts_email": None}),
        "near('Seoul', 31)": (True, {**SUWON, "kilometres": pytest.approx(30.7, abs=0.1)}),
        "in_segment('vip')": (True, {}),
    }
    assert [part.text for part in found.parts][:2] == ["recency_days > 60 or missing(city)", "not accepts_email"]


def flat(explanation: Explanation) -> dict[str, tuple[bool, Mapping[str, Any]]]:
    """The conditions that are made of no others."""
    if not explanation.parts:
        return {explanation.text: (explanation.holds, explanation.values)}
    return {text: found for part in explanation.parts for text, found in flat(part).items()}


@settings(max_examples=100, deadline=None)
@given(EXPRESSIONS, PEOPLE)
def test_an_explanation_comes_to_what_holds(expression: Expression, person: Person) -> None:
    assert explain(expression, person).holds == holds(expression, person)
