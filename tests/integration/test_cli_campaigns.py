"""`dangol campaigns` with `--stack`: runs of what is live, started, watched, held back and stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import boto3
import pytest
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.cli.main import main
from dangol.configuration import to_json
from dangol.moves.campaign.launch import new_run
from dangol.moves.campaign.messages import Batch, RunState
from dangol.moves.configure import LIVE_KEY

from tests.integration.conftest import REGION, Aws
from tests.senders import HELLO, NOON

Dangol = Callable[..., tuple[int, str, str]]


@pytest.fixture
def dangol(aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Dangol:
    """Run `dangol campaigns` on a stack in which campaign `hello` is live."""
    outputs = {"BucketName": aws.bucket, "RunsTableName": aws.runs}
    found = {
        "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()],
        "Parameters": [
            {"ParameterKey": "TimeZone", "ParameterValue": "Asia/Seoul"},
            {"ParameterKey": "Currency", "ParameterValue": "KRW"},
        ],
    }
    meta, client = SimpleNamespace(region_name=REGION), boto3.client
    cloudformation = SimpleNamespace(describe_stacks=lambda StackName: {"Stacks": [found]}, meta=meta)  # noqa: N803
    monkeypatch.setattr(boto3, "client", lambda name: cloudformation if name == "cloudformation" else client(name))
    text = HELLO.format(id="hello", purpose="advertising", more="").encode()
    aws.s3.put_object(Bucket=aws.bucket, Key=LIVE_KEY, Body=to_json({"campaigns/hello.yaml": text}))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["campaigns", *arguments, "--stack", "shop"])
        return (status, *capsys.readouterr())

    return run


@pytest.fixture
def campaigns(aws: Aws) -> DynamoCampaigns:
    return DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)


def test_run_creates_a_run_that_the_launcher_takes_up(dangol: Dangol, campaigns: DynamoCampaigns) -> None:
    status, out, _ = dangol("run", "hello")
    (run,) = campaigns.open_runs()
    assert (status, run.campaign, run.state) == (0, "hello", RunState.LAUNCHING)
    assert out.startswith(f"{run.id} begins within a minute")


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
    assert dangol("status", "hello")[1] == "hello: active, 0 runs yet\n"
    campaigns.create(new_run("hello", NOON))
    batch = Batch("hello-20261124T0300Z", "hello", NOON, 0, "email", "p", ())
    campaigns.settle(batch, {"sent": 1200, "skipped no_consent": 34})
    assert dangol("status", "hello")[1] == (
        "hello: active, 1 runs\n  hello-20261124T0300Z  launching, 0 people: 1,200 sent, 34 skipped no_consent\n"
    )
    found = json.loads(dangol("status", "hello", "--json")[1])
    assert found["runs"][0]["counts"] == {"sent": 1200, "skipped no_consent": 34}


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
