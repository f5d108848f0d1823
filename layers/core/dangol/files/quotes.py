"""Quotation marks that are not in order, found and left out before they cost more than their own row.

DuckDB takes all lines from an open quotation mark up to the next one for one broken record: a typing error
at the beginning of a file would cost the rest of it, and nobody would be told of the rows.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from dangol.files.export import Export

_TO_OPENING_MARK = re.compile(rb' *"')
_TO_CLOSING_MARK = re.compile(rb'[^"]*+(?:""[^"]*+)*+" *')


def further_lines(file: BinaryIO, first: bytes, delimiter: bytes) -> bytes:
    """The lines after `first`, which is just read, that belong to its record; none when a mark is never closed."""
    opened, _ = _quotation(first, delimiter)
    return (_rest(file, delimiter) or (b"", False))[0] if opened else b""


def without_misquoted(export: Export, folder: Path) -> tuple[Export, list[tuple[int, bytes]]]:
    """The same export with some records left blank, and those as (line, bytes).

    Left out are records with text behind a closing mark or with an open mark; the latter costs its own line
    only. Records all end alike afterwards: DuckDB takes a mark before another kind of line end for an open
    one.
    """
    delimiter = export.delimiter.encode()
    target = folder / f"{export.path.name}.quotes"
    left_out = []
    with export.path.open("rb") as file, target.open("wb") as out:
        for _ in range(export.header_lines):
            out.write(_ended(file.readline()))
        line = export.first_line
        while raw := file.readline():
            opened, sound = _quotation(raw, delimiter)
            if opened:
                rest = _rest(file, delimiter)
                sound = sound and rest is not None and rest[1]
                raw += rest[0] if rest else b""
            if not sound:
                left_out.append((line, raw))
            # Left blank with as many lines as it had, so that those after it keep their numbers.
            lines = export.lines_of(raw)
            out.write(_ended(raw) if sound else b"\n" * lines)
            line += lines
    return replace(export, path=target), left_out


def _ended(record: bytes) -> bytes:
    return record.rstrip(b"\r\n") + b"\n"


def _rest(file: BinaryIO, delimiter: bytes) -> tuple[bytes, bool] | None:
    """The further lines of a record with an open mark, and whether they are sound.

    None, and nothing read, when the mark is not closed before another one opens or the file ends.
    """
    start, sound = file.tell(), True
    # Looked through before it is kept: without a further mark that may be all the rest of the file.
    while line := file.readline():
        opened, sound_here = _quotation(line, delimiter, inside=True)
        if sound_here is None:
            break
        sound = sound and sound_here
        if not opened:
            size = file.tell() - start
            file.seek(start)
            return file.read(size), sound
    file.seek(start)
    return None


def _quotation(line: bytes, delimiter: bytes, inside: bool = False) -> tuple[bool, bool | None]:
    """Whether a line that is entered `inside` quotation or not leaves it open, and whether it is sound.

    Not sound: text between a closing mark and the delimiter. None: such text follows the mark that was open
    from the line before, which therefore was not meant to go on in this line.
    """
    if b'"' not in line:
        return inside, True
    position, sound, entered_inside = 0, True, inside
    while True:
        if not inside and (opening := _TO_OPENING_MARK.match(line, position)):
            inside, position = True, opening.end()
        if inside:
            closing = _TO_CLOSING_MARK.match(line, position)
            if closing is None:
                return True, sound
            inside, position = False, closing.end()
            rest = line[position : position + 2]
            if rest.rstrip(b"\r\n") and not rest.startswith(delimiter):
                if entered_inside:
                    return False, None
                sound = False
            entered_inside = False
        position = line.find(delimiter, position) + 1
        if not position:
            return False, sound
