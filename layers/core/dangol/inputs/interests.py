"""Interests files: what people put into the cart or on the wish list, and what they looked at.

A row is something that happened. A product is in the cart from its last row of kind 'cart' until a row says
`removed`, or until the person buys it.
"""

from dangol.inputs.table import FLAG, IDENTIFIER, MOMENT, PERSON, PERSON_COLUMNS, TEXT, WORD, Column, Table

INTERESTS = Table(
    name="interests",
    columns=(
        *PERSON_COLUMNS,
        Column(
            "kind",
            WORD,
            "cart, wishlist or view",
            "종류|구분|유형|type|event",
            {
                "cart": "장바구니|담기|add to cart|basket",
                "wishlist": "찜|위시리스트|관심상품|좋아요|wish|like|favorite",
                "view": "조회|열람|상품조회|viewed|product view|page view",
            },
        ),
        Column("product_id", IDENTIFIER, "as in the order files", "상품번호|상품코드|sku|item id"),
        Column("product_name", TEXT, "what people call it", "상품명|product"),
        Column("category", TEXT, "what it is sold under", "카테고리|분류"),
        Column("happened_at", MOMENT, "when", "일시|날짜|등록일시|담은일시|date|time|timestamp"),
        Column("removed", FLAG, "whether it was taken out again", "삭제|삭제여부|제거"),
    ),
    required=(PERSON, "kind", "product_id|product_name", "happened_at"),
    identified=True,
    key=("customer_id", "kind", "product_id", "product_name", "happened_at", "removed"),
)
