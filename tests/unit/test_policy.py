"""The default policy is the seed's table, and a policy with a mistake in it never goes live (promise 10)."""

import re
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dangol.document import MAX_BYTES
from dangol.errors import InvalidConfiguration, Problem
from dangol.segments.features import FEATURES, NUMBER
from dangol.segments.language.frames import columns_of
from dangol.segments.memberships import Memberships
from dangol.segments.memberships import memberships as memberships_of
from dangol.segments.policy import MAX_SEGMENTS, Needs, Policy, default_policy, load_policy
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
FILE = "config/segments.yaml"
RULE = "{id: often, where: orders_90d > 5}"
RFM = f"rfm:\n  - {RULE}\n"
NAN = float("nan")
AS_OF = date(2026, 11, 22)
KINDS = {feature.name: feature.kind for feature in FEATURES}


def memberships(policy: Policy, frame: pd.DataFrame) -> Memberships:
    return memberships_of(policy, columns_of(frame, KINDS), AS_OF)


def rfm_codes(policy: Policy, frame: pd.DataFrame) -> NDArray[np.int16]:
    return memberships(policy, frame).rfm


def others(policy: Policy, **features: object) -> set[str]:
    """The other segments of one customer; features not given are missing."""
    (bits,) = memberships(policy, pd.DataFrame({name: [value] for name, value in features.items()})).others
    return {segment for i, segment in enumerate(policy.other_ids) if bits >> i & 1}


def segment_of(policy: Policy, **features: float) -> str:
    """The RFM segment of one customer; features not given are missing."""
    (code,) = rfm_codes(policy, frame_of(**features))
    return policy.rfm_ids[code]


def frame_of(**features: float) -> pd.DataFrame:
    return pd.DataFrame({name: [float(features.get(name, NAN))] for name in KINDS if KINDS[name] == NUMBER})


def problems(text: str | bytes) -> list[Problem]:
    with pytest.raises(InvalidConfiguration) as error:
        load_policy(text if isinstance(text, bytes) else text.encode(), FILE)
    assert error.value.file == FILE
    assert str(error.value).startswith(f"{FILE}, line {error.value.problems[0].line}: ")
    return error.value.problems


# ---- the seed's table ------------------------------------------------------------------------------------


def test_the_default_policy_has_the_seeds_segments_in_order() -> None:
    assert {rule.id: rule.name for rule in default_policy().rfm} == {
        "vip_loyal": "VIP 충성 고객",
        "loyal": "충성 고객",
        "big_spender": "큰 손 고객",
        "new": "신규 고객",
        "potential_loyal": "잠재 충성 고객",
        "at_risk": "잠재 이탈 고객",
    }
    ids = ("vip_loyal", "loyal", "big_spender", "new", "potential_loyal", "at_risk", "unclassified")
    assert default_policy().rfm_ids == ids
    assert default_policy().names["unclassified"] == "미분류"


def test_the_policy_in_the_repository_is_the_one_that_is_built_in() -> None:
    assert load_policy((ROOT / FILE).read_bytes(), FILE).version == default_policy().version


