"""Taking events out of the lake for good, everywhere they lie."""

import datetime as dt
import shutil
from pathlib import Path

import msgspec
import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline import publish, read, schema
from pipeline.config import PipelineConfig
from pipeline.day import replace_day
from pipeline.lake import Lake, day_folder, days_of, files_by_day
from pipeline.lock import locked


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows a purge removed."""

    events: int = 0
    raw: int = 0  # from raw/ and archive/
    rejected: int = 0  # from quarantine/
    unreadable_files: int = 0


def demo() -> pl.Expr:
    """The events that the demo made."""
    return pl.col("package_id").str.starts_with(schema.DEMO_PREFIX)


def package(package_id: str) -> pl.Expr:
    """The events of one package."""
    return pl.col("package_id") == package_id


def purge(config: PipelineConfig, doomed: pl.Expr) -> Purged:
    """Remove every row for which `doomed` holds; it may speak of `package_id` alone."""
    lake = Lake(config.data)
    stays = ~doomed.fill_null(False)
    with locked(lake, config.lock_wait):
        # Raw rows go first: a pass that comes after a crash then has nothing to bring back.
        return Purged(
            raw=_purge_raw(lake, stays),
            rejected=_purge_rejected(lake, stays),
            events=_purge_events(lake, stays, config.rows_at_once),
        )


def purge_before(config: PipelineConfig, before: dt.date) -> Purged:
    """Remove every day before a day, in whatever state its rows are."""
    lake = Lake(config.data)
    with locked(lake, config.lock_wait):
        midnight = dt.datetime.combine(before, dt.time(), tzinfo=dt.UTC)
        stays = (pl.col("event_time") >= midnight).fill_null(True)
        # A row may lie in the folder of another day than its own.
        raw = _purge_raw(lake, stays)
        _drop_days(lake.daily, before)
        return Purged(
            raw=raw,
            rejected=_drop_days(lake.quarantine, before),
            unreadable_files=_drop_unreadable(lake, before),
            events=_drop_days(lake.events, before),
        )


def _purge_raw(lake: Lake, stays: pl.Expr) -> int:
    removed = 0
    for table in (lake.raw, lake.archive):
        for files in files_by_day(table).values():
            for file in files:
                try:
                    found = read.raw_schema(file)
                except read.UnreadableFileError:
                    # The next pass sets it aside with a reason.
                    continue
                rows = read.parquet(file) if found != RAW else read.raw([file])
                removed += _keep(rows, stays, file)
    return removed


def _purge_rejected(lake: Lake, stays: pl.Expr) -> int:
    return sum(
        _keep(read.rejected(lake, day), stays, lake.quarantine_file(day))
        for day in days_of(lake.quarantine)
    )


def _purge_events(lake: Lake, stays: pl.Expr, rows_at_once: int) -> int:
    removed = 0
    for day in days_of(lake.events):
        if gone := _count(read.events(lake, day), ~stays):
            replace_day(lake, day, rows_at_once=rows_at_once, going=~stays)
            removed += gone
    return removed


def _keep(rows: pl.LazyFrame, stays: pl.Expr, file: Path) -> int:
    gone = _count(rows, ~stays)
    if gone:
        publish.replace(rows.filter(stays), file)
    return gone


def _count(rows: pl.LazyFrame, which: pl.Expr) -> int:
    return int(publish.collect(rows.select(which.sum())).item() or 0)


def _drop_days(table: Path, before: dt.date) -> int:
    removed = 0
    for day in days_of(table):
        if day < before:
            removed += sum(map(publish.row_count, day_folder(table, day).glob("*.parquet")))
            shutil.rmtree(day_folder(table, day))
    return removed


def _drop_unreadable(lake: Lake, before: dt.date) -> int:
    removed = 0
    for day in days_of(lake.unreadable):
        if day < before:
            removed += len(list(day_folder(lake.unreadable, day).glob("*.unreadable")))
            shutil.rmtree(day_folder(lake.unreadable, day))
    return removed
