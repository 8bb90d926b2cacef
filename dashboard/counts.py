"""The daily table in memory, a table for each cube, as far as its days have settled.

Hundreds of small files cost more to open than to add up, and every question would open them all.
So days that nobody has rewritten for a while are copied, which takes about ten bytes a row, and the
others are read from their files at every question, as they are. A copied day whose file changes is
read from its file from that moment on, until it has settled again.
"""

import os
import threading
import time
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Final

import duckdb

from dashboard.tables import SQL_TYPES
from pipeline.schema import CUBES, DAILY, DAILY_KEYS, MEASURES

# The database that holds the copy. In memory it is compressed at a checkpoint, and only there.
DATABASE: Final = "counts"
# The days that new events fall into are rewritten every few seconds. And a rename within one tick
# of the clock leaves a folder's time as it was: a day must be older than a tick to be copied.
SETTLED_SECONDS: Final = 600.0
# About half a GB. The oldest days of a lake with more than that stay in their files.
MOST_ROWS: Final = 50_000_000
# Copied at once: so little that a change of the lake never waits long, nor the end of the process.
DAYS_AT_ONCE, BYTES_AT_ONCE = 60, 8_000_000
# After a file that could not be read; a page that reads it says so meanwhile.
PAUSE_SECONDS: Final = 60.0

_PREFIX: Final = "date="

# A day's folder by its name, with the time of its newest change.
Days = Mapping[str, int]


class Counts:
    """The view `daily` over a lake's counts: copied days, and the files of all others."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        folder: Path,
        settled_seconds: float = SETTLED_SECONDS,
        *,
        most_rows: int = MOST_ROWS,
    ) -> None:
        self._folder = folder
        self._settled_seconds = settled_seconds
        self._most_rows = most_rows
        self._database = database.cursor()
        self._database.execute(f"ATTACH ':memory:' AS {DATABASE} (COMPRESS)")
        self._database.execute(f"USE {DATABASE}")
        for cube, names in CUBES.items():
            kinds = ", ".join(f"{name} {SQL_TYPES[DAILY[name]]}" for name in _columns(names))
            self._database.execute(f"CREATE TABLE {cube} (date DATE, {kinds})")
        self._copied: Days = {}
        self._in_files: frozenset[str] | None = None  # as the view is now; None: there is none
        self._rows = 0
        self._changing = threading.Lock()
        self._copier: threading.Thread | None = None
        self._paused_until = 0.0

    def look(self) -> None:
        """Make the view true to the lake as it is now, and begin to copy what has settled."""
        days = listed(self._folder)
        if self._stale(days):
            with self._changing:
                days = listed(self._folder)
                if self._stale(days):
                    self._change(days, [])
        idle = self._copier is None and time.monotonic() > self._paused_until
        if idle and self._ready(days):
            # No daemon: the interpreter must not end while DuckDB is at work in a thread.
            self._copier = threading.Thread(target=self._copy_in_background)
            self._copier.start()

    def copy(self) -> None:
        """Copy every settled day that is not copied yet, newest first."""
        while threading.main_thread().is_alive():
            with self._changing:
                days = listed(self._folder)
                ready = self._ready(days)
                if not ready:
                    return
                self._change(days, self._some(ready))
                # Waits for the questions under way, and compresses what came.
                self._database.execute(f"FORCE CHECKPOINT {DATABASE}")

    def wait(self) -> None:
        """Return once nothing is being copied."""
        copier = self._copier
        if copier is not None:
            copier.join()

    def _copy_in_background(self) -> None:
        try:
            self.copy()
        except (duckdb.Error, OSError):
            # Whoever asks for such a day is told by the question; here it is left for a while.
            self._paused_until = time.monotonic() + PAUSE_SECONDS
        finally:
            self._copier = None

    def _fresh(self, days: Days) -> frozenset[str]:
        """The days whose copy, if there is one, is not of their file as it is now."""
        copied = self._copied
        return frozenset(name for name, changed in days.items() if copied.get(name) != changed)

    def _stale(self, days: Days) -> bool:
        return self._in_files != self._fresh(days) or not self._copied.keys() <= days.keys()

    def _ready(self, days: Days) -> list[str]:
        """The days that have settled and are not copied yet, newest first."""
        if self._rows >= self._most_rows:
            return []
        before = time.time_ns() - int(self._settled_seconds * 1e9)
        ready = [name for name in self._fresh(days) if days[name] <= before]
        return sorted(ready, reverse=True)

    def _some(self, ready: list[str]) -> list[str]:
        """As many of them as are copied at once."""
        some = ready[:DAYS_AT_ONCE]
        sizes = accumulate(_file(self._folder, name).stat().st_size for name in some)
        return some[: max(1, sum(size <= BYTES_AT_ONCE for size in sizes))]

    def _change(self, days: Days, come: list[str]) -> None:
        """Forget days that changed or went, copy those that come, and show it all at once."""
        fresh = self._fresh(days)
        go = [name for name in self._copied if name in fresh or name not in days]
        in_files = fresh - set(come)
        self._database.begin()
        try:
            if go:
                self._delete(go)
            if come:
                self._insert(come)
            self._show(in_files)
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise
        self._copied = {name: days[name] for name in days if name not in in_files}
        self._in_files = in_files
        self._rows = sum(self._database.table(cube).shape[0] for cube in CUBES)

    def _insert(self, names: list[str]) -> None:
        # Read once, and not once for each cube.
        self._database.execute(f"CREATE TEMP TABLE arrived AS FROM {_files(self._folder, names)}")
        for cube, dimensions in CUBES.items():
            columns = ", ".join(_columns(dimensions))
            self._database.execute(
                f"INSERT INTO {cube} SELECT date, {columns} FROM arrived "  # noqa: S608  our names
                f"WHERE cube = '{cube}' ORDER BY date, package_id"
            )
        self._database.execute("DROP TABLE arrived")

    def _delete(self, names: list[str]) -> None:
        days = [name.removeprefix(_PREFIX) for name in names]
        for cube in CUBES:
            self._database.execute(
                f"DELETE FROM {cube} WHERE date IN (SELECT unnest($days)::DATE)",  # noqa: S608
                {"days": days},
            )

    def _show(self, in_files: frozenset[str]) -> None:
        parts = [f"SELECT '{cube}' AS cube, * FROM {cube}" for cube in CUBES]  # noqa: S608
        if in_files:
            # By name: of a file that was written before a column was, this says so, where `*` would
            # leave the column out and its cube would pass for empty.
            columns = ", ".join(DAILY)
            source = _files(self._folder, sorted(in_files))
            parts.append(f"SELECT date, {columns} FROM {source}")  # noqa: S608  our own names
        view = " UNION ALL BY NAME ".join(parts)
        self._database.execute(f"CREATE OR REPLACE VIEW daily AS {view}")


def listed(folder: Path) -> dict[str, int]:
    """The days that a table has. A rename into a day's folder changes the folder's time."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.stat().st_mtime_ns
                for entry in entries
                if entry.name.startswith(_PREFIX)
            }
    except FileNotFoundError:
        return {}


def _files(folder: Path, names: list[str]) -> str:
    """The files of some days as a table."""
    paths = [str(_file(folder.resolve(), name)).replace("'", "''") for name in names]
    quoted = ", ".join(f"'{path}'" for path in paths)
    return f"read_parquet([{quoted}], hive_partitioning = true)"


def _file(folder: Path, name: str) -> Path:
    return folder / name / "data.parquet"


def _columns(dimensions: tuple[str, ...]) -> list[str]:
    return [*DAILY_KEYS, *dimensions, *MEASURES]