@pytest.mark.parametrize(
    ("r", "f", "m", "lifetime", "segment"),
    [
        # VIP 충성 고객: R ≤ 3, F ≥ 20, M ≥ 2,000,000
        (0, 20, 2_000_000, 20, "vip_loyal"),
        (3, 20, 2_000_000, 20, "vip_loyal"),
        (3, 99, 9_000_000, 99, "vip_loyal"),
        (4, 20, 2_000_000, 20, "big_spender"),
        (4, 21, 2_000_000, 21, "unclassified"),
        (3, 19, 2_000_000, 19, "big_spender"),
        # 충성 고객: R ≤ 3, F ≥ 20, 500,000 ≤ M < 2,000,000
        (3, 20, 1_999_999.99, 20, "loyal"),
        (3, 20, 500_000, 20, "loyal"),
        (3, 20, 499_999.99, 20, "unclassified"),
        (4, 20, 500_000, 20, "unclassified"),
        (3, 19, 500_001, 19, "unclassified"),
        # 큰 손 고객: R ≤ 7, F ≤ 20, M ≥ 2,000,000
        (7, 1, 2_000_000, 1, "big_spender"),
        (7, 20, 2_000_000, 20, "big_spender"),
        (8, 20, 2_000_000, 20, "unclassified"),
        (7, 21, 2_000_000, 21, "unclassified"),
        (7, 1, 1_999_999.99, 1, "unclassified"),
        # 신규 고객: R ≤ 5, F = 1 and the first order ever, M ≤ 500,000
        (0, 1, 1, 1, "new"),
        (5, 1, 500_000, 1, "new"),
        (5, 1, 0, 1, "new"),
        (5, 1, 500_000.01, 1, "unclassified"),
        (6, 1, 500_000, 1, "potential_loyal"),
        (5, 2, 500_000, 2, "potential_loyal"),
        (5, 1, 500_000, 2, "potential_loyal"),
        # 잠재 충성 고객: R ≤ 10, F 1–5, M ≤ 500,000
        (10, 1, 500_000, 1, "potential_loyal"),
        (10, 5, 500_000, 5, "potential_loyal"),
        (0, 5, 0, 9, "potential_loyal"),
        (11, 5, 500_000, 5, "unclassified"),
        (10, 6, 500_000, 6, "unclassified"),
        (10, 5, 500_000.01, 5, "unclassified"),
        # 잠재 이탈 고객: R 30–60, F ≤ 5, M ≤ 500,000
        (30, 1, 500_000, 1, "at_risk"),
        (60, 5, 500_000, 5, "at_risk"),
        (29, 1, 500_000, 1, "unclassified"),
        (61, 1, 500_000, 1, "unclassified"),
        (45, 6, 500_000, 6, "unclassified"),
        (45, 5, 500_000.01, 5, "unclassified"),
        # else
        (20, 3, 100_000, 3, "unclassified"),
        (91, 0, NAN, 3, "unclassified"),
        (NAN, 0, NAN, 0, "unclassified"),
    ],
)
def test_every_border_of_the_seeds_table(r: float, f: float, m: float, lifetime: float, segment: str) -> None:
    found = segment_of(default_policy(), recency_days=r, orders_90d=f, aov_90d=m, orders_lifetime=lifetime)
    assert found == segment


def test_the_default_policy_is_the_table_everywhere() -> None:
    """Around every border of every column at once, against the table written a second time."""
    rs = [*sorted({edge + step for edge in (0, 3, 5, 7, 10, 30, 60) for step in (-1, 0, 1)} - {-1}), NAN]
    fs = [0, 1, 2, 4, 5, 6, 19, 20, 21]
    ms = [NAN, 0, 499_999, 500_000, 500_001, 1_999_999, 2_000_000, 2_000_001]
    cases = [(r, f, m, n) for r, f, m, n in product(rs, fs, ms, (1, 2, 30)) if n >= f]
    frame = pd.DataFrame(cases, columns=["recency_days", "orders_90d", "aov_90d", "orders_lifetime"], dtype=float)
    policy = default_policy()
    found = [policy.rfm_ids[code] for code in rfm_codes(policy, frame.assign(revenue_lifetime=0.0))]
    assert found == [by_the_table(*case) for case in cases]
    assert set(found) == set(policy.rfm_ids)


def by_the_table(r: float, f: float, m: float, lifetime: float) -> str:
    if r <= 3 and f >= 20 and m >= 2_000_000:
        return "vip_loyal"
    if r <= 3 and f >= 20 and 500_000 <= m < 2_000_000:
        return "loyal"
    if r <= 7 and f <= 20 and m >= 2_000_000:
        return "big_spender"
    if r <= 5 and f == 1 and lifetime == 1 and m <= 500_000:
        return "new"
    if r <= 10 and 1 <= f <= 5 and m <= 500_000:
        return "potential_loyal"
    if 30 <= r <= 60 and f <= 5 and m <= 500_000:
        return "at_risk"
    return "unclassified"


def test_a_new_customer_also_meets_potential_loyal_so_new_must_come_first() -> None:
    frame = frame_of(recency_days=1, orders_90d=1, aov_90d=1, orders_lifetime=1)
    policy = default_policy()
    without_new = Policy("", tuple(rule for rule in policy.rfm if rule.id != "new"))
    assert segment_of(policy, **frame.iloc[0].to_dict()) == "new"
    assert segment_of(without_new, **frame.iloc[0].to_dict()) == "potential_loyal"


