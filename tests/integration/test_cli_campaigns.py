"""`dangol campaigns` with `--stack`: runs of what is live, started, watched, held back and stopped."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import boto3
import pytest
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.aws.runs import DynamoRuns
from dangol.configuration import to_json
from dangol.measurement.results import ArmResult, lift_as_dict, lift_of
from dangol.measurement.totals import totals
from dangol.moves.campaign.launch import new_run
from dangol.moves.campaign.messages import Batch, RunState
from dangol.moves.configure import LIVE_KEY

from tests.integration.conftest import Aws
from tests.integration.deployed import Dangol, command, deploy
from tests.schemas import problems
from tests.senders import HELLO, NOON


@pytest.fixture
def dangol(aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dangol:
    """Run `dangol campaigns` on a stack in which campaign `hello` is live."""
    deploy(aws, monkeypatch)
    text = HELLO.format(id="hello", purpose="advertising", more="").encode()
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({"campaigns/hello.yaml": text}))

    return command(capsys, "campaigns")


@pytest.fixture
def campaigns(aws: Aws) -> DynamoCampaigns:
    return DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)


def test_run_creates_a_run_that_the_launcher_takes_up(dangol: Dangol, campaigns: DynamoCampaigns) -> None:
    status, out, _ = dangol("run", "hello")
    (run,) = campaigns.open_runs()
    assert (status, run.campaign, run.state) == (0, "hello", RunState.LAUNCHING)
    assert out.startswith(f"{run.id} begins within a minute")
    assert "paused" not in out


def test_a_run_of_a_paused_campaign_says_that_nothing_goes_out(dangol: Dangol) -> None:
    dangol("pause", "hello")
    assert "hello is paused: nothing of it goes out before `dangol campaigns resume`" in dangol("run", "hello")[1]


@pytest.mark.parametrize(
    ("won", "says"),
    [({"email": "b"}, "; winner b (email)"), ({}, "; no winner, so all got the variants by weight")],
)
def test_status_names_the_winner(dangol: Dangol, campaigns: DynamoCampaigns, won: dict[str, str], says: str) -> None:
    run = new_run("hello", NOON)
    campaigns.create(run)
    assert "winner" not in dangol("status", "hello")[1]
    campaigns.choose(run.id, won)
    assert says in dangol("status", "hello")[1]
    assert json.loads(dangol("status", "hello", "--json")[1])["runs"][0]["winners"] == won


def test_status_says_what_became_of_the_messages(dangol: Dangol, campaigns: DynamoCampaigns) -> None:
    first = dangol("status", "hello")[1]
    assert re.fullmatch(r"hello: active, 0 runs yet, next \d{4}-\d\d-\d\d 12:00 Asia/Seoul\n", first)
    campaigns.create(new_run("hello", NOON))
    batch = Batch("hello-20261124T0300Z", "hello", NOON, 0, "email", "p", ())
    campaigns.settle(batch, {"sent": 1200, "skipped no_consent": 34})
    head, line = dangol("status", "hello")[1].splitlines()
    assert head.startswith("hello: active, 1 run, next ")
    assert line == "  hello-20261124T0300Z  launching, 0 people: 1,200 sent, 34 skipped no_consent"
    found = json.loads(dangol("status", "hello", "--json")[1])
    assert found["runs"][0]["counts"] == {"sent": 1200, "skipped no_consent": 34}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT12:00:00\+09:00", found["next_run_at"])


def test_status_says_that_some_messages_are_not_counted_yet(dangol: Dangol, campaigns: DynamoCampaigns) -> None:
    run = new_run("hello", NOON)
    campaigns.create(run)
    campaigns.advance(run, replace(run, state=RunState.SENDING, recipients=88, batches=2))
    assert dangol("status", "hello")[1].splitlines()[1] == (
        f"  {run.id}  sending, 88 people; 2 parts are being sent or waiting, and counted when done"
    )
    campaigns.settle(Batch(run.id, "hello", NOON, 0, "email", "p", ()), {"sent": 88})
    assert "88 sent; 1 part is being sent or waiting" in dangol("status", "hello")[1]
    campaigns.settle(Batch(run.id, "hello", NOON, 0, "push", "p", ()), {"sent": 8})
    assert dangol("status", "hello")[1].splitlines()[1] == f"  {run.id}  sending, 88 people: 96 sent"


def test_status_of_a_campaign_that_is_paused_or_was_taken_out(
    dangol: Dangol, campaigns: DynamoCampaigns, aws: Aws
) -> None:
    dangol("pause", "hello")
    assert dangol("status", "hello")[1] == "hello: paused, 0 runs yet\n"
    campaigns.create(new_run("hello", NOON))
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({}))
    assert dangol("status", "hello")[1].startswith("hello: not live any more, 1 run\n")


def test_status_of_a_refused_run_is_a_finding_with_its_reason(dangol: Dangol, campaigns: DynamoCampaigns) -> None:
    run = new_run("hello", NOON)
    campaigns.create(run)
    reason = "SES has not verified the sender"
    campaigns.close(run.__class__(run.id, "hello", NOON, RunState.REFUSED, reason=reason))
    status, out, _ = dangol("status", "hello")
    assert (status, out.splitlines()[1]) == (1, f"  {run.id}  refused, 0 people: {reason}")


def test_pause_resume_and_cancel(dangol: Dangol, campaigns: DynamoCampaigns) -> None:
    assert dangol("pause", "hello")[1] == "hello is paused\n"
    assert campaigns.is_paused("hello")
    assert dangol("resume", "hello")[1] == "hello is active\n"
    assert not campaigns.is_paused("hello")
    assert dangol("cancel", "hello")[1] == "no run of hello is under way\n"
    campaigns.create(new_run("hello", NOON))
    assert dangol("cancel", "hello")[1] == "hello-20261124T0300Z is cancelled\n"
    (run,) = campaigns.open_runs()
    assert run.state is RunState.CANCELLED


@pytest.mark.parametrize("action", ["run", "status", "pause", "resume"])
def test_a_campaign_that_is_not_live_is_named_with_the_nearest(dangol: Dangol, action: str) -> None:
    status, _, err = dangol(action, "helo")
    assert (status, "no campaign 'helo' is live; did you mean 'hello'?" in err) == (2, True)


def noted(aws: Aws, run: str, **changes: Any) -> None:
    """The result of a run, as the daily run left it."""
    arms = {"treated": ArmResult(850, 34, 34, 40, 1.2e6, 1e10), "holdout": ArmResult(150, 3, 3, 3, 9e4, 3e9)}
    counts = ("sent", "failed", "unknown", "deferred", "delivered", "opened", "clicked", "bounced", "complained")
    row = {
        "campaign": "hello",
        "names": {"ko": "인사", "en": "Hello"},
        "run_at": NOON.isoformat(),
        "goal": {"reach": "purchase", "within_days": 7},
        "holdout": 0.15,
        "recipients": 1_100,
        "reachable": 1_000,
        "unsubscribed": 2,
        "bought": {"people": 34, "orders": 40, "revenue": 1_200_000.5},
        "messages": dict.fromkeys(counts, 0)
        | {"sent": 850, "opened": 300, "skipped": {"holdout": 150, "no_consent": 100}},
        "attributed": {"orders": 12, "revenue": 400_000.0},
        "parts": [],
        "arms": {name: asdict(arm) for name, arm in arms.items()},
        "lift": lift_as_dict(lift_of(arms["treated"], arms["holdout"])),
        "state": "final",
        "as_of": "2026-12-14",
        "last_day": "2026-12-01",
        "final_on": "2026-12-08",
    }
    assert problems("runs-campaign-result", [{"kind": "campaign-result", "id": run, "expires_at": 1, **row}]) == []
    runs = DynamoRuns(boto3.resource("dynamodb"), aws.runs)
    runs.note("campaign-result", run, row | changes)
    for campaign, total in totals(runs.all_of("campaign-result"), date(2026, 12, 14)).items():
        runs.note("campaign-total", campaign, total)


def noted_together(aws: Aws, month: str, bought: int, state: str = "final", *, left_out: int = 2) -> None:
    """What all campaigns changed together, of a month: who bought of 950, and of 50 who were left out."""
    people = {"treated": (950, bought), "holdout": (50, left_out)}
    arms = {arm: ArmResult(of, one, one, one, 0.0, 0.0) for arm, (of, one) in people.items()}
    row = {
        "month": month,
        "global_holdout": 0.05,
        "goal": {"reach": "purchase", "within_days": 90},
        "arms": {name: asdict(arm) for name, arm in arms.items()},
        "lift": lift_as_dict(lift_of(arms["treated"], arms["holdout"])),
        "state": state,
        "as_of": "2026-12-14",
        "final_on": "2027-03-07",
    }
    known = {"kind": "campaigns-together", "id": f"{month}@0.05", "expires_at": 1}
    assert problems("runs-campaigns-together", [known | row]) == []
    DynamoRuns(boto3.resource("dynamodb"), aws.runs).note("campaigns-together", f"{month}@0.05", row)


def test_results_tell_of_all_campaigns_together_where_there_is_a_global_holdout(dangol: Dangol, aws: Aws) -> None:
    noted(aws, "hello-20261124T0300Z")
    assert "together" not in dangol("results").out
    noted_together(aws, "2026-10", 95)
    noted_together(aws, "2026-11", 76)
    noted_together(aws, "2026-12", 57, "open")
    ran = dangol("results")
    told = ran.out.partition("\n\n")[2].splitlines()
    assert (ran.status, told[:6]) == (
        0,
        [
            "all campaigns together, against the global holdout",
            "  goal: a purchase within 90 days of the first campaign that concerned them",
            "  all 2 months that are final",
            "    too small to tell: +5.0 points (95 %: -0.4 to +8.0); about 48,000 people would tell a lift of 20%",
            "    reached it: 171 of 1,900 (9.0%); 4 of 100 in the holdout (4.0%)",
            "  2026-12  global holdout of 5%, so far, final on 2027-03-07",
        ],
    )
    assert [line.split()[0] for line in told if "global holdout of" in line] == ["2026-12", "2026-11", "2026-10"]
    found = json.loads(dangol("results", "--json").out)["together"]
    assert {row["month"] for row in found} == {"2026-10", "2026-11", "2026-12"}
    assert "together" not in dangol("results", "hello").out


def test_all_campaigns_together_do_harm_if_their_final_months_do(dangol: Dangol, aws: Aws) -> None:
    noted(aws, "hello-20261124T0300Z")
    noted_together(aws, "2026-10", 0, left_out=10)
    assert dangol("results").status == 1
    noted_together(aws, "2026-11", 700)  # both together do not
    assert dangol("results").status == 0


def test_results_are_told_in_words_with_counts_and_interval(dangol: Dangol, aws: Aws) -> None:
    noted(aws, "hello-20261124T0300Z")
    status, out, _ = dangol("results")
    assert status == 0
    assert out.splitlines() == [
        "hello  인사",
        "  goal: a purchase within 7 days",
        "  hello-20261124T0300Z  final",
        "    1,100 people, 1,000 reachable; 850 messages sent, skipped: 150 holdout, 100 no_consent",
        "    of e-mail: 0 delivered, 300 opened, 0 clicked, 0 bounced, 0 complained; 2 unsubscribed",
        "    bought: 34 people, 40 orders, 1,200,000 KRW; put down to its messages: 12 orders, 400,000 KRW",
        "    too small to tell: +2.0 points (95 %: -1.4 to +4.1); about 44,000 people would tell a lift of 20%",
        "    reached it: 34 of 850 (4.0%); 3 of 150 in the holdout (2.0%)",
    ]
    found = json.loads(dangol("results", "hello", "--json")[1])
    assert found["runs"][0]["arms"]["treated"]["reached"] == 34
    assert found["campaigns"][0]["lift"]["verdict"] == "too small to tell"
    assert len(dangol("results", "hello", "--run", "hello-20261124T0300Z")[1].splitlines()) == 8

    noted(aws, "hello-20261125T0300Z")
    told = dangol("results")[1].splitlines()
    assert told[2:5] == [
        "  all 2 runs that are over",
        "    too small to tell: +2.0 points (95 %: -0.2 to +3.5); about 45,000 people would tell a lift of 20%",
        "    reached it: 68 of 1,700 (4.0%); 6 of 300 in the holdout (2.0%)",
    ]


def test_harm_is_a_finding_and_no_results_are_said_so(dangol: Dangol, aws: Aws) -> None:
    status, out, _ = dangol("results", "hello")
    assert (status, out.startswith("no results of hello yet; the daily run measures")) == (0, True)
    assert json.loads(dangol("results", "--json")[1]) == {"runs": [], "campaigns": [], "together": []}
    harm = {name: asdict(ArmResult(1000, reached)) for name, reached in (("treated", 50), ("holdout", 100))}
    noted(aws, "hello-20261124T0300Z", arms=harm, lift={"verdict": "harm"})
    assert dangol("results", "hello")[0] == 1


def test_results_of_what_there_is_not_are_an_error(dangol: Dangol, campaigns: DynamoCampaigns) -> None:
    status, _, err = dangol("results", "helo")
    assert (status, "no campaign 'helo' is live; did you mean 'hello'?" in err) == (2, True)
    run = new_run("hello", NOON)
    status, _, err = dangol("results", "--run", run.id)
    assert (status, f"there is no run '{run.id}'; `dangol campaigns status`" in err) == (2, True)
    campaigns.create(run)
    assert dangol("results", "hello", "--run", run.id)[0] == 0
    assert dangol("results", "other", "--run", run.id)[0] == 2


def test_harm_of_one_campaign_is_a_finding_beside_others_that_are_over(dangol: Dangol, aws: Aws) -> None:
    noted(aws, "hello-20261124T0300Z")
    assert dangol("results")[0] == 0
    harm = {name: asdict(ArmResult(1000, reached)) for name, reached in (("treated", 50), ("holdout", 100))}
    still_open = {"campaign": "other", "last_day": "2026-12-24", "state": "open"}
    noted(aws, "other-20261210T0300Z", **still_open, arms=harm, lift={"verdict": "harm"})
    assert dangol("results")[0] == 1
