"""People who agreed become lists for ad platforms, on the local AWS with each function's own role."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from dangol.configuration import to_json

from examples.sandbox.local_aws import wait_for
from tests.e2e.test_pipeline import Shop, shop
from tests.schemas import problems

__all__ = ["shop"]  # the fixture

SUBSCRIBERS = 101
PEOPLE = "customer_id,email,customer_name,accepts_ad_audiences\n" + "".join(
    f"s{n:03d},subscriber{n:03d}@example.com,김구독{n:03d},yes\n" for n in range(SUBSCRIBERS)
)
AUDIENCES = b"audiences:\n  - {id: subscribers, segment: never_purchased, platforms: [meta]}\n"


def invoke(shop: Shop, function: str, **event: Any) -> Any:
    """What a function answers when it is called."""
    answer = shop.client("lambda").invoke(FunctionName=shop.physical_id(function), Payload=json.dumps(event).encode())
    found = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    return found


def test_who_agreed_is_exported_and_who_withdraws_is_removed(shop: Shop) -> None:
    shop.drop("config/pushed/20261122T000000Z-1", to_json({"audiences.yaml": AUDIENCES}))
    wait_for("the configuration is live", lambda: shop.runs("configuration"))
    shop.drop("incoming/customers/people.csv", PEOPLE)
    assert shop.receipt("incoming/customers/people.csv")["rows_accepted"] == SUBSCRIBERS

    (facts,) = invoke(shop, "ExportAudiencesFunction")
    assert (facts["people"], facts["added"], facts["full"]) == (SUBSCRIBERS, SUBSCRIBERS, True)
    whole = shop.read("audiences/meta/subscribers/full.csv").splitlines()
    assert len(whole) == SUBSCRIBERS + 1
    hashed = sha256(b"subscriber007@example.com").hexdigest()
    assert hashed + "," * 14 in whole

    shop.drop("incoming/customers/later.csv", "customer_id,accepts_ad_audiences\ns007,no\n")
    shop.receipt("incoming/customers/later.csv")
    (facts,) = invoke(shop, "ExportAudiencesFunction")
    assert (facts["people"], facts["added"], facts["removed"]) == (SUBSCRIBERS - 1, 0, 1)
    removed = shop.read("audiences/meta/subscribers/changes/00000002-2026-11-22-removals.csv").splitlines()
    assert removed[1:] == [hashed + "," * 14]
    assert problems("runs-audience", shop.runs("audience")) == []
    seen = json.dumps([shop.kinds(), shop.rows("Runs")], ensure_ascii=False)
    assert [word for word in ("subscriber007", "김구독", hashed) if word in seen] == []
