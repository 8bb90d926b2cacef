"""Where everything lies in the lake. Paths and names only; nothing here reads or writes a table."""

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FOLDER_PREFIX = "date="


@dataclass(frozen=True, slots=True)
class Lake:
    """One lake by its root folder. The folders inside appear when something is written to them."""

    root: Path

    @property
    def raw(self) -> Path:
        """What the gateway wrote and the pipeline has not taken yet."""
        return self.root / "raw"

    @property
    def archive(self) -> Path:
        """Raw rows already curated, kept for a while so that better parsers can run again."""
        return self.root / "archive"

    @property
    def events(self) -> Path:
        """The curated events, one file a day."""
        return self.root / "events"

    @property
    def daily(self) -> Path:
        """The counts by dimension, one file a day."""
        return self.root / "daily"

    @property
    def quarantine(self) -> Path:
        """Rows that broke a rule, one file a day, with the names of the rules."""
        return self.root / "quarantine"

    @property
    def unreadable(self) -> Path:
        """Files that could not be read, each beside its reason."""
        return self.quarantine / "files"

    @property
    def lock(self) -> Path:
        """Held by the one pipeline that may write at this moment."""
        return self.root / ".pipeline.lock"

    def events_file(self, day: dt.date) -> Path:
        """The day's curated events."""
        return _day_file(self.events, day)

    def daily_file(self, day: dt.date) -> Path:
        """The day's counts."""
        return _day_file(self.daily, day)

    def quarantine_file(self, day: dt.date) -> Path:
        """The day's rejected rows; the day is that of the folder they came in."""
        return _day_file(self.quarantine, day)


def day_folder(table: Path, day: dt.date) -> Path:
    """The folder of one day in a table."""
    return table / f"{_FOLDER_PREFIX}{day.isoformat()}"


def days_of(table: Path) -> list[dt.date]:
    """The days that a table has a folder for, oldest first. Folders of other names are no days."""
    try:
        names = [entry.name for entry in os.scandir(table) if entry.is_dir()]
    except FileNotFoundError:
        return []
    return sorted(day for name in names if (day := _day_named(name)) is not None)


def files_of(table: Path, day: dt.date) -> list[Path]:
    """The complete Parquet files of one day, by name. Hidden ones are still being written."""
    folder = day_folder(table, day)
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names) if _is_complete(name)]


def files_by_day(table: Path) -> dict[dt.date, list[Path]]:
    """Every complete Parquet file of a table; days without one are left out."""
    listed = ((day, files_of(table, day)) for day in days_of(table))
    return {day: files for day, files in listed if files}


def temporary_files(table: Path) -> Iterator[Path]:
    """What a writer that died left behind in the day folders of a table."""
    for day in days_of(table):
        yield from day_folder(table, day).glob(".*.tmp")


def temporary_name(path: Path) -> Path:
    """The name under which a file is written first: hidden, and no `*.parquet`."""
    return path.with_name(f".{path.name}.tmp")


def _day_file(table: Path, day: dt.date) -> Path:
    return day_folder(table, day) / "data.parquet"


def _day_named(folder: str) -> dt.date | None:
    if not folder.startswith(_FOLDER_PREFIX):
        return None
    try:
        return dt.date.fromisoformat(folder.removeprefix(_FOLDER_PREFIX))
    except ValueError:
        return None


def _is_complete(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith(".")
