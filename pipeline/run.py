"""One pass over the lake: whatever waits in `raw/` becomes curated days.

The order is the whole of crash safety. A day's events are replaced, then its counts, then the
rejected rows, and only then do the raw files leave `raw/`. Killed anywhere, the next pass finds the
same raw files and does the same work again, and ids that are already there change nothing.
"""

import datetime as dt
from collections.abc import Callable, Mapping

import msgspec
import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline import archive, intake, publish, read
from pipeline.clean import split
from pipeline.config import PipelineConfig
from pipeline.curate import curate, enrich
from pipeline.intake import RawFiles
from pipeline.lake import Lake, days_of, files_by_day
from pipeline.lock import locked
from pipeline.rollup import rollup


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass did."""

    files: int = 0
    rejected: int = 0  # rows
    unreadable: int = 0  # files
    days: tuple[dt.date, ...] = ()

    def __add__(self, other: "Pass") -> "Pass":
        """Take two passes as one."""
        return Pass(
            files=self.files + other.files,
            rejected=self.rejected + other.rejected,
            unreadable=self.unreadable + other.unreadable,
            days=tuple(sorted({*self.days, *other.days})),
        )


def run(
    config: PipelineConfig, now: dt.datetime, on_day: Callable[[dt.date], object] = lambda _: None
) -> Pass:
    """Curate everything that waits in `raw/`, and delete what the archive has kept long enough.

    `on_day` is called whenever a day is done.
    """
    lake = Lake(config.data)
    with locked(lake, config.lock_wait):
        return _run(lake, config, now, on_day)


def rebuild(config: PipelineConfig, now: dt.datetime) -> Pass:
    """Curate every day again: what the archive still has from its raw rows, the rest as it is kept.

    Rows in quarantine that keep today's rules leave it.
    """
    lake = Lake(config.data)
    with locked(lake, config.lock_wait):
        done = _run(lake, config, now)
        again = _take_again(lake, now)
        return done + again


def replace_day(lake: Lake, day: dt.date, kept: pl.LazyFrame, new: pl.LazyFrame) -> None:
    """Put a day's events and then its counts in place of the old ones; no rows, no files."""
    publish.replace(curate(kept, new), lake.events_file(day))
    publish.replace(rollup(read.events(lake, day)), lake.daily_file(day))


def _run(
    lake: Lake,
    config: PipelineConfig,
    now: dt.datetime,
    on_day: Callable[[dt.date], object] = lambda _: None,
) -> Pass:
    waiting = files_by_day(lake.raw)
    done = Pass()
    if waiting:
        intake.clear_leftovers(lake)
    for batch in intake.batches(waiting):
        done += _take_and_archive(lake, batch, now, on_day)
    archive.expire(lake, now.date(), config.raw_retention_days)
    intake.tidy_raw(lake, now)
    return done


def _take_and_archive(
    lake: Lake, batch: RawFiles, now: dt.datetime, on_day: Callable[[dt.date], object]
) -> Pass:
    readable, unreadable = intake.set_aside(lake, batch, read.raw_schema)
    try:
        done = _take(lake, readable, now, on_day)
    except read.POLARS_ERRORS:
        # A footer may be whole and the pages it points at not. To read everything twice on every
        # pass would be dear, so files are proved only after one has failed.
        readable, damaged = intake.set_aside(lake, readable, read.prove_readable)
        if not damaged:
            raise
        unreadable += damaged
        done = _take(lake, readable, now, on_day)
    for day, files in readable.items():
        archive.store(lake, day, files, now.date())
    return done + Pass(unreadable=unreadable)


def _take(
    lake: Lake, batch: RawFiles, now: dt.datetime, on_day: Callable[[dt.date], object]
) -> Pass:
    """Curate raw files, by the day of their events, whatever folder they came in."""
    rows = {folder: read.raw(files) for folder, files in batch.items()}
    clean_of, rejected = _split_by_day(rows, now)
    for day, frames in sorted(clean_of.items()):
        new = pl.concat(frames).filter(_of_day(day))
        replace_day(lake, day, read.events(lake, day), enrich(new))
        on_day(day)
    count = 0
    for folder, (broken, broken_rows) in rejected.items():
        if broken_rows:
            _replace_rejected(lake, folder, pl.concat([read.rejected(lake, folder), broken]))
            count += broken_rows
    return Pass(
        files=sum(len(files) for files in batch.values()),
        rejected=count,
        days=tuple(sorted(clean_of)),
    )


def _take_again(lake: Lake, now: dt.datetime) -> Pass:
    """Curate what the archive and the quarantine hold, by today's rules and parsers."""
    archived = files_by_day(lake.archive)
    rows = {
        folder: pl.concat(
            [read.raw(archived.get(folder, ())), read.rejected(lake, folder).select(RAW.names())]
        )
        for folder in sorted({*archived, *days_of(lake.quarantine)})
    }
    clean_of, rejected = _split_by_day(rows, now)
    for day in sorted({*clean_of, *days_of(lake.events)}):
        new = pl.concat(clean_of.get(day, [read.raw(())])).filter(_of_day(day))
        replace_day(lake, day, read.events(lake, day), enrich(new))
    return Pass(
        files=sum(map(len, archived.values())),
        rejected=sum(
            _replace_rejected(lake, folder, broken) for folder, (broken, _) in rejected.items()
        ),
        days=tuple(sorted({*clean_of, *days_of(lake.events)})),
    )


def _split_by_day(
    rows: Mapping[dt.date, pl.LazyFrame], now: dt.datetime
) -> tuple[dict[dt.date, list[pl.LazyFrame]], dict[dt.date, tuple[pl.LazyFrame, int]]]:
    """Part each folder's rows: clean ones by the days they may be of, broken ones by folder."""
    clean_of: dict[dt.date, list[pl.LazyFrame]] = {}
    rejected: dict[dt.date, tuple[pl.LazyFrame, int]] = {}
    for folder, raw in sorted(rows.items()):
        clean, broken = split(raw, now)
        days, count = _survey(clean, broken)
        for day in days:
            clean_of.setdefault(day, []).append(clean)
        rejected[folder] = (broken, count)
    return clean_of, rejected


def _replace_rejected(lake: Lake, folder: dt.date, broken: pl.LazyFrame) -> int:
    # The same broken row, curated twice, is one row.
    once = broken.unique(RAW.names()).sort(RAW.names())
    return publish.replace(once, lake.quarantine_file(folder))


def _survey(clean: pl.LazyFrame, broken: pl.LazyFrame) -> tuple[list[dt.date], int]:
    days = publish.collect(clean.select(pl.col("event_time").dt.date().unique().sort()))
    count = publish.collect(broken.select(pl.len()))
    return days["event_time"].to_list(), int(count.item())


def _of_day(day: dt.date) -> pl.Expr:
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    return pl.col("event_time").is_between(midnight, midnight + dt.timedelta(days=1), closed="left")
