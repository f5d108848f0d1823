"""What campaigns and a month will cost: units, prices, and the words that tell it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dangol.cli.main import main
from dangol.configuration import load_configuration
from dangol.costs import usage
from dangol.costs.prediction import Audience, Prediction, predict
from dangol.costs.prices import UNITS, Prices, default_prices, load_prices
from dangol.costs.usage import Messages, Shop, usage_of_messages, usage_of_month
from dangol.errors import DangolError, InvalidConfiguration, InvalidFiles
from dangol.reports.costs import usd

from scripts.make_costs import made_anew
from tests.messages import CONFIG, shipped
from tests.senders import hello

ROOT = Path(__file__).resolve().parents[2]
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HUNDRED = Audience(100, {"email": 80, "push": 50})
OURS = default_prices().of()


def test_a_thousand_emails_take_what_was_measured() -> None:
    found = usage_of_messages([Messages("email", 1_000, 1_000)])
    opened = 1_000 * usage.OPENED * usage.WRITES_OPENED
    assert found == {
        "emails": 1_000,
        "notifications": 4_000,
        "queue_requests": 6_000,
        "dynamodb_writes": pytest.approx(2_024 + opened),  # benchmarks.campaigns
        "dynamodb_reads": 4_500,
        "lambda_gb_seconds": 20,
    }


def test_who_is_skipped_takes_a_record_and_a_push_no_email() -> None:
    found = usage_of_messages([Messages("push", 100, 0), Messages("push", 10, 10)])
    assert found["dynamodb_writes"] == pytest.approx(100 + 20.24)
    assert (found["notifications"], found["dynamodb_reads"]) == (10, 110 * 3.5)
    assert "emails" not in found


def test_a_bill_multiplies_by_the_price_of_as_many() -> None:
    prices = Prices("here", dict.fromkeys(UNITS, 2.0))
    lines = prices.bill({"emails": 5_000, "alarms": 3, "events": 500_000})
    assert [(line.what, line.usd) for line in lines] == [("emails", 10.0), ("alarms", 6.0), ("events", 1.0)]
    assert prices.total({"emails": 5_000, "alarms": 3, "events": 500_000}) == 17.0


def predicted(campaign: str = "vip_thanks", audience: Audience = HUNDRED, holdout: float = 0.0) -> Prediction:
    return predict(shipped(campaign), audience, holdout, MONDAY)


def test_a_run_reaches_who_agreed_but_for_the_holdouts() -> None:
    one = predicted("big_spender_preview", holdout=0.5)
    assert one.people == 100
    assert one.a_run == {"push": pytest.approx(50 * 0.9 * 0.5), "email": pytest.approx(80 * 0.9 * 0.5)}
    assert one.run_usage["emails"] == pytest.approx(36)
    assert one.run_usage["dynamodb_reads"] == pytest.approx(
        200 * 3.5 + 36
    )  # everybody on each channel, also when it is measured, and each e-mail once more


def test_every_step_counts_and_a_transactional_message_goes_to_everybody() -> None:
    assert predicted("at_risk_comeback").a_run == {"push": pytest.approx(85), "email": pytest.approx(136)}
    assert predict(hello(purpose="transactional"), HUNDRED, 0.5, MONDAY).a_run == {"email": 100, "push": 100}


def test_a_month_has_as_many_runs_as_the_schedule_is_due() -> None:
    runs = {"big_spender_preview": 5, "potential_loyal_reminder": 9, "big_spender_invitation": 1, "new_welcome": 30}
    assert {campaign: predicted(campaign).runs for campaign in runs} == runs
    weekly = predicted("big_spender_preview")
    assert weekly.month_usage["emails"] == pytest.approx(5 * weekly.run_usage["emails"])


def test_a_person_gets_a_campaign_once_within_again_after() -> None:
    daily = predicted("new_welcome")  # each day, and not again for ten years
    assert daily.share == pytest.approx(1 / 30)
    assert daily.month_usage["emails"] == pytest.approx(72)
    assert daily.month_usage["dynamodb_reads"] == pytest.approx(30 * 200 * 3.5 + 72)
    monthly = predict(hello(more="again_after: 10 days"), HUNDRED, 0.0, MONDAY)
    assert monthly.share == pytest.approx(3 / 30)


def test_a_month_of_a_shop_grows_with_orders_files_and_shards() -> None:
    none, some = usage_of_month(Shop(0, 0, 0, 1, 0)), usage_of_month(Shop(1_000, 0, 0, 1, 0))
    assert some["dynamodb_writes"] == 7_000
    assert some["events"] == 4_000
    assert "dynamodb_writes" not in none
    assert usage_of_month(Shop(0, 0, 0, 4, 30))["transitions"] == 4 * 30 * 4
    assert usage_of_month(Shop(0, 0, 0, 4, 30))["s3_writes"] - none["s3_writes"] == 240 + (240 - 30) * 12


def test_shards_are_read_to_measure_where_there_are_campaigns() -> None:
    none, some = (usage_of_month(Shop(0, 0, 0, 4, 0), campaigns) for campaigns in (0, 1))
    assert some["lambda_gb_seconds"] - none["lambda_gb_seconds"] == pytest.approx(4 * 30 * 0.2 * 2.94)
    assert (some["s3_reads"] - none["s3_reads"], some["s3_writes"] - none["s3_writes"]) == (480, 240)


def test_the_standing_costs_count_what_the_template_has() -> None:
    template = (ROOT / "template.yaml").read_text("utf-8")
    counted = {
        "AWS::CloudWatch::Alarm": usage.ALARMS,
        "AWS::CloudWatch::Dashboard": usage.DASHBOARDS,
        "AWS::SecretsManager::Secret": usage.SECRETS,
    }
    assert {kind: len(re.findall(rf"Type: {kind}$", template, re.MULTILINE)) for kind in counted} == counted
    assert len(re.findall(r"^          Type: SQS$", template, re.MULTILINE)) == usage.POLLED_QUEUES


def test_the_guide_tells_what_is_computed() -> None:
    guide = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert made_anew(guide) == guide, "write it anew: python -m scripts.make_costs"
    standing, thousand = usage_of_month(Shop(0, 0, 0, 16)), usage_of_messages([Messages("email", 1_000, 1_000)])
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"about {OURS.total(standing):.0f} USD a month" in readme
    assert f"a thousand e-mails\nare {usd(OURS.total(thousand))} USD" in readme


def test_both_regions_have_every_price_and_another_is_told() -> None:
    assert {name: set(prices.usd) for name, prices in default_prices().regions.items()} == {
        "us-east-1": set(UNITS),
        "ap-northeast-2": set(UNITS),
    }
    with pytest.raises(DangolError, match=r"no prices of region 'ap-northeast-1'; did you mean 'ap-northeast-2'\?"):
        default_prices().of("ap-northeast-1")


def test_prices_with_a_mistake_are_refused_with_the_line() -> None:
    text = (CONFIG / "prices.yaml").read_text("utf-8")
    wrong = text.replace("region: us-east-1", "region: us-east-2", 1).replace("emails: 0.10 ", "emails: cheap ", 1)
    with pytest.raises(InvalidConfiguration) as refused:
        load_prices(wrong.replace("secrets: 0.40  ", "secret: 0.40  ", 1).encode(), "prices.yaml")
    lines = {line.partition(",")[2].strip() for line in str(refused.value).splitlines()}
    assert {
        "line 4: unknown region 'us-east-2'; did you mean 'us-east-1'?",
        "line 11: 'emails' must be a number from 0 to 10000",
        "line 24: unknown key 'secret' of 'us-east-1'; did you mean 'secrets'?",
        "line 8: 'us-east-1' needs 'secrets'",
    } <= lines


def test_a_shop_has_prices_of_its_own() -> None:
    text = (CONFIG / "prices.yaml").read_bytes()
    own = load_configuration({"prices.yaml": text.replace(b"region: us-east-1 ", b"region: ap-northeast-2 ")})
    assert own.prices.of().usd["s3_storage"] == 0.025
    assert load_configuration({}).prices.of().region == "us-east-1"
    with pytest.raises(InvalidFiles, match=r"config/prices.yaml, line 1: the file needs 'region'"):
        load_configuration({"prices.yaml": b"regions: {}"})


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    orders = "".join(f"o{n},c{n},2026-11-20 10:00,30000\n" for n in range(20))
    people = "".join(f"c{n},c{n}@b.kr,{'yes' if n < 8 else 'no'}\n" for n in range(20))
    (tmp_path / "orders.csv").write_text("order_id,customer_id,ordered_at,amount\n" + orders, "utf-8")
    (tmp_path / "people.csv").write_text("customer_id,email,accepts_email\n" + people, "utf-8")
    return [str(tmp_path / "orders.csv"), "--customers", str(tmp_path / "people.csv"), "--as-of", "2026-11-22"]


def test_the_command_predicts_campaigns_and_the_shop(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaigns", "cost", *files]) == 0
    out = capsys.readouterr().out
    assert out.startswith("A prediction of a month, in US dollars at the prices of us-east-1.\n")
    # 20 new customers, 8 of them by e-mail and, as nobody told of pushes, 20 by push; a holdout of a tenth.
    assert re.search(r"^new_welcome +20 +7 email, 18 push +< 0.01 +30 ", out, re.MULTILINE)
    assert "The shop beside its campaigns (7 orders and 30 files a month, 20 customers, 16 shards): 7." in out
    assert "- free tiers, taxes, logs and traces are not counted" in out


def test_the_command_is_about_one_campaign_for_programs(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    seoul = ["--campaign", "new_welcome", "--region", "ap-northeast-2", "--json"]
    assert main(["campaigns", "cost", *files, *seoul]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["region"], found["shop_usd_a_month"]) == ("ap-northeast-2", 0)
    (one,) = found["campaigns"]
    assert (one["messages_a_run"], one["people"], one["runs_a_month"]) == ({"email": 7, "push": 18}, 20, 30)
    assert sum(line["usd"] for line in found["lines"]) == pytest.approx(found["usd_a_month"], abs=0.001)
    assert main(["campaigns", "cost", *files, "--campaign", "vip_thank"]) == 2
    assert "no campaign 'vip_thank'; did you mean 'vip_thanks'?" in capsys.readouterr().err


def test_a_folder_without_campaigns_predicts_the_shop_alone(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "segments.yaml").write_text('rfm:\n  - {id: loyal, where: "recency_days <= 7"}\n', "utf-8")
    assert main(["campaigns", "cost", *files, "--config", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "runs a month" not in out
    assert "The shop beside its campaigns" in out
