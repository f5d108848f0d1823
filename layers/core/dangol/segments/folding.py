"""Text as it is compared: without difference of case, Korean letters put together."""

import unicodedata


def fold(text: str) -> str:
    """`text` as it is compared."""
    return unicodedata.normalize("NFC", text).lower()


def fold_sql(expression: str) -> str:
    """SQL: the same of a VARCHAR expression."""
    return f"lower(nfc_normalize({expression}))"
