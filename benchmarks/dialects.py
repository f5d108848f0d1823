"""Every dialect against the plain file: `dangol segment` on as many lines of each, in turns with the plain one.

A platform's order has two lines on average, as many as its export writes; UCI's have eight. Contacts, not ids, tell
the customers of most. The last lines say whether each dialect keeps within its bar; the exit status is 1 if one does
not.

    python -m benchmarks.dialects [--rows 1_000_000] [--runs 3] [--data build/bench] [DIALECT …]
"""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.files import LAST_DAY, add_data_option, order_file
from benchmarks.timing import Ratios, in_turns, progress, wall

BAR = 2.0  # times the plain file with as many lines
DANGOL = f"{shlex.quote(sys.executable)} -m dangol segment"

# A line i of the order o; hashes stand in for random numbers. Each column is SQL over `lines`.
LINES = """
    lines AS (
        SELECT i, o, i = min(i) OVER (PARTITION BY o) AS first, count(*) OVER (PARTITION BY o) AS items,
            floor($rows / 20 * pow(hash(4 * o) / 18446744073709551616.0, 2.2))::INTEGER AS customer,
            100 * (50 + hash(4 * i + 1) % 900) AS price, 1 + hash(i) % 3 AS quantity, hash(4 * i + 2) % 360 AS product,
            DATE '{last_day}' - INTERVAL 364 DAY + to_seconds(floor(o * 31536000.0 / {orders})::BIGINT) AS moment
        FROM (SELECT range AS i, range // {per_order} AS o FROM range($rows))
    )
"""
FIRST = "CASE WHEN first THEN {} END"

SHOPIFY_BLANK = (
    "Fulfillment Status|Accepts Marketing|Subtotal|Shipping|Taxes|Shipping Method|Lineitem compare at price|"
    "Lineitem requires shipping|Lineitem taxable|Lineitem fulfillment status|Billing Name|Billing Street|Billing City|"
    "Billing Zip|Billing Country|Billing Phone|Shipping Name|Shipping Street|Shipping City|Shipping Zip|"
    "Shipping Country|Shipping Phone|Notes|Note Attributes|Cancelled at|Payment Method|Payment Reference|Vendor|Id|"
    "Tags|Risk Level|Source|Lineitem discount|Phone"
)
DIALECTS = {
    "shopify": (
        2,
        {
            "Name": "'#' || (1000 + o)",
            "Email": "format('Kim.{}@example.com', customer)",
            "Financial Status": FIRST.format("CASE WHEN hash(o) % 50 = 0 THEN 'refunded' ELSE 'paid' END"),
            "Currency": FIRST.format("'KRW'"),
            "Total": FIRST.format("items * price"),
            "Refunded Amount": FIRST.format("0"),
            "Discount Code": "NULL",
            "Created at": FIRST.format("strftime(moment, '%Y-%m-%d %H:%M:%S +0900')"),
            "Lineitem quantity": "quantity",
            "Lineitem name": "'Cashmere knit cardigan ' || product",
            "Lineitem price": "price",
            "Lineitem sku": "format('P{:05d}', product)",
            **dict.fromkeys(SHOPIFY_BLANK.split("|"), "NULL"),
        },
    ),
    "woocommerce": (
        2,
        {
            "Order Number": "o",
            "Order Status": "CASE WHEN hash(o) % 50 = 0 THEN 'On hold' ELSE 'Completed' END",
            "Order Date": "strftime(moment, '%Y-%m-%d %H:%M:%S')",
            "First Name (Billing)": "'Kim'",
            "Email (Billing)": "format('kim.{}@example.com', customer)",
            "Phone (Billing)": "format('010-{:04d}-{:04d}', customer % 9999, 1 + customer % 9998)",
            "Order Refund Amount": "0",
            "Order Total Amount": "1000 * (5 + hash(o) % 90)",
            "SKU": "format('P{:05d}', product)",
            "Item Name": "'Cashmere knit cardigan ' || product",
            "Quantity": "quantity",
            "Item Cost": "price",
            "Coupon Code": "NULL",
        },
    ),
    "magento": (
        1,
        {
            "ID": "format('{:09d}', o)",
            "Purchase Point": "'Main Website'",
            "Purchase Date": "strftime(moment, '%Y-%m-%d %H:%M:%S')",
            "Bill-to Name": "'Kim ' || customer",
            "Grand Total (Base)": "format('{:.4f}', price::DOUBLE)",
            "Grand Total (Purchased)": "format('{:.4f}', price::DOUBLE)",
            "Status": "CASE WHEN hash(o) % 50 = 0 THEN 'Canceled' ELSE 'Complete' END",
            "Customer Email": "format('kim.{}@example.com', customer)",
            "Customer Group": "'General'",
            "Payment Method": "'card'",
            "Total Refunded": "NULL",
        },
    ),
    "cafe24": (
        2,
        {
            "주문번호": "strftime(moment, '%Y%m%d-') || format('{:07d}', o)",
            "품목별 주문번호": "strftime(moment, '%Y%m%d-') || format('{:07d}-{:02d}', o, i % 2)",
            "주문일시": "strftime(moment, '%Y-%m-%d %H:%M:%S')",
            "결제일시(입금확인일)": "strftime(moment, '%Y-%m-%d %H:%M:%S')",
            "주문자명": "'김단골'",
            "주문자ID": "CASE WHEN customer % 4 > 0 THEN 'dangol' || customer END",
            "주문자 이메일": "format('kim.{}@example.com', customer)",
            "주문자 휴대전화": "format('010-{:04d}-{:04d}', customer % 9999, 1 + customer % 9998)",
            "주문상품명(옵션포함)": "'캐시미어 니트 가디건 ' || product",
            "상품번호": "product",
            "수량": "quantity",
            "판매가": "format('{:,}', price)",
            "상품구매금액(KRW)": "format('{:,}', price)",
            "총 실결제금액(최초정보) (KRW)": "format('{:,}', 1000 * (5 + hash(o) % 90))",
            "실제 환불금액": "0",
            "주문 상태": "CASE WHEN hash(i) % 50 = 0 THEN '취소 완료' ELSE '배송 완료' END",
        },
    ),
    "smartstore": (
        2,
        {
            "상품주문번호": "2026000000000000 + i",
            "주문번호": "2026000000000000 + o",
            "구매자명": "'김단골'",
            "구매자ID": "'dangol' || customer",
            "주문상태": "CASE WHEN hash(i) % 50 = 0 THEN '취소완료' ELSE '구매확정' END",
            "상품번호": "product",
            "상품명": "'캐시미어 니트 가디건 ' || product",
            "수량": "quantity",
            "상품가격": "price",
            "상품별 할인액": "0",
            "최종 상품별 총 주문금액": "price * quantity",
            "배송비 묶음번호": "o",
            "배송비 합계": "3000",
            "구매자연락처": "format('010-{:04d}-{:04d}', customer % 9999, 1 + customer % 9998)",
            "주문일시": "strftime(moment, '%Y-%m-%d %H:%M:%S')",
            "클레임상태": "NULL",
        },
    ),
    "uci": (
        8,
        {
            "Invoice": "CASE WHEN hash(o) % 50 = 0 THEN 'C' ELSE '' END || (489434 + o)",
            "StockCode": "85048 + product",
            "Description": "'CASHMERE KNIT CARDIGAN'",
            "Quantity": "CASE WHEN hash(o) % 50 = 0 THEN -1 ELSE 1 END * quantity::INTEGER",
            "InvoiceDate": "strftime(moment, '%-m/%-d/%y %-H:%M')",
            "Price": "price / 100",
            "Customer ID": "(12000 + customer) || '.0'",
            "Country": "'United Kingdom'",
        },
    ),
}


