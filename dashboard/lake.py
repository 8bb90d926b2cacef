"""The curated tables as DuckDB sees them, free of the web page that shows them.

`events` and `daily` are views over one Parquet file a day. The pipeline replaces files whole, so a
query sees each day before or after a change and never half of it. Only a file that is removed
between listing and opening makes a query fail, and then a second look finds the new state.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from pipeline.schema import DAILY, EVENTS

TABLES: Final[Mapping[str, pl.Schema]] = {"events": EVENTS, "daily": DAILY}

_SQL_TYPES: Final[Mapping[pl.DataType, str]] = {
    pl.String(): "VARCHAR",
    pl.Boolean(): "BOOLEAN",
    pl.Int16(): "SMALLINT",
    pl.Int32(): "INTEGER",
    pl.Int64(): "BIGINT",
    pl.UInt64(): "UBIGINT",
    pl.Float32(): "FLOAT",
    pl.Datetime("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
}


class LakeError(Exception):
    """The lake could not be read. The message names the place and what to do."""

    def __init__(self, root: Path, problem: str) -> None:
        super().__init__(
            f"{root} could not be read: {problem} "
            f"If a file is damaged, `python -m pipeline rebuild --data {root}` writes it again."
        )


class Lake:
    """One data directory, open for reading. Shared by every thread of a process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        # A name that is no table must not be looked for among this program's variables.
        self._database = duckdb.connect(":memory:", config={"python_enable_replacements": False})
        # Times are UTC everywhere; the machine's own zone must not leak into a chart.
        self._database.execute("SET TimeZone = 'UTC'")
        # Footers of hundreds of small files are most of the work; a changed file is read again.
        self._database.execute("SET parquet_metadata_cache = true")
        self._present: tuple[bool, ...] | None = None

    def ask(self, sql: str, values: Mapping[str, Any]) -> pl.DataFrame:
        """The answer to one query. Raises LakeError where a second attempt fails as well."""
        try:
            return self._attempt(sql, values, fresh=False)
        except duckdb.Error:
            # A file was replaced or removed under way, or the first one has just appeared.
            try:
                return self._attempt(sql, values, fresh=True)
            except duckdb.Error as error:
                raise LakeError(self.root, _first_line(error)) from error

    def _attempt(self, sql: str, values: Mapping[str, Any], *, fresh: bool) -> pl.DataFrame:
        with self._lock:
            present = tuple(has_files(self.root, table) for table in TABLES)
            if fresh or present != self._present:
                for table in TABLES:
                    self._database.execute(view(self.root, table))
                self._present = present
            cursor = self._database.cursor()
        with cursor:
            return pl.DataFrame(cursor.sql(sql, params=dict(values)).to_arrow_table())


def view(root: Path, table: str) -> str:
    """The statement that names a table. Without files it has the right columns and no rows."""
    if has_files(root, table):
        pattern = str(root.resolve() / table / "date=*" / "*.parquet").replace("'", "''")
        source = f"FROM read_parquet('{pattern}', hive_partitioning = true)"
    else:
        columns = [f"NULL::{_SQL_TYPES[kind]} AS {name}" for name, kind in TABLES[table].items()]
        source = f"SELECT {', '.join(columns)}, NULL::DATE AS date WHERE false"
    return f"CREATE OR REPLACE VIEW {table} AS {source}"


def has_files(root: Path, table: str) -> bool:
    """Whether the table has any file."""
    return next((root / table).glob("date=*/*.parquet"), None) is not None


def stamp(root: Path) -> tuple[int, int]:
    """Changes whenever a file of the lake does: how many days there are, and the newest change.

    A rename into a day's folder changes the folder, so folders are all that is looked at.
    """
    days, newest = 0, 0
    for table in TABLES:
        try:
            with os.scandir(root / table) as entries:
                for entry in entries:
                    days += 1
                    newest = max(newest, entry.stat().st_mtime_ns)
        except FileNotFoundError:
            continue
    return days, newest


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0].rstrip(". ") + "."
