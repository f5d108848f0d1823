"""Bytes as they were dropped to plain UTF-8 text: unpacked, decoded, line ends made one kind, up to a size limit."""

import codecs
import gzip
import shutil
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from dangol.errors import UnreadableFile

SNIFFED_BYTES = 64 * 1024
"""All that is ever looked at to find out how a file is written."""
NO_TEXT = "is not text in UTF-8, UTF-16 or CP949; save it as CSV (UTF-8)"
_CHUNK = 4 * 1024 * 1024


def head_of(path: Path) -> bytes:
    """The first SNIFFED_BYTES of a file."""
    with path.open("rb") as file:
        return file.read(SNIFFED_BYTES)


def write_bounded(chunks: Iterable[bytes], target: Path, name: str, max_bytes: int) -> Path:
    """Write `chunks` to `target`, at most `max_bytes`: a bomb ends here, with UnreadableFile about `name`."""
    written = 0
    with target.open("wb") as out:
        for chunk in chunks:
            written += len(chunk)
            if written > max_bytes:
                raise UnreadableFile(name, f"unpacks to more than {max_bytes:,} bytes; split it and drop the parts")
            out.write(chunk)
    return target


def decompressed(path: Path, name: str, folder: Path, max_bytes: int) -> Path:
    """The file itself, or what is in it when it is gzip. Raises UnreadableFile beyond `max_bytes`."""
    with path.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            if path.stat().st_size > max_bytes:
                raise UnreadableFile(name, f"is larger than {max_bytes:,} bytes; split it and drop the parts")
            return path
    try:
        with gzip.open(path, "rb") as packed:
            chunks = iter(lambda: packed.read(_CHUNK), b"")
            return write_bounded(chunks, folder / f"{path.name}.text", name, max_bytes)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(name, f"gzip data is cut off or damaged ({error}); upload it again") from error


def encoding_of(head: bytes, name: str) -> str:
    """What text that begins with `head` is written in: utf-8, utf-16 or cp949 (what Korean Excel writes)."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp949"):
        if _decodes(head, encoding):
            return encoding
    # Some bytes fit neither: if the header does, the rows that do not are rejected one by one.
    if _decodes(head.split(b"\n", 1)[0], "utf-8"):
        return "utf-8"
    raise UnreadableFile(name, NO_TEXT)


def _decodes(data: bytes, encoding: str) -> bool:
    """Whether all of `data` is text in `encoding`; a character cut off at the end is fine."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def transcoded(path: Path, name: str, encoding: str, folder: Path, max_bytes: int) -> Path:
    """A copy in UTF-8; what is not text in `encoding` is U+FFFD in it."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as source:
            while data := source.read(_CHUNK):
                yield decoder.decode(data).encode()
        yield decoder.decode(b"", final=True).encode()

    return write_bounded(chunks(), folder / f"{path.name}.utf8", name, max_bytes)


def with_plain_newlines(path: Path, folder: Path) -> Path:
    """A copy with one kind of line end, of a file that mixes those of Windows, Unix and old Macs."""
    target = folder / f"{path.name}.lines"
    with (
        path.open(encoding="utf-8", errors="surrogateescape", newline=None) as source,
        target.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as out,
    ):
        shutil.copyfileobj(source, out, _CHUNK)
    return target


def without_beginning(path: Path, size: int, folder: Path) -> Path:
    """A copy that lacks the first `size` bytes: what stands before the header."""
    target = folder / f"{path.name}.table"
    with path.open("rb") as source, target.open("wb") as out:
        source.seek(size)
        shutil.copyfileobj(source, out, _CHUNK)
    return target
