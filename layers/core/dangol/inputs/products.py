"""Products files: the catalogue, for categories, and for what messages may show."""

from dangol.inputs.table import DAY, FLAG, IDENTIFIER, NUMBER, TEXT, Column, Table

PRODUCTS = Table(
    name="products",
    columns=(
        Column("product_id", IDENTIFIER, "as in the order files", "상품번호|상품코드|sku|id|item id"),
        Column("product_name", TEXT, "what people call it", "상품명|product|name|title"),
        Column("category", TEXT, "what it is sold under", "카테고리|분류|product type"),
        Column("price", NUMBER, "in the shop's currency", "판매가|가격|단가|sale price"),
        Column("url", TEXT, "its page in the shop", "상품주소|링크|link|product url"),
        Column("image_url", TEXT, "a picture of it", "이미지|이미지주소|image|image link"),
        Column(
            "launched_on",
            DAY,
            "since when it is sold: new for a while",
            "출시일|등록일|판매시작일|launch date|created at",
        ),
        Column("limited", FLAG, "of which there are few", "한정|한정수량|리미티드|limited edition"),
        Column("in_stock", FLAG, "whether it can be bought now", "재고여부|판매가능|판매중|available"),
        Column("restocked_on", DAY, "when it last came back", "재입고일|재입고일자|restock date"),
    ),
    required=("product_id", "product_name"),
    identified=False,
    key=("product_id",),
)
