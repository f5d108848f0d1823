"""Which column of a file is which, by its header."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from dangol.errors import UnreadableFile


def fold(text: str) -> str:
    """Headers and words are compared without case, spaces, hyphens, underscores and apostrophes."""
    return "".join(ch for ch in text.strip().casefold() if ch not in " _-'\ufeff")


def folded(**words: str) -> dict[str, tuple[str, ...]]:
    """Canonical name → all the folded words for it, from `name="one|another"`."""
    return {name: tuple(fold(word) for word in (name, *line.split("|"))) for name, line in words.items()}


def match_columns(
    headers: Mapping[str, tuple[str, ...]], required: Sequence[str], header: Sequence[str], file: str, line: int
) -> dict[str, int]:
    """Canonical column → index in `header`, for the columns in `headers` (canonical → folded words).

    An entry of `required` may name several columns, 'amount|line_amount': one of them is enough. Raises
    UnreadableFile that names a missing required column and the nearest header.
    """
    names = [fold(name) for name in header]
    found = {
        column: names.index(alias)
        for column, aliases in headers.items()
        for alias in reversed(aliases)
        if alias in names
    }
    for entry in required:
        choices = entry.split("|")
        if not any(column in found for column in choices):
            others = [name for i, name in enumerate(header) if i not in found.values()]
            raise UnreadableFile(file, _missing(headers, choices, header, others), line, choices[0])
    return found


def _missing(
    headers: Mapping[str, tuple[str, ...]], choices: Sequence[str], header: Sequence[str], others: Sequence[str]
) -> str:
    """What to tell of a missing column; `others` are the headers that are no known column."""
    names = {fold(name): name for name in others}
    near = [m for alias in headers[choices[0]] for m in get_close_matches(alias, names, 1, 0.6)]
    hint = f"; is it '{names[near[0]]}'? Then rename that header" if near else ""
    also = f" (or {' or '.join(map(repr, choices[1:]))})" if len(choices) > 1 else ""
    return f"required column '{choices[0]}'{also} is missing; the header has {', '.join(header)}{hint}"
