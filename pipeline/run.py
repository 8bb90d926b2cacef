"""One pass over the lake: whatever waits in `raw/` becomes curated days.

The order is the whole of crash safety. A day's events are replaced, then its counts, then the
rejected rows, and only then do the raw files leave `raw/`. Killed anywhere, the next pass finds the
same raw files and does the same work again, and ids that are already there change nothing.
"""

import datetime as dt
from collections.abc import Callable, Iterator

import msgspec
import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline import archive, intake, publish, read
from pipeline.clean import split, with_verdict
from pipeline.coded import coded
from pipeline.config import PipelineConfig
from pipeline.day import replace_day
from pipeline.intake import RawFiles
from pipeline.lake import Lake, days_of, files_by_day
from pipeline.lock import locked


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
        again = _take_again(lake, config, now)
        return done + again


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
    for batch in intake.batches(waiting, config.rows_at_once):
        done += _take_and_archive(lake, batch, config, now, on_day)
    archive.expire(lake, now.date(), config.raw_retention_days)
    archive.expire_rejected(lake, now, config.raw_retention_days)
    intake.tidy_raw(lake, now)
    return done


def _take_and_archive(
    lake: Lake,
    batch: RawFiles,
    config: PipelineConfig,
    now: dt.datetime,
    on_day: Callable[[dt.date], object],
) -> Pass:
    readable, unreadable = intake.set_aside(lake, batch, read.raw_schema)
    try:
        done = _take(lake, readable, config, now, on_day)
    except read.POLARS_ERRORS:
        # A footer may be whole and the pages it points at not. To read everything twice on every
        # pass would be dear, so files are proved only after one has failed.
        readable, damaged = intake.set_aside(lake, readable, read.prove_readable)
        if not damaged:
            raise
        unreadable += damaged
        done = _take(lake, readable, config, now, on_day)
    for day, files in readable.items():
        archive.store(lake, day, files, now.date())
    return done + Pass(unreadable=unreadable)


def _take(
    lake: Lake,
    batch: RawFiles,
    config: PipelineConfig,
    now: dt.datetime,
    on_day: Callable[[dt.date], object],
) -> Pass:
    """Curate raw files, by the day of their events, whatever folder they came in."""
    clean_of, broken_of = _read(batch, now)
    done = tuple(sorted(clean_of))
    for day in done:
        # Nothing here holds on to the rows: a day that is in order needs those in disorder no more.
        replace_day(lake, day, pl.concat(clean_of.pop(day)), rows_at_once=config.rows_at_once)
        on_day(day)
    for folder, broken in broken_of.items():
        if broken.height:
            _replace_rejected(lake, folder, pl.concat([read.rejected(lake, folder), broken.lazy()]))
    return Pass(
        files=sum(len(files) for files in batch.values()),
        rejected=sum(broken.height for broken in broken_of.values()),
        days=done,
    )


def _read(
    batch: RawFiles, now: dt.datetime
) -> tuple[dict[dt.date, list[pl.DataFrame]], dict[dt.date, pl.DataFrame]]:
    """The clean rows of raw files by the day of their events, and the others by folder."""
    clean_of: dict[dt.date, list[pl.DataFrame]] = {}
    broken_of: dict[dt.date, pl.DataFrame] = {}
    for folder, files in batch.items():
        clean, broken_of[folder] = _parted(read.raw(files), now)
        for day, rows in _by_day(clean):
            clean_of.setdefault(day, []).append(rows)
    return clean_of, broken_of


def _take_again(lake: Lake, config: PipelineConfig, now: dt.datetime) -> Pass:
    """Curate what the archive and the quarantine hold, by today's rules and parsers."""
    archived = files_by_day(lake.archive)
    for batch in intake.batches(archived, config.rows_at_once):
        _take(lake, batch, config, now, lambda _: None)
    rejected = 0
    for folder in days_of(lake.quarantine):
        rows = read.rejected(lake, folder).select(RAW.names())
        clean, broken = _parted(rows, now)
        for day, new in _by_day(clean):
            replace_day(lake, day, new, rows_at_once=config.rows_at_once)
        rejected += _replace_rejected(lake, folder, broken.lazy())
    # Verdicts change with the rules for them, whether or not the raw rows are still there.
    days = days_of(lake.events)
    for day in days:
        replace_day(lake, day, rows_at_once=config.rows_at_once, again=True)
    return Pass(files=sum(map(len, archived.values())), rejected=rejected, days=tuple(days))


def _replace_rejected(lake: Lake, folder: dt.date, broken: pl.LazyFrame) -> int:
    # The same broken row, curated twice, is one row.
    once = broken.unique(RAW.names()).sort(RAW.names())
    return publish.replace(once, lake.quarantine_file(folder))


def _parted(raw: pl.LazyFrame, now: dt.datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read rows, and part those that keep every rule from those that break one."""
    return split(publish.collect(coded(with_verdict(raw, now))), now)


def _by_day(rows: pl.DataFrame) -> Iterator[tuple[dt.date, pl.DataFrame]]:
    """Part rows by the days that they are of."""
    of_day = pl.col("event_time").dt.date()
    days = rows.select(of_day.unique().sort())["event_time"].to_list()
    for day in days:
        # Nearly always a folder holds rows of one day, and they need no copy.
        yield day, rows if len(days) == 1 else rows.filter(of_day == day)
