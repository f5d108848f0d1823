"""Where cities lie: a gazetteer of English and Korean names.

places.tsv.gz is made of GeoNames (https://www.geonames.org, CC BY 4.0) by scripts/make_places.py: one line for each way
of writing each city of 15,000 people and more (1,000 in Korea); of equal names in one country only the largest city.
"""

import gzip
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path

from dangol.segments.folding import fold

PLACES_FILE = Path(__file__).with_name("places.tsv.gz")
COLUMNS = ("key", "name", "country", "latitude", "longitude", "population")
HOME = "KR"
"""Country looked in first, if no other is given (ISO 3166-1 alpha-2)."""

_KOREAN_WORD = re.compile("[가-힣]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A city."""

    name: str
    """In English."""
    country: str
    """ISO 3166-1 alpha-2."""
    latitude: float
    longitude: float
    """Degrees; north and east are positive."""
    population: int


def key_of(name: str) -> str:
    """A name as the gazetteer has it: folded, with single spaces."""
    return " ".join(fold(name).split())


@lru_cache(maxsize=10_000)
def place(text: str, country_first: str = HOME) -> Place | None:
    """The city that a text names in English or Korean, or None; of equal names that country's, else the largest.

    The whole text is looked for, then what stands before the first comma ("Seoul, Korea"), then its Korean words
    from the left ("서울특별시 강남구", "경기도 성남시").
    """
    for name in (text, text.partition(",")[0], *_KOREAN_WORD.findall(text)):
        found = [_place(line) for line in _lines_of(key_of(name))]
        if found:
            return max(found, key=lambda one: (one.country == country_first, one.population))
    return None


def places_like(name: str) -> list[str]:
    """Known names that resemble `name`, the likeliest first; for the message that it is none."""
    begin = key_of(name)[:1].encode()
    keys = dict.fromkeys(line.decode().partition("\t")[0] for line in _lines()[1:] if line.startswith(begin))
    return get_close_matches(key_of(name), keys, 3, 0.6)


@cache
def _lines() -> list[bytes]:
    """The lines of the file, the header first; sorted from there on."""
    return gzip.decompress(PLACES_FILE.read_bytes()).splitlines()


def _lines_of(key: str) -> Iterator[bytes]:
    lines, begin = _lines(), f"{key}\t".encode()
    at = bisect_left(lines, begin, lo=1)
    while at < len(lines) and lines[at].startswith(begin):
        yield lines[at]
        at += 1


def _place(line: bytes) -> Place:
    _, name, country, latitude, longitude, population = line.decode().split("\t")
    return Place(name, country, float(latitude), float(longitude), int(population))
