"""`dangol segments` and `dangol config` with `--stack`: everything is found by the outputs of the stack."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dangol.aws.objects import S3Store
from dangol.aws.runs import DynamoRuns
from dangol.aws.tables import DynamoServingTables
from dangol.cli import push
from dangol.cli.main import main
from dangol.configuration import to_json
from dangol.ledger.store import FolderStore
from dangol.moves.configure import Configure, live_configuration
from dangol.moves.messages import Membership

from tests.fakes import FakeBus
from tests.integration.conftest import REGION, TODAY, Aws
from tests.integration.deployed import Dangol, command, deploy
from tests.senders import HELLO
from tests.world import World

LIVE = """
rfm:
  - {id: recent, name: 최근 고객, where: recency_days <= 7}
segments:
  - {id: repeat, name: 재구매, where: orders_lifetime >= 2}
  - {id: women, name: 여성, where: gender == 'female'}
"""
ORDERS = """\
order_id,customer_id,ordered_at,amount
1,ahn,2026-11-21,1000
2,bae,2026-11-12,2000
3,bae,2026-11-01,2000
4,cho,2026-10-01,3000
"""
PEOPLE = "customer_id,gender,subscribed_on\nahn,female,2026-01-01\neom,female,2026-01-01\n"


@pytest.fixture(scope="module")
def ledger() -> Iterator[Path]:
    """The ledger of a shop of three shards: orders in two parts, and people."""
    with World(shards=3) as world:
        world.today = date.fromisoformat(TODAY)
        world.ingest(world.drop(ORDERS, 1))
        world.ingest(world.drop(PEOPLE, 2, "incoming/customers/a.csv"))
        yield world.bucket


@pytest.fixture
def stack(aws: Aws, ledger: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Stack `shop`, with its outputs, a ledger, and a live configuration; and stack `website`, another project's."""
    deploy(aws, monkeypatch)
    for key in FolderStore(ledger).keys("ledger/"):
        aws.s3.upload_file(str(ledger / key), aws.bucket, key)
    aws.s3.put_object(
        Bucket=aws.bucket, Key="config/live/configuration.json", Body=to_json({"segments.yaml": LIVE.encode()})
    )
    return aws


@pytest.fixture
def dangol(stack: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dangol:
    """Run a command in an empty folder, with nothing known of the stack but its name."""
    assert stack.bucket
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.startswith("DANGOL_")]:
        monkeypatch.delenv(name)

    return command(capsys)


def configure(folder: str, text: str) -> None:
    Path(folder).mkdir()
    Path(folder, "segments.yaml").write_text(text)


# ---- segments -------------------------------------------------------------------------------------------


def test_list_is_of_what_is_live(dangol: Dangol) -> None:
    assert "repeat  재구매" in dangol("segments", "list").out


def test_count_is_over_all_shards_on_the_day_of_the_stack(dangol: Dangol) -> None:
    ran = dangol("segments", "count")
    assert ran.out == (
        "4 customers as of 2026-11-22\n\n"
        "segment                  customers  share\n"
        "recent        최근 고객          1  25.0%\n"
        "unclassified  미분류             3  75.0%\n\n"
        "repeat        재구매             1  25.0%\n"
        "women         여성               2  50.0%\n"
    )
    assert "objects of the ledger" in ran.err


def test_the_costs_are_of_the_live_campaigns_over_all_shards(dangol: Dangol, stack: Aws) -> None:
    hello = HELLO.format(id="hello", purpose="advertising", more="").replace("loyal", "recent")
    live = {"segments.yaml": LIVE.encode(), "campaigns/hello.yaml": hello.encode()}
    stack.s3.put_object(Bucket=stack.bucket, Key="config/live/configuration.json", Body=to_json(live))
    ran = dangol("campaigns", "cost")
    assert ran.status == 0
    assert re.search(r"^hello +1 +1 email, 1 push +< 0.01 +30 ", ran.out, re.MULTILINE)
    assert "The shop beside its campaigns (1 orders and 30 files a month, 4 customers, 3 shards): " in ran.out


def test_scores_are_fifths_of_all_shards_together(dangol: Dangol) -> None:
    """Orders are 1, 1 and 2, so the borders of F are 1, 1, 1 and 2; alone in a shard, everybody's score would be 1."""
    configure("scored", LIVE + "scores: [{id: best, where: f_score == 4}, {id: others, where: f_score == 1}]\n")
    out = dangol("segments", "count", "--config", "scored").out
    assert [line.split()[-2] for line in out.splitlines() if line.startswith(("best", "others"))] == ["1", "2"]


