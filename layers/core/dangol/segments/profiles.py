"""Who people are, as rules may speak of it: from the rows of customers files."""

import duckdb

from dangol.segments.places import make_located

_COLUMNS = ("gender", "birthday", "city", "subscribed_on", "accepts_email", "accepts_push", "accepts_night_push")


def make_profiles(connection: duckdb.DuckDBPyConnection, rows: str) -> str:
    """Make table `profiles` (see Sources.profiles) and return its name.

    `rows` has the columns of a customers file and `version` VARCHAR: of each person and column the newest value counts.
    """
    make_located(connection, rows)
    newest = ", ".join(f"arg_max({name}, version) FILTER ({name} IS NOT NULL) AS {name}" for name in _COLUMNS)
    connection.execute(f"""
        CREATE OR REPLACE TABLE profiles AS
        SELECT person.* REPLACE (coalesce(located.name, person.city) AS city), latitude, longitude
        FROM (SELECT customer_id, {newest} FROM {rows} GROUP BY customer_id) AS person
        LEFT JOIN located ON located.city = person.city
    """)
    return "profiles"
