"""The curated tables as DuckDB sees them, free of the web page that shows them.

`events` and `daily` are views over one Parquet file a day. The pipeline replaces files whole, so a
query sees each day before or after a change and never half of it. Only a file that is removed
between listing and opening makes a query fail, and then a second look finds the new state.
"""

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from dashboard import counts
from dashboard.counts import Counts
from dashboard.tables import TABLES, has_files, view


class LakeError(Exception):
    """The lake could not be read. The message names the place and what to do."""

    def __init__(self, root: Path, problem: str) -> None:
        super().__init__(
            f"{root} could not be read: {problem} "
            f"If a file is damaged, `python -m pipeline rebuild --data {root}` writes it again."
        )


class Lake:
    """One data directory, open for reading. Shared by every thread of a process.

    With `settled_seconds`, days of `daily` that have been the same for so long are held in memory:
    see `dashboard.counts`.
    """

    def __init__(self, root: Path, *, settled_seconds: float | None = None) -> None:
        self.root = root
        self._lock = threading.Lock()
        # A name that is no table must not be looked for among this program's variables.
        self._database = duckdb.connect(":memory:", config={"python_enable_replacements": False})
        # Times are UTC everywhere; the machine's own zone must not leak into a chart.
        self._database.execute("SET GLOBAL TimeZone = 'UTC'")
        # Footers of hundreds of small files are most of the work; a changed file is read again.
        self._database.execute("SET GLOBAL parquet_metadata_cache = true")
        self.counts: Counts | None = None
        # Views over files, made anew when a table gets its first file or loses its last.
        self._views = list(TABLES)
        if settled_seconds is not None:
            self.counts = Counts(self._database, root / "daily", settled_seconds)
            self._views.remove("daily")
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
            present = tuple(has_files(self.root, table) for table in self._views)
            if fresh or present != self._present:
                for table in self._views:
                    self._database.execute(view(self.root, table))
                self._present = present
            cursor = self._database.cursor()
        with cursor:
            if self.counts is not None:
                self.counts.look()
                # Before the rest, so that `daily` is the copy's; `events` is found there as well.
                cursor.execute(f"SET search_path = '{counts.DATABASE},memory'")
            return pl.DataFrame(cursor.sql(sql, params=dict(values)).to_arrow_table())


@cache
def shared(root: str) -> Lake:
    """The one that all readers of the pages share, with its counts in memory."""
    return Lake(Path(root), settled_seconds=counts.SETTLED_SECONDS)


def warm(root: str) -> None:
    """Begin to hold the counts in memory, before the first reader waits for their files."""
    with suppress(LakeError):  # the first page says it
        shared(root).ask("SELECT 1", {})


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
