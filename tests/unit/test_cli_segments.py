"""`dangol segments` over files on this machine: what people and programs read of it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dangol.cli.main import main
from dangol.segments.policy import default_policy

from benchmarks.generate import write_orders
from tests.builders import csv_of

ROOT = Path(__file__).resolve().parents[2]

AS_OF = ("--as-of", "2026-11-22")
ORDERS = csv_of(
    "1,ahn,2026-11-21,1000",
    "2,bae,2026-11-19,2000",
    "3,bae,2026-09-01,4000",
    "4,cho,2026-11-12,3000",
    "5,cho,2026-10-01,3000",
    "6,do,2026-01-05,9000",
)
"""recency_days: ahn 1, bae 3, cho 10, do 321."""
PEOPLE = "customer_id,gender,city,accepts_email\nahn,female,Seoul,yes\neom,male,Busan,no\n"
CONFIG = """
rfm:
  - {id: recent, names: {ko: 최근 고객, en: Recent}, description: bought this week, where: recency_days <= 7}
  - {id: former, name: 예전 고객, where: recency_days <= 30 and not orders_90d > 5}
segments:
  - {id: repeat, name: 재구매, where: orders_lifetime >= 2, reentry: 30 days}
  - {id: women_nearby, name: 서울 여성, where: "gender == 'female' and near('Seoul', 20)"}
  - {id: dear, name: 귀한 고객, where: in_segment('repeat') or aov_90d >= 10_000}
"""


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Dangol = Callable[..., Ran]


@pytest.fixture
def dangol(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dangol:
    """Run a command in a folder with orders.csv, people.csv and the configuration `shop`."""
    monkeypatch.chdir(tmp_path)
    Path("orders.csv").write_text(ORDERS)
    Path("people.csv").write_text(PEOPLE)
    configure("shop", CONFIG)

    def run(*arguments: str) -> Ran:
        status = main(["segments", *arguments])
        return Ran(status, *capsys.readouterr())

    return run


def configure(folder: str, text: str) -> None:
    Path(folder).mkdir()
    Path(folder, "segments.yaml").write_text(text)


def edited(text: str, instead: str) -> None:
    """The configuration `new`: `shop` with one text in it replaced."""
    assert text in CONFIG
    configure("new", CONFIG.replace(text, instead))


# ---- list -----------------------------------------------------------------------------------------------


def test_list_shows_each_segment_with_names_rule_and_purpose_and_needs_no_customers(dangol: Dangol) -> None:
    assert dangol("list", "--config", "shop") == Ran(
        0,
        """\
RFM segments: a customer is in exactly one, the first that holds

  recent  최근 고객 / Recent
      recency_days <= 7
      bought this week

  former  예전 고객
      recency_days <= 30 and not orders_90d > 5

  unclassified  미분류 / Unclassified
      everybody whom no rule above holds

Other segments: a customer is in any number of them

  repeat  재구매
      orders_lifetime >= 2
      an entry counts anew after 30 days out

  women_nearby  서울 여성
      gender == 'female' and near('Seoul', 20)

  dear  귀한 고객
      in_segment('repeat') or aov_90d >= 10_000
""",
        "",
    )


def test_list_is_of_the_built_in_segments_where_no_folder_is_given(dangol: Dangol) -> None:
    found = dangol("list", "--json").json
    assert {one["id"] for one in found} == set(default_policy().names)
    (win_back,) = (one for one in found if one["id"] == "win_back")
    assert win_back["names"] == {"ko": "다시 모실 고객", "en": "Win Back"}
    assert (win_back["section"], win_back["reentry_days"]) == ("segments", 30)


# ---- count ----------------------------------------------------------------------------------------------


def test_count_shows_customers_and_share_of_each_segment(dangol: Dangol) -> None:
    assert dangol("count", "orders.csv", "--config", "shop", *AS_OF) == Ran(
        0,
        """\
4 customers as of 2026-11-22

segment                  customers  share
recent        최근 고객          2  50.0%
former        예전 고객          1  25.0%
unclassified  미분류             1  25.0%