def files_of(dialect: str, data: Path, rows: int) -> list[Path]:
    """The files of so many lines, written if they are not there yet; by another process, as order_file says."""
    paths = [data / f"{dialect}_{rows}.csv"]
    if not all(path.exists() for path in paths):
        command = [
            sys.executable,
            "-m",
            "benchmarks.dialects",
            "--write",
            dialect,
            "--rows",
            str(rows),
            "--data",
            str(data),
        ]
        subprocess.run(command, check=True)
    return paths


def write(dialect: str, data: Path, rows: int) -> None:
    import duckdb

    per_order, columns = DIALECTS[dialect]
    lines = LINES.format(last_day=LAST_DAY.isoformat(), orders=max(1, rows // per_order), per_order=per_order)
    cells = ", ".join(f'{sql} AS "{name}"' for name, sql in columns.items())
    target = data / f"{dialect}_{rows}.csv"
    query = f"COPY (WITH {lines} SELECT {cells} FROM lines ORDER BY i) TO '{target}.part' (HEADER)"
    duckdb.execute(query, {"rows": rows})
    Path(f"{target}.part").rename(target)


def measure(dialect: str, *, data: Path, rows: int, runs: int) -> Ratios:
    files = {"plain": [order_file(data, rows)], dialect: files_of(dialect, data, rows)}
    commands = {}
    for name, paths in files.items():
        out = data / "out" / name
        shutil.rmtree(out, ignore_errors=True)
        given = [str(path) for path in paths]
        commands[name] = [*shlex.split(DANGOL), *given, "--as-of", LAST_DAY.isoformat(), "--out", str(out), "--quiet"]
    results = in_turns(commands, runs=runs)
    ratios = Ratios.of(results[dialect], results["plain"])
    print(f"{dialect:>12} {wall(results['plain']):6.2f} s {wall(results[dialect]):6.2f} s   {ratios}")
    return ratios


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure every dialect against the plain file.")
    parser.add_argument("dialects", metavar="DIALECT", nargs="*", help=f"of {', '.join(DIALECTS)} (default: all)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="lines of each file (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="turns that count, after a warm-up (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="only write the files")
    add_data_option(parser)
    given = parser.parse_args()
    if given.write:
        given.data.mkdir(parents=True, exist_ok=True)
        for dialect in given.dialects:
            write(dialect, given.data, given.rows)
        return 0
    chosen = given.dialects or list(DIALECTS)
    progress(f"{given.rows:,} lines")
    measured = {
        dialect: measure(dialect, data=given.data, rows=given.rows, runs=given.runs).median for dialect in chosen
    }
    for dialect, times in measured.items():
        print(f"{'PASS' if times <= BAR else 'OVER'}  {dialect}: {times:.2f} times the plain file (bar {BAR})")
    return 0 if all(times <= BAR for times in measured.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
