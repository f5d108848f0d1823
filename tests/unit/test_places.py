"""Cities by their English and Korean names."""

import time
from collections.abc import Iterator

import duckdb
import pytest
from dangol.engine import connect
from dangol.segments.places import PLACES_FILE, place, places_like
from dangol.segments.profiles import make_located

from scripts.make_places import lines
from tests.builders import SEOUL


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(SEOUL, tmp_path_factory.mktemp("duckdb")) as connection:
        yield connection


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("Seoul", "Seoul", "KR"),
        ("SEOUL ", "Seoul", "KR"),
        ("서울", "Seoul", "KR"),
        ("서울시", "Seoul", "KR"),
        ("서울특별시", "Seoul", "KR"),
        ("\u1109\u1165\u110b\u116e\u11af", "Seoul", "KR"),
        ("Seoul, South Korea", "Seoul", "KR"),
        ("서울특별시 강남구", "Seoul", "KR"),
        ("부산광역시", "Busan", "KR"),
        ("Pusan", "Busan", "KR"),
        ("대구", "Daegu", "KR"),
        ("인천광역시", "Incheon", "KR"),
        ("광주광역시", "Gwangju", "KR"),
        ("대전시", "Daejeon", "KR"),
        ("울산", "Ulsan", "KR"),
        ("세종특별자치시", "Sejong", "KR"),
        ("제주시", "Jeju", "KR"),
        ("성남시", "Seongnam", "KR"),
        ("경기도 성남시 분당구", "Seongnam", "KR"),
        ("suwon-si", "Suwon", "KR"),
        ("Tokyo", "Tokyo", "JP"),
        ("도쿄", "Tokyo", "JP"),
        ("뉴욕", "New York City", "US"),
        ("São Paulo", "São Paulo", "BR"),
        ("sao paulo", "São Paulo", "BR"),
        ("London", "London", "GB"),
    ],
)
def test_a_city_is_found_however_it_is_written(text: str, name: str, country: str) -> None:
    found = place(text)
    assert found is not None
    assert (found.name, found.country) == (name, country)


def test_seoul_lies_where_it_lies() -> None:
    found = place("Seoul")
    assert found is not None
    assert (found.latitude, found.longitude) == pytest.approx((37.566, 126.978), abs=0.01)
    assert found.population > 9_000_000


def test_of_several_the_shops_country_comes_first_and_then_the_largest() -> None:
    countries = [found.country for first in ("KR", "CA") if (found := place("London", first))]
    assert countries == ["GB", "CA"]


@pytest.mark.parametrize("text", ["", "Nowhere at all", "어디에도 없는 곳", "\t", "seoul\tx"])
def test_what_is_no_city_is_none(text: str) -> None:
    assert place(text) is None


def test_a_misspelt_name_has_neighbours() -> None:
    assert "seoul" in places_like("Seuol")
    assert "부산광역시" in places_like("부산광역")
    assert places_like("") == []


def test_texts_of_customers_are_joined_to_places(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "CREATE OR REPLACE TABLE people AS SELECT unnest(['서울시', 'seoul', 'x', NULL, 'seoul']) AS city"
    )
    make_located(connection, "people")
    rows = connection.execute("SELECT city, name, latitude > 37, longitude > 126 FROM located ORDER BY city").fetchall()
    assert rows == [("seoul", "Seoul", True, True), ("서울시", "Seoul", True, True)]


def test_nobody_with_a_known_city_makes_an_empty_table(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE OR REPLACE TABLE people AS SELECT NULL::VARCHAR AS city")
    make_located(connection, "people")
    assert connection.execute("SELECT typeof(any_value(city)), count(*) FROM located").fetchall() == [("VARCHAR", 0)]


def test_a_million_customers_are_located_soon(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("""
        CREATE OR REPLACE TABLE people AS
        SELECT (['서울', '부산광역시', 'Daegu', 'Nowhere'])[1 + i % 4] AS city
        FROM range(1_000_000) AS rows(i)
    """)
    start = time.monotonic()
    make_located(connection, "people")
    found = connection.execute("SELECT count(*) FROM people JOIN located USING (city)").fetchall()
    assert time.monotonic() - start < 3
    assert found == [(750_000,)]


def test_the_gazetteer_is_small() -> None:
    assert PLACES_FILE.stat().st_size < 1_500_000


def test_the_file_has_a_line_for_each_way_of_writing_a_city() -> None:
    city = {"name": "Seongnam-si", "countrycode": "KR", "latitude": 37.43861, "longitude": 127.1, "population": 9}
    smaller = city | {"population": 8, "latitude": 0.0}
    abroad = city | {"name": "Zürich", "countrycode": "CH", "alternatenames": ["취리히", "Цюрих", "Zurigo"]}
    found = sorted(lines([one | {"alternatenames": ["성남", "城南"]} for one in (city, smaller)] + [abroad]))
    place = "37.4386\t127.1000\t9"
    assert found == [
        *(f"{key}\tSeongnam\tKR\t{place}" for key in ("seongnam", "seongnam city", "seongnam-si")),
        *(f"{key}\tZürich\tCH\t{place}" for key in ("zurich", "zürich")),
        *(f"{key}\tSeongnam\tKR\t{place}" for key in ("성남", "성남시")),
        f"취리히\tZürich\tCH\t{place}",
    ]