def test_segments_name_each_other_in_any_order() -> None:
    text = (
        "rfm:\n  - {id: a, where: orders_90d > 5}\n  - {id: b, where: \"in_segment('y') and orders_90d > 1\"}\n"
        "segments:\n  - {id: x, where: \"in_segment('b') or in_segment('unclassified')\"}\n"
        "  - {id: y, where: \"not in_segment('z') and not in_segment('a')\"}\n  - {id: z, where: orders_90d == 2}\n"
    )
    policy = load_policy(text.encode(), FILE)
    assert [segment_of(policy, orders_90d=n) for n in (6, 3, 2, 0)] == ["a", "b", "unclassified", "unclassified"]
    assert [others(policy, orders_90d=float(n)) for n in (6, 3, 2, 0)] == [set(), {"x", "y"}, {"x", "z"}, {"x", "y"}]


def test_the_first_rule_that_holds_wins() -> None:
    rules = "".join(f"  - {{id: {name}, where: orders_90d > {n}}}\n" for name, n in (("a", 5), ("b", 1), ("c", 0)))
    policy = load_policy(f"rfm:\n{rules}".encode(), FILE)
    assert [segment_of(policy, orders_90d=n) for n in (6, 5, 1, 0)] == ["a", "b", "c", "unclassified"]


def test_other_segments_are_independent_of_each_other_and_of_rfm() -> None:
    found = [others(default_policy(), orders_lifetime=n, gender="male") for n in (0, 1, 9, 10)]
    assert found == [{"never_purchased", "male"}, {"one_time", "male"}, {"male"}, {"vip_10_plus", "male"}]


def test_62_other_segments_are_told_apart() -> None:
    rules = "".join(f"  - {{id: s{i:02}, where: orders_lifetime == {i}}}\n" for i in reversed(range(MAX_SEGMENTS)))
    policy = load_policy(f"{RFM}segments:\n{rules}".encode(), FILE)
    frame = pd.concat([frame_of(orders_lifetime=i) for i in range(MAX_SEGMENTS)])
    assert memberships(policy, frame).others.tolist() == [1 << i for i in range(MAX_SEGMENTS)]


# ---- what a policy may look like ------------------------------------------------------------------------------


def test_a_rule_without_name_is_called_by_its_id() -> None:
    policy = load_policy(RFM.encode(), FILE)
    assert (policy.names["often"], policy.english["often"]) == ("often", "often")


def test_a_rule_has_names_in_two_languages_a_purpose_and_a_time_of_reentry() -> None:
    text = (
        "rfm:\n  - {id: a, names: {ko: 가, en: A}, description: for a, reentry: 30 days, where: 1 < 2}\n"
        "  - {id: b, name: 나, reentry: 2 weeks, where: 1 < 2}\n  - {id: c, names: {en: C}, where: 1 < 2}\n"
    )
    a, b, c = load_policy(text.encode(), FILE).rfm
    assert (a.name, a.english, a.description, a.reentry_days) == ("가", "A", "for a", 30)
    assert (b.name, b.english, b.description, b.reentry_days) == ("나", "나", "", 14)
    assert (c.name, c.english, c.reentry_days) == ("C", "C", None)


def test_a_policy_knows_what_it_needs() -> None:
    text = (
        "rfm:\n  - {id: a, where: recency_days / orders_90d > 1 and not missing(city)}\n"
        "segments:\n  - {id: b, where: \"accepts_email or in_segment('a')\"}\n"
        "  - {id: c, where: \"near('Seoul', 5)\"}\n"
    )
    features = {"recency_days", "orders_90d", "city", "accepts_email", "latitude", "longitude"}
    assert load_policy(text.encode(), FILE).needs == Needs(frozenset(features), False)
    text += "  - {id: d, where: \"viewed('코트')\"}\n"
    assert load_policy(text.encode(), FILE).needs == Needs(frozenset(features), True)


def test_a_rule_may_be_of_several_lines_and_have_a_description() -> None:
    where = ">\n      orders_90d > 5\n      and recency_days < 3\n"
    text = f"rfm:\n  - id: often\n    description: buys often\n    where: {where}"
    assert segment_of(load_policy(text.encode(), FILE), orders_90d=6, recency_days=1) == "often"


def test_an_anchor_repeats_a_rule() -> None:
    text = "rfm:\n  - {id: a, where: &many orders_90d > 5}\nsegments:\n  - {id: b, where: *many}\n"
    policy = load_policy(text.encode(), FILE)
    assert policy.rfm[0].where == policy.segments[0].where


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_names_may_be_korean_and_the_file_may_begin_with_a_mark(encoding: str) -> None:
    text = "rfm:\r\n  - {id: often, name: 자주 오는 고객, where: orders_90d > 5}\r\n"
    assert load_policy(text.encode(encoding), FILE).names["often"] == "자주 오는 고객"


