"""Write the tables of docs/order-files.md anew from the descriptions of the dialects.

python -m scripts.make_dialects
"""

from collections.abc import Iterator
from pathlib import Path

from dangol.orders.describe import builtin_dialects, plain
from dangol.orders.dialect import COLUMNS, Dialect

PAGE = Path(__file__).resolve().parents[1] / "docs" / "order-files.md"
BEGIN, END = "<!-- made by scripts/make_dialects.py -->\n\n", "\n<!-- end of what it makes -->\n"


def made_anew(page: str) -> str:
    """The page with the tables as they follow from the descriptions."""
    before, _, rest = page.partition(BEGIN)
    tables = "\n\n".join(mapping(dialect) for dialect in (plain(), *builtin_dialects()))
    return f"{before}{BEGIN}{tables}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(made_anew(PAGE.read_text("utf-8")), "utf-8")


def mapping(dialect: Dialect) -> str:
    """A section: what tells the dialect, its columns, its statuses and its rules."""
    return "\n".join(_section(dialect))


def _section(dialect: Dialect) -> Iterator[str]:
    yield f"### {dialect.title}"
    yield ""
    yield _told(dialect)
    if dialect.refuse:
        yield ""
        yield f"Refused: such a file {dialect.refuse}."
        return
    yield from ("", "| column | headers | holds |", "|---|---|---|")
    for column, choices in dialect.columns.items():
        headers = ", else ".join(" or ".join(f"`{_cell(alias)}`" for alias in aliases) for aliases in choices)
        yield f"| `{column}` | {headers} | {COLUMNS[column]} |"
    if dialect.multiplied:
        yield f"| `line_amount` | `quantity` × `unit_price` | {COLUMNS['line_amount']} |"
    if dialect.statuses:
        yield from ("", "| status | words |", "|---|---|")
        for status, words in dialect.statuses.items():
            yield f"| `{status}` | {', '.join(words)} |"
    if rules := " ".join(_rules(dialect)):
        yield from ("", rules)


def _told(dialect: Dialect) -> str:
    if not dialect.all_of:
        return f"`{dialect.name}`: what a file is that no other dialect's headers tell."
    told = f"`{dialect.name}`: told by {_list(dialect.all_of, 'and')}"
    return f"{told}, with at least one of {_list(dialect.any_of, 'or')}." if dialect.any_of else f"{told}."


def _rules(dialect: Dialect) -> Iterator[str]:
    if dialect.row_is_line:
        yield "Each row is a line item."
    if dialect.status_of_line:
        yield "The status is the line's: an order lives as long as one of its lines does."
    if dialect.cancellations:
        yield f"Numbers that begin with `{dialect.cancellations}` take orders back."
    if dialect.date_order:
        order = "month" if dialect.date_order == "mdy" else "day"
        yield f"Dates like 3/4/2026 begin with the {order} unless the file shows otherwise."
    if dialect.ignored_suffixes:
        yield f"Ignored behind a header: {_list(dialect.ignored_suffixes, 'and')}."


def _list(names: tuple[str, ...], last: str) -> str:
    quoted = [f"`{_cell(name)}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