repeat        재구매             2  50.0%
women_nearby  서울 여성          0   0.0%
dear          귀한 고객          2  50.0%
""",
        "",
    )


def test_count_takes_in_people_who_never_ordered(dangol: Dangol) -> None:
    found = dangol("count", "orders.csv", "--customers", "people.csv", "--config", "shop", *AS_OF, "--json").json
    assert (found["customers"], found["as_of"]) == (5, "2026-11-22")
    assert {one["id"]: one["customers"] for one in found["segments"]} == {
        "recent": 2,
        "former": 1,
        "unclassified": 2,
        "repeat": 2,
        "women_nearby": 1,
        "dear": 2,
    }


def test_rows_that_cannot_be_read_are_said_and_the_status_is_1(dangol: Dangol) -> None:
    Path("bad.csv").write_text(csv_of("1,ahn,2026-11-21,much"))
    ran = dangol("count", "orders.csv", "bad.csv", "--config", "shop", *AS_OF)
    assert ran.status == 1
    assert "1 rejected" in ran.err
    assert "4 customers" in ran.out


def test_score_groups_are_of_the_whole_base(dangol: Dangol) -> None:
    configure("scored", CONFIG + "scores: standard\n")
    found = dangol("count", "orders.csv", "--config", "scored", *AS_OF, "--json").json
    groups = {one["id"]: one["customers"] for one in found["segments"] if one["section"] == "scores"}
    assert sum(groups.values()) == 4
    assert "Score groups" in dangol("list", "--config", "scored").out


# ---- explain --------------------------------------------------------------------------------------------


def test_explain_shows_each_clause_of_each_rule_with_the_customers_value(dangol: Dangol) -> None:
    assert dangol("explain", "bae", "orders.csv", "--config", "shop", *AS_OF) == Ran(
        0,
        """\
Customer bae as of 2026-11-22

Features
  recency_days      3 days
  orders_90d        2 orders
  aov_90d           3,000 KRW
  orders_lifetime   2 orders
  revenue_lifetime  6,000 KRW
  first_order_on    2026-09-01
  last_order_on     2026-11-19
  gender            missing

Segments: recent (최근 고객), dear (귀한 고객), repeat (재구매)

✓ recent  최근 고객
    ✓ recency_days <= 7  is 3 days

✗ former  예전 고객  (its rule holds, but recent comes first)
    ✓ recency_days <= 30  is 3 days
    ✓ not orders_90d > 5
        ✗ orders_90d > 5  is 2 orders

✓ repeat  재구매
    ✓ orders_lifetime >= 2  is 2 orders

✗ women_nearby  서울 여성
    ✗ gender == 'female'  is missing
    ✗ near('Seoul', 20)   is missing

✓ dear  귀한 고객
    ✓ in_segment('repeat') or aov_90d >= 10_000
        ✓ in_segment('repeat')
        ✗ aov_90d >= 10_000                      is 3,000 KRW