def test_the_version_follows_the_text() -> None:
    versions = {load_policy(text.encode(), FILE).version for text in (RFM, RFM, RFM + "# note\n")}
    assert len(versions) == 2
    assert all(re.fullmatch(r"[0-9a-f]{12}", version) for version in versions)


# ---- what is refused ------------------------------------------------------------------------------------------


MISTAKES: list[tuple[str, int, str]] = [
    ("", 1, "needs the sections rfm and segments at the top"),
    ("# only a comment\n", 1, "needs the sections rfm and segments at the top"),
    ("- a\n", 1, "needs the sections rfm and segments at the top"),
    ("segments:\n  - {id: a, where: 1 < 2}\n", 1, "section 'rfm' is missing or empty; give at least one rule"),
    ("rfm: []\n", 1, "section 'rfm' is missing or empty; give at least one rule"),
    ("\nrfm:\n", 2, "section 'rfm' must be a list of rules"),
    ("rfm: many\n", 1, "section 'rfm' must be a list of rules"),
    (f"{RFM}segment:\n  - {RULE}\n", 3, "unknown section 'segment'; did you mean 'segments'?"),
    (f"{RFM}zones_x: []\n", 3, "unknown section 'zones_x'; known are rfm, scores, segments"),
    (f"{RFM}scores: usual\n", 3, "section 'scores' must be a list of rules or the word 'standard'"),
    (
        f"{RFM}  - {{id: champions, where: 1 < 2}}\nscores: standard\n",
        4,
        "id 'champions' is taken; ids are unique across the file",
    ),
    (f"{RFM}  - {{id: b, names: B, where: 1 < 2}}\n", 3, "'names' must look like {ko: …, en: …}"),
    (f"{RFM}  - {{id: b, names: {{fr: B}}, where: 1 < 2}}\n", 3, "unknown language 'fr'; known are ko, en"),
    (f"{RFM}  - {{id: b, name: B, names: {{en: B}}, where: 1 < 2}}\n", 3, "give 'name' or 'names', not both"),
    (
        f"{RFM}  - {{id: b, reentry: 1 month, where: 1 < 2}}\n",
        3,
        "reentry '1 month' must be days or weeks, as in '30 days'",
    ),
    (
        f"{RFM}segments:\n  - {{id: a, where: \"in_segment('b')\"}}\n  - {{id: b, where: \"in_segment('a')\"}}\n",
        4,
        "segments rest on each other in a circle: a → b → a",
    ),
    (
        f"{RFM}segments:\n  - {{id: a, where: \"in_segment('a')\"}}\n",
        4,
        "segments rest on each other in a circle: a → a",
    ),
    (
        "rfm:\n  - {id: a, where: \"in_segment('x')\"}\n  - {id: b, where: 1 < 2}\n"
        "segments:\n  - {id: x, where: \"in_segment('b')\"}\n",
        2,
        "segments rest on each other in a circle: a → x → b → a",
    ),
    (
        f"{RFM}segments:\n  - {{id: a, where: \"in_segment('oftn')\"}}\n",
        4,
        "segment 'a', column 12 of its rule: unknown segment 'oftn'; did you mean 'often'?",
    ),
    (f"{RFM}  - 5\n", 3, "a rule must look like {id: …, name: …, where: …}"),
    (f"{RFM}  - {{id: b}}\n", 3, "a rule needs 'where'"),
    (f"{RFM}  - {{where: 1 < 2}}\n", 3, "a rule needs 'id'"),
    (f"{RFM}  - {{id: b, were: 1 < 2, where: 1 < 2}}\n", 3, "unknown key 'were'; did you mean 'where'?"),
    (f"{RFM}  - {{id: b, where: [1]}}\n", 3, "'where' must be text"),
    (f"{RFM}  - {{id: b, name: , where: 1 < 2}}\n", 3, "'name' must be text"),
    (f"{RFM}  - {{id: Big, where: 1 < 2}}\n", 3, "id 'Big' must be lower-case letters, digits and _ (at most 50)"),
    (f"{RFM}  - {{id: 5a, where: 1 < 2}}\n", 3, "id '5a' must be lower-case letters, digits and _ (at most 50)"),
    (
        f"{RFM}  - {{id: 고객, where: 1 < 2}}\n",
        3,
        "id '고객' must be lower-case letters, digits and _ (at most 50)",
    ),
    (f"{RFM}  - {{id: often, where: 1 < 2}}\n", 3, "id 'often' is taken; ids are unique across the file"),
    (f"{RFM}segments:\n  - {RULE}\n", 4, "id 'often' is taken; ids are unique across the file"),
    (
        f"{RFM}  - {{id: unclassified, where: 1 < 2}}\n",
        3,
        "id 'unclassified' is taken; ids are unique across the file",
    ),
    ("rfm:\n  - {id: a, where: 1 < }\n", 2, "segment 'a', column 4 of its rule: expected a feature or a value"),
    (
        "rfm:\n  - id: a\n    where: orders > 1\n",
        3,
        "segment 'a', column 1 of its rule: unknown feature 'orders'; did you mean 'orders_90d'?",
    ),
    # What YAML itself does not allow.
    ("rfm: [\n", 2, "is not valid YAML: expected the node content, but found '<stream end>'"),
    ("rfm:\n\t- a\n", 2, "is not valid YAML: found character '\\t' that cannot start any token"),
    (f"{RFM}---\n{RFM}", 3, "is not valid YAML: but found another document"),
    ("rfm: *nothing\n", 1, "is not valid YAML: found undefined alias 'nothing'"),
    # What it allows and nobody means.
    (f"{RFM}{RFM.replace('often', 'b')}", 3, "section 'rfm' is given twice"),
    (f"{RFM}  - {{id: b, id: c, where: 1 < 2}}\n", 3, "'id' is given twice"),
    (f"{RFM}  - {{id: b, where: 1 < 2, where: 2 < 1}}\n", 3, "'where' is given twice"),
    ("rfm: &all [*all]\n", 1, "a rule must look like {id: …, name: …, where: …}"),
    ("rfm: !!python/object/apply:os.system [date]\n", 1, "a rule must look like {id: …, name: …, where: …}"),
]


