"""Write the tables of docs/rules.md anew from the code.

python -m scripts.make_rules
"""

from pathlib import Path

from dangol.segments.language.reference import reference_markdown

PAGE = Path(__file__).resolve().parents[1] / "docs" / "rules.md"
BEGIN, END = "<!-- made by scripts/make_rules.py -->\n\n", "\n<!-- end of what it makes -->\n"


def made_anew(page: str) -> str:
    """The page with the tables as they follow from the code."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{reference_markdown()}{END}{rest.partition(END)[2]}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(made_anew(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