""",
        "",
    )


def test_explain_of_one_segment_tells_of_nothing_that_its_rule_does_not_name(dangol: Dangol) -> None:
    ran = dangol(
        "explain", "ahn", "orders.csv", "--customers", "people.csv", "--config", "shop", "--segment", "dear", *AS_OF
    )
    assert "gender" not in ran.out
    assert "aov_90d  1,000 KRW" in ran.out
    assert "✗ dear" in ran.out


def test_explain_of_unclassified_shows_every_rule_that_does_not_hold(dangol: Dangol) -> None:
    ran = dangol("explain", "do", "orders.csv", "--config", "shop", "--segment", "unclassified", *AS_OF)
    assert [line for line in ran.out.splitlines() if line.startswith("✗")] == [
        "✗ recent  최근 고객",
        "✗ former  예전 고객",
    ]


def test_explain_for_programs_has_units_and_the_tree_of_each_rule(dangol: Dangol) -> None:
    found = dangol("explain", "do", "orders.csv", "--config", "shop", "--segment", "recent", *AS_OF, "--json").json
    assert found == {
        "customer_id": "do",
        "as_of": "2026-11-22",
        "features": {"recency_days": {"value": 321, "unit": "days"}},
        "segments": ["unclassified"],
        "rules": [
            {
                "id": "recent",
                "name": "최근 고객",
                "member": False,
                "rule": {"text": "recency_days <= 7", "holds": False, "values": {"recency_days": 321}},
            }
        ],
    }


def test_explain_knows_what_was_bought(dangol: Dangol) -> None:
    Path("lines.csv").write_text(
        csv_of("1,ahn,2026-11-21,1000,코트", header="order_id,customer_id,ordered_at,amount,category")
    )
    configure("coats", "rfm:\n  - {id: coats, where: \"bought('코트', 30 days)\"}\n")
    ran = dangol("explain", "ahn", "lines.csv", "--config", "coats", *AS_OF)
    assert "✓ bought('코트', 30 days)" in ran.out


def test_there_is_no_such_customer(dangol: Dangol) -> None:
    ran = dangol("explain", "zoe", "orders.csv", "--config", "shop", *AS_OF)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "dangol: there is no customer 'zoe'; ids look like 'ahn'\n"


# ---- members --------------------------------------------------------------------------------------------


def test_members_are_ids_one_a_line(dangol: Dangol) -> None:
    assert dangol("members", "recent", "orders.csv", "--config", "shop", *AS_OF) == Ran(0, "ahn\nbae\n", "")
    assert dangol("members", "repeat", "orders.csv", "--config", "shop", *AS_OF, "--limit", "1").out == "bae\n"


def test_members_for_a_spreadsheet_hold_no_formula(dangol: Dangol) -> None:
    Path("evil.csv").write_text(csv_of("1,=1+1,2026-11-21,1000"))
    ran = dangol("members", "recent", "evil.csv", "--config", "shop", *AS_OF, "--csv")
    assert ran.out == "customer_id\n'=1+1\n"


def test_an_unknown_segment_is_refused_with_the_nearest_known(dangol: Dangol) -> None:
    ran = dangol("members", "resent", "orders.csv", "--config", "shop", *AS_OF)
    assert (ran.status, ran.err) == (2, "dangol: there is no segment 'resent'; did you mean 'recent'?\n")


# ---- diff -----------------------------------------------------------------------------------------------


def diff(dangol: Dangol, *more: str) -> Ran:
    return dangol("diff", "orders.csv", "--config", "new", "--against", "shop", *AS_OF, *more)


def test_diff_shows_who_enters_who_leaves_and_the_moves(dangol: Dangol) -> None:
    edited("recency_days <= 7", "recency_days <= 10")
    assert diff(dangol) == Ran(
        1,
        """\
4 customers as of 2026-11-22

   segment             before  after  enter  leave
~  recent   최근 고객       2      3      1      –
~  former   예전 고객       1      0      –      1
4 other segments hold whom they held

Who
  enter recent: cho
  leave former: cho

recent  최근 고객
  rule was  recency_days <= 7
        is  recency_days <= 10

Moves between RFM segments (from the left, to the top)
        recent