@pytest.mark.parametrize(("text", "line", "reason"), MISTAKES, ids=[reason for *_, reason in MISTAKES])
def test_a_mistake_is_named_with_line_and_reason(text: str, line: int, reason: str) -> None:
    found = problems(text)[0]
    assert (found.line, found.reason.split("\n")[0]) == (line, reason)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        "segments:\n  - {id: X, where: 1 < 2}\nrfm:\n  - {id: a, where: much > 1}\n  - 7\n  - {id: a, where: 1 < 2}\n"
    )
    assert [problem.line for problem in problems(text)] == [2, 4, 5, 6]


def test_a_mistake_in_a_rule_is_pointed_at() -> None:
    (problem,) = problems("rfm:\n  - {id: a, where: orders_90d > 5 und recency_days < 3}\n")
    assert problem.reason.splitlines() == [
        "segment 'a', column 16 of its rule: 'und' is unexpected here; join conditions with 'and' or 'or'",
        "    orders_90d > 5 und recency_days < 3",
        "                   ^",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (RFM.encode("utf-16"), "is not UTF-8 text"),
        (RFM.replace("often", "가").encode("cp949"), "is not UTF-8 text"),
        (RFM.encode() + b"\0", "is not valid YAML"),
        (RFM.encode() + b"#" * MAX_BYTES, f"is larger than {MAX_BYTES:,} bytes"),
        (b"[" * 5_000, "is nested too deep"),
        (b"rfm: " + b"[" * 100_000 + b"]" * 100_000, "is nested too deep"),
        (f"{RFM}  - {{[a]: b, id: b, where: 1 < 2}}\n".encode(), "unknown key"),
        (f"{RFM}[a, b]: c\n".encode(), "unknown section"),
    ],
    ids=["utf-16", "cp949", "nul", "huge", "deep", "very deep", "list for a key", "list for a section"],
)
def test_a_file_that_is_no_policy_at_all_is_refused_not_a_crash(content: bytes, reason: str) -> None:
    assert problems(content)[0].reason.startswith(reason)


def test_more_other_segments_than_can_be_kept_are_refused() -> None:
    rules = "".join(f"  - {{id: s{i}, where: 1 < 2}}\n" for i in range(MAX_SEGMENTS + 1))
    assert problems(f"{RFM}segments:\n{rules}") == [Problem(1, "more than 62 segments; remove some")]


def test_aliases_of_aliases_do_not_explode() -> None:
    bombs = "".join(f"  - &b{i} [{', '.join([f'*b{i - 1}'] * 9)}]\n" for i in range(1, 30))
    assert {problem.reason for problem in problems(f"rfm:\n  - &b0 [x]\n{bombs}")} == {
        "a rule must look like {id: …, name: …, where: …}"
    }
