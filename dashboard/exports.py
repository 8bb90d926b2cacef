"""Events out of the lake, a batch at a time: memory does not grow with the range.

One file is opened once and read to its end through that handle, so a day that the pipeline replaces
meanwhile is exported as it was, whole.
"""

import datetime as dt
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dashboard import export_formats
from dashboard.export_columns import COLUMNS, ColumnSet, schema
from dashboard.export_formats import Format
from pipeline.schema import EVENTS

BATCH_ROWS: Final = 16_384
# Column chunks are read through a window of this size instead of whole.
READ_BYTES: Final = 1 << 18


class UnreadableDayError(Exception):
    """A day's file is there, and is no Parquet file with event columns."""

    def __init__(self, file: Path, reason: Exception) -> None:
        super().__init__(
            f"{file} cannot be read: {reason}. `python -m pipeline rebuild` makes it anew."
        )
        self.file = file


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events to export. An empty tuple does not narrow."""

    first: dt.date  # UTC, both days included
    last: dt.date
    packages: tuple[str, ...] = ()  # each a name or an id
    event_types: tuple[str, ...] = ()
    traffic: tuple[str, ...] = ()
    company_domain: str | None = None
    counted_only: bool = False


def export(
    lake: Path,
    selection: Selection,
    columns: ColumnSet,
    output: Format,
    days: Iterable[dt.date] | None = None,
) -> Iterator[bytes]:
    """Yield the file's bytes. Pieces may be empty: a caller can stop after every batch.

    Rows come day by day, each day in the order of its file. `days` replaces the days that are
    visited, for a caller that wants to watch them pass.
    """
    chosen = COLUMNS[columns]
    visited = stored_days(lake, selection) if days is None else days
    values = [column.value for column in chosen]
    wanted = {name for value in values for name in value.meta.root_names()}
    frames = (
        frame.select(values)
        for day in visited
        for frame in _batches(_day_file(lake, day), selection, wanted)
    )
    return export_formats.encode(frames, schema(chosen), output)


def stored_days(lake: Path, selection: Selection) -> list[dt.date]:
    """The days of the selection for which the lake has a folder, in order."""
    days = (_day(folder) for folder in (lake / "events").glob("date=*"))
    return sorted(day for day in days if day and selection.first <= day <= selection.last)


def write_whole(pieces: Iterable[bytes], target: Path) -> None:
    """Write a file that appears under its name complete or not at all."""
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _day(folder: Path) -> dt.date | None:
    try:
        return dt.datetime.strptime(folder.name, "date=%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None  # no folder of the table


def _day_file(lake: Path, day: dt.date) -> Path:
    return lake / "events" / f"date={day}" / "data.parquet"


def _batches(file: Path, selection: Selection, wanted: set[str]) -> Iterator[pl.DataFrame]:
    condition = _condition(selection)
    needed = wanted | set(condition.meta.root_names())
    try:
        with file.open("rb") as opened, pq.ParquetFile(opened, buffer_size=READ_BYTES) as parquet:
            # A file from before a column existed lacks it; its rows have null there.
            present = [name for name in parquet.schema_arrow.names if name in needed]
            absent = [pl.lit(None, EVENTS[name]).alias(name) for name in needed - set(present)]
            types = {name: EVENTS[name] for name in present}
            groups = [n for n in range(parquet.num_row_groups) if _may_hold(parquet, n, selection)]
            for batch in parquet.iter_batches(BATCH_ROWS, groups, present):
                frame = pl.DataFrame(pa.Table.from_batches([batch]))
                yield frame.cast(types).with_columns(absent).filter(condition)
    except FileNotFoundError:
        return  # the day's events were purged after its folder was seen
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise UnreadableDayError(file, error) from error


def _condition(selection: Selection) -> pl.Expr:
    parts = [pl.lit(True)]
    if selection.packages:
        names = list(selection.packages)
        parts.append(pl.col("package").is_in(names) | pl.col("package_id").is_in(names))
    if selection.event_types:
        parts.append(pl.col("event_type").is_in(selection.event_types))
    if selection.traffic:
        parts.append(pl.col("traffic").is_in(selection.traffic))
    if selection.company_domain is not None:
        parts.append(pl.col("company_domain") == selection.company_domain)
    if selection.counted_only:
        parts.append(pl.col("counted"))
    return pl.all_horizontal(parts)


def _may_hold(parquet: Any, group: int, selection: Selection) -> bool:
    """Say whether a row group can hold a chosen package: days are sorted by it, so most cannot."""
    if not selection.packages:
        return True
    metadata = parquet.metadata.row_group(group)
    for column in (metadata.column(index) for index in range(metadata.num_columns)):
        if column.path_in_schema in {"package", "package_id"}:
            bounds = column.statistics
            if bounds is None or not bounds.has_min_max:
                return True
            if any(bounds.min <= name <= bounds.max for name in selection.packages):
                return True
    return False