former       1
""",
        "",
    )


def test_diff_marks_what_is_added_and_removed(dangol: Dangol) -> None:
    edited(
        "{id: repeat, name: 재구매, where: orders_lifetime >= 2, reentry: 30 days}", "{id: repeat, where: aov_90d < 0}"
    )
    Path("new/segments.yaml").write_text(
        Path("new/segments.yaml").read_text().replace("id: women_nearby", "id: women_here").replace("서울", "부산")
    )
    rows = [line for line in diff(dangol).out.splitlines() if line[:1] in "+-~"]
    assert [row.split()[:2] for row in rows if row] == [
        ["~", "repeat"],
        ["+", "women_here"],
        ["~", "dear"],
        ["-", "women_nearby"],
    ]


def test_diff_says_plainly_that_there_is_none(dangol: Dangol) -> None:
    edited("rfm:", "# a comment\nrfm:")
    assert diff(dangol) == Ran(
        0, "no difference: both configurations define the same segments (4 customers as of 2026-11-22)\n", ""
    )


def test_diff_of_words_alone_says_that_nobody_moves(dangol: Dangol) -> None:
    edited("name: 재구매", "name: 단골")
    ran = diff(dangol)
    assert ran.status == 1
    assert "Nobody enters or leaves a segment" in ran.out
    assert "name was  재구매\n        is  단골" in ran.out


def test_diff_names_as_many_customers_as_asked_for(dangol: Dangol) -> None:
    edited("recency_days <= 7", "recency_days <= 999")
    assert "enter recent: cho and 1 more" in diff(dangol, "--samples", "1").out
    assert "Who" not in diff(dangol, "--samples", "0").out


def test_diff_for_programs(dangol: Dangol) -> None:
    edited("recency_days <= 7", "recency_days <= 10")
    found = diff(dangol, "--json").json
    assert (found["customers"], found["different"], found["reordered"]) == (4, True, [])
    assert found["moves"] == [{"from": "former", "to": "recent", "customers": 1}]
    assert found["segments"][0] == {
        "id": "recent",
        "name": "최근 고객",
        "before": 2,
        "after": 3,
        "entered": 1,
        "left": 0,
        "entering": ["cho"],
        "leaving": [],
        "edits": [{"what": "rule", "was": "recency_days <= 7", "now": "recency_days <= 10"}],
    }


def test_diff_is_against_the_built_in_segments_where_nothing_else_is_named(dangol: Dangol) -> None:
    ran = dangol("diff", "orders.csv", "--config", "shop", *AS_OF)
    assert ran.status == 1
    assert "+  women_nearby" in ran.out
    assert "-  vip_loyal" in ran.out


def test_diff_refuses_an_edit_that_cannot_be_read_with_every_problem(dangol: Dangol) -> None:
    edited("recency_days <= 7", "recencydays <= 7")
    Path("new/rates.yaml").write_text("rates: 1\n")
    ran = diff(dangol)
    assert (ran.status, ran.out) == (2, "")
    assert "new/segments.yaml, line 3: segment 'recent', column 1 of its rule" in ran.err
    assert "did you mean 'recency_days'?" in ran.err
    assert "new/rates.yaml, line 1" in ran.err


# ---- what is asked for ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("count",), "give order files, or --stack NAME"),
        (("count", "orders.csv", "--stack", "dangol"), "read orders.csv, or ask --stack dangol?"),
        (("count", "nothing.csv"), "nothing.csv: does not exist"),
        (("count", "orders.csv", "--config", "nowhere"), "nowhere: is not a folder"),
        (("count", "orders.csv", "--config", "empty"), "empty: holds no configuration"),
        (("diff", "orders.csv"), "--config is missing"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(dangol: Dangol, arguments: tuple[str, ...], says: str) -> None:
    Path("empty").mkdir()
    ran = dangol(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert says in ran.err


@pytest.mark.parametrize("action", ["list", "count", "explain", "members", "diff"])
def test_every_action_has_help_with_an_example(dangol: Dangol, capsys: pytest.CaptureFixture[str], action: str) -> None:
    with pytest.raises(SystemExit) as left:
        dangol(action, "--help")
    assert left.value.code == 0
    assert f"example: dangol segments {action} " in " ".join(capsys.readouterr().out.split())


def test_without_boto3_a_stack_cannot_be_asked(dangol: Dangol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    ran = dangol("count", "--stack", "dangol")
    assert ran.status == 2
    assert "pip install 'dangol[aws]'" in ran.err


# ---- the guide ------------------------------------------------------------------------------------------


def test_the_guide_shows_what_comes_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands, on the shop it makes up and the edit it makes."""
    guide = (ROOT / "docs" / "editing-segments.md").read_text("utf-8")
    (segment,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write_orders(Path("orders/orders_10000.csv"), 10_000)
    capsys.readouterr()
    shipped = (ROOT / "config" / "segments.yaml").read_text("utf-8")
    configure("my-shop", shipped.replace("where: 30 <= recency_days", "where: 21 <= recency_days") + segment)
    shown = re.findall(r"```console\n\$ dangol (.*?)\n(.*?)```", guide, re.DOTALL)
    assert len(shown) == 4
    for command, output in shown:
        main(shlex.split(command))
        version = re.compile("version [0-9a-f]{12}")
        assert version.sub("version", capsys.readouterr().out) == version.sub("version", output)
