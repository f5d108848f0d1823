"""`dangol inspect` as its user meets it."""

import json
from pathlib import Path
from typing import Any

import pytest
from dangol.cli.inspect import masked
from dangol.cli.main import main

from tests.builders import csv_of

EXPORTS = Path(__file__).resolve().parents[2] / "examples" / "exports"


def inspect_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status = main(["inspect", "--json", *arguments])
    return status, json.loads(capsys.readouterr().out)


def test_it_tells_which_export_a_file_is_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    status, facts = inspect_json(capsys, str(EXPORTS / "shopify.csv"))
    (file,) = facts["files"]
    assert status == 1
    assert (file["dialect"], file["told_by"]) == ("shopify", ["Financial Status", "Lineitem name"])
    assert (file["format"], file["encoding"], file["header_line"]) == ("csv", "utf-8", 1)
    assert file["columns"]["phone"] == ["Phone", "Billing Phone", "Shipping Phone"]
    assert "Lineitem taxable" in file["unused_headers"]
    assert file["absent_columns"] == []


def test_it_tells_the_totals_as_they_will_be(capsys: pytest.CaptureFixture[str]) -> None:
    _, facts = inspect_json(capsys, str(EXPORTS / "shopify.csv"))
    assert facts["rows"]["rows_read"] == 11
    # 131,000 + 36,000 + 25,000 + 130,000
    assert facts["totals"] == {
        "currency": "KRW",
        "orders": 6,
        "counted_orders": 4,
        "revenue": "322000.0000",
        "customers": 4,
        "first_day": "2026-10-07",
        "last_day": "2026-11-20",
        "statuses": {"paid": 3, "cancelled": 1, "partially_refunded": 1, "unpaid": 1},
    }


def test_it_shows_the_first_orders_and_rejects_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["inspect", str(EXPORTS / "shopify.csv")])
    shown = capsys.readouterr().out
    assert status == 1
    assert "read as     shopify (Shopify, orders_export.csv), for it has 'Financial Status', 'Lineitem name'" in shown
    assert "phone            Phone, else Billing Phone, else Shipping Phone" in shown
    assert "11 read = 8 accepted + 0 superseded + 3 rejected" in shown
    assert "revenue     322,000 KRW, net of refunds" in shown
    assert "#1001" in shown
    assert "line 10: Currency 'USD' is not the shop's currency KRW" in shown


def test_contacts_are_masked_unless_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", str(EXPORTS / "cafe24.csv")])
    assert not any(secret in capsys.readouterr().out for secret in ("@example.com", "1234-5678", "김지우"))
    main(["inspect", "--show-personal", str(EXPORTS / "cafe24.csv")])
    shown = capsys.readouterr().out
    assert all(open_ in shown for open_ in ("jiwoo@example.com", "010-1234-5678", "김지우"))


def test_a_rejected_contact_is_masked_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(csv_of("o1,kim@shop,2026-01-01,5", header="order_id,email,ordered_at,amount"))
    main(["inspect", str(path)])
    shown = capsys.readouterr().out
    assert "kim@shop" not in shown
    assert "email 'k***@s***' tells nobody" in shown


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("kim@shop.kr", "k***@s***"),
        ("010-1234-5678", "***78"),
        ("김철수", "김**"),
        ("x", "x"),
        ("", ""),
        (None, None),
    ],
)
def test_what_is_left_of_a_contact(contact: str | None, shown: str | None) -> None:
    assert masked(contact) == shown


def test_a_file_without_rejects_ends_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    status, facts = inspect_json(capsys, str(EXPORTS / "plain_korean.csv"))
    assert (status, facts["rejects"], facts["files"][0]["told_by"]) == (0, [], [])


def test_files_that_belong_together_are_one(capsys: pytest.CaptureFixture[str]) -> None:
    status, facts = inspect_json(capsys, *(str(path) for path in sorted(EXPORTS.glob("olist_*.csv"))))
    assert (status, [file["dialect"] for file in facts["files"]]) == (1, ["olist"])


def test_a_protected_workbook_opens_with_its_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(EXPORTS / "smartstore_protected.xlsx")
    assert main(["inspect", path]) == 2
    assert "--password-env NAME" in capsys.readouterr().err
    monkeypatch.setenv("SHEET_PASSWORD", "단골1234")
    status, facts = inspect_json(capsys, "--password-env", "SHEET_PASSWORD", path)
    assert (status, facts["totals"]["orders"]) == (1, 6)


def test_rates_and_dialects_of_the_configuration_are_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rates.yaml").write_text("rates: [{currency: USD, on: 2026-11-20, rate: 1400}]")
    _, facts = inspect_json(capsys, "--config", str(tmp_path), str(EXPORTS / "shopify.csv"))
    assert [reject["line"] for reject in facts["rejects"]] == [11, 12]
    (tmp_path / "rates.yaml").write_text("rates: [{currency: USD, on: 2026-11-20}]")
    assert main(["inspect", "--config", str(tmp_path), str(EXPORTS / "shopify.csv")]) == 2
    assert "rates.yaml, line 1: a rate needs rate" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["woocommerce_analytics.csv", "nothing.csv", "."])
def test_what_cannot_be_used_ends_with_two(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(EXPORTS / name)]) == 2
    assert capsys.readouterr().err.startswith("dangol: ")
