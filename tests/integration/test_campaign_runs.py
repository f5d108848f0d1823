"""Runs of campaigns, what waits, the calls and the pace of senders, and audiences, in DynamoDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dangol.aws import conditions
from dangol.aws.batch_queue import DynamoAudience
from dangol.aws.campaign_runs import DynamoCampaigns
from dangol.aws.quota import Rate, SesQuota
from dangol.aws.tables import DynamoServingTables
from dangol.moves.campaign.launch import new_run
from dangol.moves.campaign.messages import Batch, RunState
from dangol.moves.messages import Membership

from tests.integration.conftest import Aws
from tests.integration.services import RUN, Ses
from tests.senders import NOON


@pytest.fixture
def runs(aws: Aws) -> Any:
    return boto3.resource("dynamodb").Table(aws.runs)


def test_all_senders_together_keep_to_the_rate(runs: Any) -> None:
    rates = [Rate(runs, "email", 10) for _ in range(4)]
    late = NOON + timedelta(seconds=16)
    with ThreadPoolExecutor(4) as pool:
        grants = list(pool.map(lambda n: rates[n % 4].take(50, NOON, late), range(6)))
    granted = sorted(grant.start for grant in grants if grant.count)
    assert granted == [NOON + timedelta(seconds=5 * n) for n in range(4)]  # 50 at 10 a second take 5 s
    assert sum(grant.count for grant in grants) == 200
    assert rates[0].take(1, NOON + timedelta(minutes=1), late + timedelta(minutes=1)).start == NOON + timedelta(
        minutes=1
    )


def test_the_daily_quota_is_shared_and_never_exceeded(runs: Any) -> None:
    ses = Ses()
    ses.quota = {"Max24HourSend": 200.0, "MaxSendRate": 1000.0, "SentLast24Hours": 30.0}
    late = NOON + timedelta(minutes=5)
    with ThreadPoolExecutor(4) as pool:
        grants = list(pool.map(lambda n: SesQuota(runs, ses).take(50, NOON, late), range(8)))
    assert 120 <= sum(grant.count for grant in grants) <= 170
    while SesQuota(runs, ses).take(50, NOON, late).count:
        continue
    ses.quota["SentLast24Hours"] = 200.0
    assert SesQuota(runs, ses).take(50, NOON + timedelta(minutes=2), late).count == 0
    ses.quota["SentLast24Hours"] = 190.0
    assert SesQuota(runs, ses).take(50, NOON + timedelta(minutes=4), late).count == 10


def test_an_account_without_an_end_has_no_daily_quota(runs: Any) -> None:
    ses = Ses()
    ses.quota["Max24HourSend"] = -1.0
    assert SesQuota(runs, ses).take(50, NOON, NOON + timedelta(minutes=5)).count == 50


def test_runs_in_dynamodb_are_created_moved_counted_and_closed_once(aws: Aws) -> None:
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    run = new_run("hello", NOON)
    assert [campaigns.create(run), campaigns.create(run)] == [True, False]
    assert campaigns.open_runs() == [run]
    after = campaigns.find(run.id)
    assert after == run
    moved = run.__class__(**{**as_dict(run), "bucket": 3, "after": "c 7", "recipients": 9, "batches": 2})
    assert [campaigns.advance(run, moved), campaigns.advance(run, moved)] == [True, False]
    assert campaigns.find(run.id) == moved
    batch = Batch(run.id, "hello", NOON, 0, "email", "p", ("c1",))
    for _ in range(2):
        campaigns.settle(batch, {"sent": 3, "skipped no_consent": 1})
    counted = campaigns.find(run.id)
    assert counted is not None
    assert (counted.batches, counted.counts) == (1, {"sent": 3, "skipped no_consent": 1})
    assert [campaigns.cancel(run), campaigns.cancel(run)] == [True, False]
    campaigns.close(replace(run, state=RunState.REFUSED))  # by who read it before it was moved
    assert [found.state for found in campaigns.open_runs()] == [RunState.CANCELLED]
    campaigns.close(counted)
    assert campaigns.open_runs() == []
    assert [found.id for found in campaigns.recent("hello", 5)] == [run.id]


def test_a_run_of_which_all_is_worked_off_is_not_cancelled_any_more(aws: Aws) -> None:
    """A launcher may be telling its end at this moment."""
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    run = new_run("hello", NOON)
    campaigns.create(run)
    assert campaigns.advance(run, replace(run, state=RunState.SENDING, batches=1))
    campaigns.settle(Batch(run.id, "hello", NOON, 0, "email", "p", ("c1",)), {"sent": 1})
    assert not campaigns.cancel(run)
    found = campaigns.find(run.id)
    assert found is not None
    assert found.state is RunState.SENDING


class Meeting:
    """A client of DynamoDB of which each write meets a transaction on the same row for a few times."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self.times = times

    def transact_write_items(self, **call: Any) -> Any:
        return self._unless_met(self._client.transact_write_items, "TransactionCanceledException", call)

    def update_item(self, **call: Any) -> Any:
        return self._unless_met(self._client.update_item, "TransactionConflictException", call)

    def _unless_met(self, write: Any, code: str, call: dict[str, Any]) -> Any:
        self.times -= 1
        if self.times < 0:
            return write(**call)
        reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}] if "Cancel" in code else []
        answer: Any = {"Error": {"Code": code}, "CancellationReasons": reasons}
        raise ClientError(answer, "Write")