def test_a_ledger_that_was_copied_is_not_copied_again(dangol: Dangol) -> None:
    first = dangol("segments", "count")
    again = dangol("segments", "count")
    assert (again.out, again.err) == (first.out, "")


def test_what_is_gone_from_the_ledger_is_gone_from_the_copy(dangol: Dangol, stack: Aws) -> None:
    dangol("segments", "count")
    copy = Path("cache", "dangol", stack.bucket)
    assert (copy.stat().st_mode & 0o077) == 0
    (people, *_) = sorted(path for path in copy.rglob("*.parquet") if "/customers/" in str(path))
    stack.s3.delete_object(Bucket=stack.bucket, Key=people.relative_to(copy).as_posix())
    dangol("segments", "count")
    assert not people.exists()


def test_explain_speaks_of_a_customer_of_any_shard(dangol: Dangol) -> None:
    assert "✓ orders_lifetime >= 2  is 2 orders" in dangol("segments", "explain", "bae").out
    assert "gender  female" in dangol("segments", "explain", "eom", "--segment", "women").out


def test_diff_is_against_what_is_live(dangol: Dangol) -> None:
    configure("new", LIVE.replace("<= 7", "<= 14"))
    ran = dangol("segments", "diff", "--config", "new")
    assert ran.status == 1
    assert "~  recent        최근 고객       1      2      1      –" in ran.out
    assert "enter recent: bae" in ran.out


def test_members_come_from_the_table_of_memberships_with_their_first_day(dangol: Dangol, stack: Aws) -> None:
    tables = DynamoServingTables(boto3.resource("dynamodb"), stack.customers, stack.memberships)
    ids = [f"c{number:03}" for number in range(100)]
    tables.put_memberships([Membership("repeat", one, date(2026, 11, 20)) for one in ids])
    tables.put_memberships([Membership("women", "zoe", date(2026, 11, 21))])
    lines = dangol("segments", "members", "repeat").out.splitlines()
    assert sorted(lines) == [f"{one}\t2026-11-20" for one in ids]
    assert dangol("segments", "members", "women", "--csv").out == "customer_id,since\nzoe,2026-11-21\n"
    assert len(dangol("segments", "members", "repeat", "--limit", "7").out.splitlines()) == 7


def test_members_by_another_configuration_are_computed_from_the_ledger(dangol: Dangol) -> None:
    configure("new", LIVE.replace(">= 2", ">= 1"))
    assert dangol("segments", "members", "repeat", "--config", "new").out == "ahn\nbae\ncho\n"


# ---- report ---------------------------------------------------------------------------------------------


def test_the_newest_report_is_fetched_in_the_language_asked_for(dangol: Dangol, stack: Aws) -> None:
    beside = "<!-- beside --><a href='report.en.html'>English</a><!-- /beside -->"  # which is not fetched
    for day in ("2026-11-09", "2026-11-21"):
        for name in ("report.html", "report.en.html", "summary.json"):
            stack.s3.put_object(Bucket=stack.bucket, Key=f"reports/{day}/{name}", Body=f"{day} {name}{beside}".encode())
    assert dangol("report").out == "written to report.html\n"
    assert Path("report.html").read_text() == "2026-11-21 report.html"
    assert dangol("report", "--language", "en", "--date", "2026-11-09", "--out", "then/old.html").status == 0
    assert Path("then/old.html").read_text() == "2026-11-09 report.en.html"
    missing = dangol("report", "--date", "2026-11-10")
    assert (missing.status, missing.out) == (2, "")
    assert "stack 'shop' has no report of 2026-11-10; the newest is of 2026-11-21" in missing.err


def test_a_stack_without_a_report_says_when_there_will_be_one(dangol: Dangol) -> None:
    ran = dangol("report")
    assert (ran.status, "the daily run builds one each night" in ran.err) == (2, True)


# ---- config ---------------------------------------------------------------------------------------------


