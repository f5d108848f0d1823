"""What the columns and statuses of an order export mean.

A dialect is data: canonical column names with the headers they go by, and canonical statuses with
the words a platform uses for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dangol.files.columns import folded, match_columns

PAID, PARTIALLY_REFUNDED, UNPAID, CANCELLED, REFUNDED, MOVED = (
    "paid",
    "partially_refunded",
    "unpaid",
    "cancelled",
    "refunded",
    "moved",
)
COUNTED_STATUSES = (PAID, PARTIALLY_REFUNDED)
"""Orders that count, as long as they are not refunded in full (design §3, "counted order")."""

ITEM_COLUMNS = ("product_id", "product_name", "category", "quantity", "unit_price")
"""Columns that describe a line item rather than the order."""

CONTACT_COLUMNS = ("email", "phone", "customer_name")
"""Personal data: kept in the ledger, never in what other services read."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of export writes its columns and statuses."""

    name: str
    headers: Mapping[str, tuple[str, ...]]
    """Canonical column → the folded headers it goes by."""
    statuses: Mapping[str, tuple[str, ...]]
    """Canonical status → the folded words for it. A blank status is paid."""
    required: tuple[str, ...] = ("order_id", "customer_id", "ordered_at", "amount|line_amount")
    """Columns without which no order can be read."""

    def match(self, header: Sequence[str], file: str, line: int) -> dict[str, int]:
        """Canonical column → index in `header`. Raises UnreadableFile when a required one is missing."""
        return match_columns(self.headers, self.required, header, file, line)


PLAIN = Dialect(
    name="plain",
    headers=folded(
        order_id="주문번호|order number|order no",
        customer_id="고객번호|고객ID|회원번호|회원ID",
        ordered_at="주문일시|주문일|주문일자|order date|ordered on",
        amount="결제금액|주문금액|총 주문금액|총 결제금액|total",
        line_amount="상품금액|품목금액|line total",
        status="주문상태|결제상태|order status",
        currency="통화|화폐",
        refunded_amount="환불금액|refund amount|refunded",
        email="이메일|e-mail|메일",
        phone="휴대전화|전화번호|연락처|mobile",
        customer_name="고객명|주문자명|이름",
        product_id="상품번호|상품코드|sku",
        product_name="상품명|구매상품명|product",
        category="카테고리|분류",
        quantity="수량|qty",
        unit_price="판매가|단가|상품가격|price",
    ),
    statuses=folded(
        paid="결제완료|입금완료|배송준비중|배송중|배송완료|구매확정|completed|complete|processing|shipped|delivered|"
        "fulfilled",
        partially_refunded="부분환불|부분취소|partial refund",
        unpaid="미결제|입금대기|입금전|결제대기|pending|on hold|authorized|failed",
        cancelled="취소|취소완료|주문취소|canceled|voided|void",
        refunded="환불|환불완료|반품|반품완료|전액환불|returned|fully refunded",
    ),
)