def test_senders_that_finish_batches_of_a_run_at_the_same_moment_both_count(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the second one's batch would come again half an hour later, and the run end so much later."""
    waits: list[float] = []
    monkeypatch.setattr(conditions.time, "sleep", waits.append)
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    run = new_run("hello", NOON)
    campaigns.create(run)
    table, client = campaigns._table, campaigns._client
    campaigns._table = Meeting(table, 2)
    assert campaigns.advance(run, replace(run, state=RunState.SENDING, batches=1))
    campaigns._client, campaigns._table = Meeting(client, 3), table
    campaigns.settle(Batch(run.id, "hello", NOON, 0, "email", "p", ("c1",)), {"sent": 1})
    found = campaigns.find(run.id)
    assert found is not None
    assert (found.batches, found.counts, len(waits)) == (0, {"sent": 1}, 5)
    campaigns._client = Meeting(client, 1000)
    with pytest.raises(ClientError):
        campaigns.settle(Batch(run.id, "hello", NOON, 0, "email", "q", ("c2",)), {"sent": 1})
    assert sum(waits) < 10  # seconds


def as_dict(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__slots__}


def test_batches_wait_for_their_minute(aws: Aws) -> None:
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    batch = Batch(RUN, "hello", NOON, 1, "push", "p", ("c1", "고객 2"), {"sent": 3})
    campaigns.wait([batch], NOON + timedelta(seconds=30))
    assert list(campaigns.due(NOON + timedelta(seconds=59))) == []
    ((_, found),) = campaigns.due(NOON + timedelta(minutes=1))
    assert found == batch
    other = replace(batch, customers=("c9",))
    campaigns.wait([other, other], NOON + timedelta(minutes=1))
    assert [found for _, found in campaigns.due(NOON + timedelta(minutes=1))] in ([batch, other], [other, batch])
    for key, _ in campaigns.due(NOON + timedelta(minutes=1)):
        campaigns.forget(key)
    assert list(campaigns.due(NOON + timedelta(days=1))) == []


def test_who_writes_first_about_a_call_decides_on_it(aws: Aws) -> None:
    campaigns = DynamoCampaigns(boto3.resource("dynamodb"), aws.runs)
    assert [campaigns.begin("a"), campaigns.give_up("a"), campaigns.begin("a")] == [True, False, True]
    assert [campaigns.give_up("b"), campaigns.begin("b"), campaigns.give_up("b")] == [True, False, True]


def test_an_audience_is_read_page_by_page(aws: Aws) -> None:
    tables = DynamoServingTables(boto3.resource("dynamodb"), aws.customers, aws.memberships)
    tables.put_memberships([Membership("loyal", f"c{n}", NOON.date()) for n in range(60)])
    audience = DynamoAudience(boto3.resource("dynamodb").Table(aws.memberships))
    found: list[str] = []
    for bucket in range(audience.buckets):
        after, more = None, True
        while more:
            page, more = audience.page("loyal", bucket, after, 2)
            found += page
            after = page[-1] if page else after
    assert sorted(found) == sorted(f"c{n}" for n in range(60))
