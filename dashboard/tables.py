"""The curated tables over their files, as DuckDB names them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.schema import DAILY, EVENTS

TABLES: Final[Mapping[str, pl.Schema]] = {"events": EVENTS, "daily": DAILY}

SQL_TYPES: Final[Mapping[pl.DataType, str]] = {
    pl.String(): "VARCHAR",
    pl.Boolean(): "BOOLEAN",
    pl.Int16(): "SMALLINT",
    pl.Int32(): "INTEGER",
    pl.Int64(): "BIGINT",
    pl.UInt64(): "UBIGINT",
    pl.Float32(): "FLOAT",
    pl.Datetime("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
}


def view(root: Path, table: str) -> str:
    """The statement that names a table. Without files it has the right columns and no rows."""
    if has_files(root, table):
        pattern = str(root.resolve() / table / "date=*" / "*.parquet").replace("'", "''")
        source = f"FROM read_parquet('{pattern}', hive_partitioning = true)"
    else:
        columns = [f"NULL::{SQL_TYPES[kind]} AS {name}" for name, kind in TABLES[table].items()]
        source = f"SELECT {', '.join(columns)}, NULL::DATE AS date WHERE false"
    return f"CREATE OR REPLACE VIEW {table} AS {source}"


def has_files(root: Path, table: str) -> bool:
    """Whether the table has any file."""
    return next((root / table).glob("date=*/*.parquet"), None) is not None
