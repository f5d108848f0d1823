"""Files as tables: opened whatever way they are written, scanned with DuckDB, each bad row kept with its place."""
