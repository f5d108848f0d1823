"""Scanning files of any kind: repeated headers, and files of which too much is bad to put it aside row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from dangol.engine import connect
from dangol.errors import UnreadableFile
from dangol.files import records
from dangol.files.export import MAX_TEXT_BYTES, Export
from dangol.files.rejects import MAX_REJECTS, Reject
from dangol.files.scanner import BadRow, Scanner
from dangol.shop import Shop


@dataclass(frozen=True)
class Figures:
    """Files of a name and a figure; a figure that is no number is bad, 'merged' is bad for another row's sake."""

    export: Export
    columns: Mapping[str, int] = field(default_factory=lambda: {"name": 0, "figure": 1})

    def typed(self) -> str:
        return f"SELECT c0 AS name, c1, try_cast(c1 AS INTEGER) AS figure FROM {records.source(self.export)}"

    def on(self, export: Export) -> "Figures":
        return replace(self, export=export)

    def reason(self, column: str, value: str) -> str:
        return f"no {column}"

    def first_blank(self, cells: Sequence[str]) -> str:
        return "figure"


BAD = """
    SELECT file, number, CASE WHEN c1 IS NULL THEN '' WHEN c1 <> 'merged' THEN 'figure' END AS "column"
    FROM scanned WHERE figure IS NULL ORDER BY file, number
"""


def scan(folder: Path, *contents: str) -> list[Reject]:
    """The rejects of files `0.csv`, …; raises what check_rejects does."""
    files = [(folder / f"{i}.csv", f"{i}.csv") for i in range(len(contents))]
    for (path, _), content in zip(files, contents, strict=True):
        path.write_text(content)
    with connect(Shop(), folder) as connection:
        scanner = Scanner(connection, folder, Figures, MAX_TEXT_BYTES)
        scanner.open(files)
        scanner.scan_into("scanned", "name, c1, figure", numbered=True)
        scanner.check_rejects(BAD)
        return scanner.rejects([BadRow(*row) for row in connection.execute(BAD).fetchall()])


def test_a_header_that_comes_again_is_rejected_as_such(tmp_path: Path) -> None:
    found = scan(tmp_path, "name,figure\na,1\nname,figure\nb,x\n name , figure\n")
    assert [(reject.line, reject.column, reject.reason) for reject in found] == [
        (3, "", "repeats the header, as where files were joined; nothing is lost, leave it out"),
        (4, "figure", "no figure"),
        (5, "", "repeats the header, as where files were joined; nothing is lost, leave it out"),
    ]


def test_as_many_bad_rows_as_are_allowed_are_put_aside(tmp_path: Path) -> None:
    found = scan(tmp_path, "name,figure\n" + "a,x\n" * (MAX_REJECTS - 1) + "a\n")
    assert len(found) == MAX_REJECTS


def test_with_one_more_the_file_says_how_many_what_for_and_where_first(tmp_path: Path) -> None:
    good, mostly = (
        "name,figure\na,1\nb,x\n",
        "name,figure\na,1\n\n\nb\n" + "a,merged\n" * 3 + "a,x\n" * (MAX_REJECTS - 3),
    )
    with pytest.raises(UnreadableFile) as error:
        scan(tmp_path, good, mostly)
    assert str(error.value) == (
        "1.csv, line 9, column 'figure': 300,001 rows cannot be used, more than the 300,000 that are put aside one "
        "by one, and none was taken; 299,997 of them as this one: no figure"
    )


def test_rows_spoiled_by_others_are_counted_too(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"line 2: 300,001 rows .* as this one: another row of this order"):
        scan(tmp_path, "name,figure\n" + "a,merged\n" * (MAX_REJECTS + 1))


def test_too_many_rows_that_cannot_be_split_are_counted_before_they_are_kept(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as error:
        scan(tmp_path, "name,figure\na,1\nb,1,2\n" + "c\n" * MAX_REJECTS)
    assert (error.value.line, error.value.column) == (4, None)
    assert error.value.reason.startswith("300,001 rows cannot be used")
    assert error.value.reason.endswith("as this one: has fewer columns than the header; complete the row")


def test_too_many_open_quotation_marks_are_counted_as_well(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"line 2: 300,00\d rows .* a quotation mark is not closed"):
        scan(tmp_path, "name,figure\n" + 'a,"1\n' * (MAX_REJECTS + 2))