@pytest.fixture
def function(stack: Aws, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Function `configure`, which takes what was pushed while the command waits; the reasons of refreshes."""
    refreshed: list[str] = []
    runs = DynamoRuns(boto3.resource("dynamodb"), stack.runs)
    store = S3Store(boto3.client("s3"), stack.bucket)
    taken: set[str] = set()

    def take(seconds: float) -> None:
        assert seconds > 0
        for key in set(store.keys("config/pushed/")) - taken:
            taken.add(key)
            Configure(store, runs, FakeBus(), refreshed.append).take(key, "event")

    monkeypatch.setattr(push, "pause", take)
    return refreshed


def live(stack: Aws) -> Any:
    return live_configuration(S3Store(boto3.client("s3"), stack.bucket))


def test_push_shows_what_changes_and_makes_it_live(dangol: Dangol, stack: Aws, function: list[str]) -> None:
    configure("new", LIVE.replace("<= 7", "<= 14"))
    ran = dangol("config", "push", "new", "--yes")
    assert ran.status == 0
    assert "Files\n  ~ segments.yaml\n" in ran.out
    assert "enter recent: bae" in ran.out
    assert f"configuration {live(stack).version} is live in stack 'shop'\n" in ran.out
    assert "every customer is being brought up to date" in ran.out
    assert live(stack).files == {"segments.yaml": LIVE.replace("<= 7", "<= 14").encode()}
    assert function == ["configuration"]


def test_push_of_what_is_live_does_nothing(dangol: Dangol, stack: Aws) -> None:
    configure("same", LIVE)
    ran = dangol("config", "push", "same", "--yes")
    assert (ran.status, ran.out) == (0, f"nothing to push: version {live(stack).version} is live in stack 'shop'\n")


def test_push_of_comments_computes_nothing(dangol: Dangol, function: list[str]) -> None:
    configure("new", "# for the autumn\n" + LIVE)
    ran = dangol("config", "push", "new", "--yes")
    assert (ran.status, function) == (0, ["configuration"])
    assert "the segments stay as they are" in ran.out
    assert "objects of the ledger" not in ran.err


def test_push_without_the_difference_still_names_what_is_written_differently(
    dangol: Dangol, function: list[str]
) -> None:
    configure("new", LIVE.replace("id: women", "id: ladies").replace("<= 7", "<= 14"))
    ran = dangol("config", "push", "new", "--yes", "--no-diff")
    assert (ran.status, function) == (0, ["configuration"])
    assert "+ ladies\n- women" in ran.out
    assert "rule was  recency_days <= 7" in ran.out
    assert "bae" not in ran.out


def test_a_dry_run_pushes_nothing(dangol: Dangol, stack: Aws) -> None:
    configure("new", LIVE.replace("<= 7", "<= 14"))
    ran = dangol("config", "push", "new", "--dry-run")
    assert ran.status == 0
    assert "enter recent: bae" in ran.out
    assert ran.out.endswith("nothing was pushed (--dry-run)\n")
    assert "Contents" not in stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="config/pushed/")


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("Yes", 0), ("n", 1), ("", 1)])
def test_push_asks_on_a_terminal(
    dangol: Dangol, stack: Aws, function: list[str], monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    configure("new", LIVE.replace("<= 7", "<= 14"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    ran = dangol("config", "push", "new")
    assert ran.status == status
    assert (live(stack).files["segments.yaml"] == LIVE.encode()) == (status == 1)
    assert len(function) == 1 - status


def test_push_does_not_ask_where_nobody_is(dangol: Dangol, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("new", LIVE.replace("<= 7", "<= 14"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    ran = dangol("config", "push", "new")
    assert ran.status == 2
    assert "--yes" in ran.err


def test_push_refuses_a_folder_with_mistakes_before_it_asks_aws(dangol: Dangol, stack: Aws) -> None:
    configure("new", LIVE.replace("recency_days", "recencydays"))
    ran = dangol("config", "push", "new", "--yes")
    assert (ran.status, ran.out) == (2, "")
    assert "new/segments.yaml, line 3" in ran.err
    assert "Contents" not in stack.s3.list_objects_v2(Bucket=stack.bucket, Prefix="config/pushed/")


def test_push_says_what_the_stack_refuses(
    dangol: Dangol, stack: Aws, function: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack of an earlier version may not know what this one does."""
    configure("new", LIVE.replace("<= 7", "<= 14"))
    monkeypatch.setattr("dangol.configuration.to_json", lambda files: b"[]")
    ran = dangol("config", "push", "new", "--yes", "--no-diff")
    assert ran.status == 2
    assert "the stack did not take it, what was live goes on" in ran.err
    assert (live(stack).files["segments.yaml"], function) == (LIVE.encode(), [])


def test_push_that_nobody_takes_ends_with_advice(dangol: Dangol, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(push, "pause", waited.append)
    configure("new", LIVE.replace("<= 7", "<= 14"))
    ran = dangol("config", "push", "new", "--yes", "--no-diff", "--timeout", "10")
    assert (ran.status, sum(waited)) == (2, 10)
    assert "has not taken" in ran.err
    assert "dead-letter queue" in ran.err


def test_pull_writes_what_is_live(dangol: Dangol) -> None:
    ran = dangol("config", "pull", "shop/config")
    assert (ran.status, ran.out) == (0, "wrote shop/config/segments.yaml\n")
    assert Path("shop/config/segments.yaml").read_text() == LIVE
    assert dangol("config", "pull", "shop/config").status == 0


def test_pull_overwrites_an_edit_only_by_force(dangol: Dangol) -> None:
    configure("shop", LIVE.replace("<= 7", "<= 14"))
    Path("shop/rates.yaml").write_text("rates: []\n")
    ran = dangol("config", "pull", "shop")
    assert ran.status == 2
    assert "rates.yaml, segments.yaml" in ran.err
    assert "<= 14" in Path("shop/segments.yaml").read_text()
    assert (
        dangol("config", "pull", "shop", "--force").out
        == "wrote shop/segments.yaml\nleft shop/rates.yaml, which is not live\n"
    )
    assert Path("shop/segments.yaml").read_text() == LIVE


def test_pull_of_a_stack_without_a_configuration_gives_the_built_in_one_to_start_from(
    dangol: Dangol, stack: Aws
) -> None:
    stack.s3.delete_object(Bucket=stack.bucket, Key="config/live/configuration.json")
    ran = dangol("config", "pull", "shop")
    assert "built-in configuration" in ran.out
    assert "vip_loyal" in Path("shop/segments.yaml").read_text()
    assert "no difference" in dangol("segments", "diff", "--config", "shop").out


def test_pull_writes_nothing_outside_of_its_folder(dangol: Dangol, stack: Aws) -> None:
    dialect = Path(push.__file__).parents[1] / "orders" / "dialects" / "magento.yaml"
    files = {"dialects/../../evil.yaml": dialect.read_bytes().replace(b"magento", b"mine")}
    stack.s3.put_object(Bucket=stack.bucket, Key="config/live/configuration.json", Body=to_json(files))
    ran = dangol("config", "pull", "shop")
    assert ran.status == 2
    assert "leads out of shop" in ran.err
    assert not Path("evil.yaml").exists()


# ---- what AWS answers -----------------------------------------------------------------------------------


def test_a_stack_that_is_not_there_is_named_with_its_region(dangol: Dangol, capsys: pytest.CaptureFixture[str]) -> None:
    assert dangol  # the environment of one
    assert main(["segments", "list", "--stack", "shopp"]) == 2
    assert "there is no stack 'shopp' in ap-northeast-2" in capsys.readouterr().err


def test_a_stack_of_something_else_is_told_by_its_outputs(dangol: Dangol, capsys: pytest.CaptureFixture[str]) -> None:
    assert dangol
    assert main(["segments", "list", "--stack", "website"]) == 2
    assert "stack 'website' has no output 'BucketName'" in capsys.readouterr().err


def test_what_aws_refuses_is_told_in_a_line(dangol: Dangol, stack: Aws) -> None:
    boto3.client("dynamodb").delete_table(TableName=stack.memberships)
    ran = dangol("segments", "members", "repeat")
    assert ran.status == 2
    assert ran.err.startswith("dangol: AWS refused Query: ResourceNotFoundException")


def test_without_a_region_the_environment_is_named(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert aws.bucket
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert main(["segments", "list", "--stack", "shop"]) == 2
    assert "AWS_DEFAULT_REGION" in capsys.readouterr().err


def test_credentials_that_are_over_are_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def expired(*_: object) -> None:
        error = {"Code": "ExpiredToken", "Message": "The security token included in the request is expired"}
        raise ClientError({"Error": error}, "DescribeStacks")

    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr("dangol.aws.stacks.deployment", expired)
    assert main(["segments", "list", "--stack", "shop"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("dangol: AWS refused DescribeStacks: ExpiredToken, The security token")
    assert told.endswith("is expired; sign in again, or renew the credentials in the environment\n")
