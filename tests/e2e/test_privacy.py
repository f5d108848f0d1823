"""Lists for ad platforms, and the erasure of a person, on the local AWS with each function's own role."""

from __future__ import annotations

import json
import tempfile
from hashlib import sha256
from typing import Any

import duckdb
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


ORDERS = "order_id,customer_id,ordered_at,amount,email,phone,customer_name\n" + (
    "o1,c1,2026-11-01,30000,kim.dangol@example.com,010-1234-5678,김단골\n"
    "o2,c1,어제,30000,kim.dangol@example.com,010-1234-5678,김단골\n"
    "o3,c2,2026-11-01,30000,lee@example.com,,이손님\n"
)
PERSONAL = ("kim.dangol@example.com", "010-1234-5678", "김단골")


def everything(shop: Shop) -> str:
    """All tables and every version of every object, Parquet as its cells, as one text."""
    texts = [repr(shop.rows(table)) for table in ("Customers", "Memberships", "Profiles", "Deliveries", "Runs")]
    s3 = shop.client("s3")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=shop.bucket)
    for version in [version for page in pages for version in page.get("Versions", [])]:
        key = {"Key": version["Key"], "VersionId": version["VersionId"]}
        body: bytes = s3.get_object(Bucket=shop.bucket, **key)["Body"].read()
        if version["Key"].endswith(".parquet"):
            with tempfile.NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as connection:
                file.write(body)
                file.flush()
                texts.append(repr(connection.execute(f"FROM read_parquet('{file.name}')").fetchall()))
        else:
            texts.append(body.decode("utf-8"))
    return "\n".join(texts)


def test_a_person_is_erased_everywhere_and_an_old_file_does_not_bring_them_back(shop: Shop) -> None:
    shop.drop("incoming/orders/a.csv", ORDERS)
    shop.receipt("incoming/orders/a.csv")
    wait_for("both are known", lambda: len(shop.rows("Profiles")) == 2)
    assert all(word in everything(shop) for word in (*PERSONAL, "'c1'"))

    found = invoke(shop, "ForgetFunction", customers=["c1"], look=True)
    assert (found["customers"], found["found"]["profiles"]) == (["c1"], 1)
    proof = invoke(shop, "ForgetFunction", customers=["c1"])
    assert (proof["done"], proof["clean"], proof["left"]) == (True, True, {})
    assert (proof["removed"]["dropped_files"], proof["removed"]["rejected_rows"]) == (1, 1)
    left = everything(shop)
    assert [word for word in (*PERSONAL, "'c1'") if word in left] == []
    assert "이손님" in left
    assert problems("runs-forget", shop.runs("forget")) == []

    shop.drop("incoming/orders/b.csv", ORDERS)
    receipt = shop.receipt("incoming/orders/b.csv")
    assert (receipt["rows_accepted"], receipt["rows_rejected"], problems("runs-file", [receipt])) == (1, 2, [])
    assert {row["customer_id"] for row in shop.rows("Customers")} == {"c2"}
    assert shop.waiting("RefreshDeadLetters") == 0
