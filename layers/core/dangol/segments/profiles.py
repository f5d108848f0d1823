"""Who people are, as rules may speak of it: from the rows of customers files."""

import duckdb
import numpy as np

from dangol.segments.places import HOME, place

_COLUMNS = ("gender", "birthday", "city", "subscribed_on")
_CONSENTS = ("accepts_email", "accepts_push", "accepts_night_push")


def make_profiles(connection: duckdb.DuckDBPyConnection, rows: str) -> str:
    """Make table `profiles` (see Sources.profiles) and return its name.

    `rows` has the columns of a customers file and `version` VARCHAR: of each person and column the newest value counts.
    Of consents that came with a merged account the stricter counts (design §5, promise 12).
    """
    make_located(connection, rows)
    newest = [f"arg_max({name}, version) FILTER ({name} IS NOT NULL) AS {name}" for name in _COLUMNS]
    newest += [f"least({_own(name)}, bool_and({name}) FILTER ({_HANDED_OVER})) AS {name}" for name in _CONSENTS]
    connection.execute(f"""
        CREATE OR REPLACE TABLE profiles AS
        SELECT person.* REPLACE (coalesce(located.name, person.city) AS city), latitude, longitude
        FROM (SELECT customer_id, {", ".join(newest)} FROM {rows} GROUP BY customer_id) AS person
        LEFT JOIN located ON located.city = person.city
    """)
    return "profiles"


_HANDED_OVER = "starts_with(version, '0-')"
"""SQL: whether a row came with a merged account (see dangol.ledger.merges)."""


def _own(name: str) -> str:
    return f"arg_max({name}, version) FILTER ({name} IS NOT NULL AND NOT {_HANDED_OVER})"


def make_located(connection: duckdb.DuckDBPyConnection, relation: str, country_first: str = HOME) -> None:
    """Make table `located` of the texts in column `city` VARCHAR of `relation` that are known.

    Columns: city VARCHAR (the text as it stands, unique), name VARCHAR (in English), latitude, longitude DOUBLE
    (degrees).
    """
    texts = connection.execute(f"SELECT DISTINCT city FROM {relation} WHERE city IS NOT NULL").fetchall()
    known = [(text, found) for (text,) in texts if (found := place(text, country_first)) is not None]
    columns = {
        "city": np.array([text for text, _ in known], dtype=object),
        "name": np.array([found.name for _, found in known], dtype=object),
        "latitude": np.array([found.latitude for _, found in known], dtype=np.float64),
        "longitude": np.array([found.longitude for _, found in known], dtype=np.float64),
    }
    connection.register("known_places", columns)
    connection.execute("""
        CREATE OR REPLACE TABLE located AS
        SELECT city::VARCHAR AS city, name::VARCHAR AS name, latitude, longitude FROM known_places
    """)
    connection.unregister("known_places")
