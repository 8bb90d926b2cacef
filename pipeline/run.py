"""One pass over the lake: whatever waits in `raw/` becomes curated days.

The order is the whole of crash safety. A day's events are replaced, then its counts, then the
rejected rows, and only then do the raw files leave `raw/`. Killed anywhere, the next pass finds the
same raw files and does the same work again, and ids that are already there change nothing.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline import archive, publish, read, schema
from pipeline.clean import split
from pipeline.config import PipelineConfig
from pipeline.curate import curate, enrich
from pipeline.lake import (
    Lake,
    day_folder,
    days_of,
    files_by_day,
    temporary_files,
)
from pipeline.lock import locked
from pipeline.rollup import rollup

log = logging.getLogger(__name__)

# Raw files are taken in batches of about this many bytes, so that a long absence of the pipeline
# does not cost memory in proportion.
BATCH_BYTES = 256 * 1024 * 1024

# An emptied folder in raw/ is removed only when nobody has touched it for this long: a gateway may
# be about to put a file into it.
_UNTOUCHED_SECONDS = 3600

RawFiles = Mapping[dt.date, Sequence[Path]]


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


def run(config: PipelineConfig, now: dt.datetime) -> Pass:
    """Curate everything that waits in `raw/`, and delete what the archive has kept long enough."""
    lake = Lake(config.data)
    with locked(lake, config.lock_wait):
        return _run(lake, config, now)


def rebuild(config: PipelineConfig, now: dt.datetime) -> Pass:
    """Curate every day again: what the archive still has from its raw rows, the rest as it is kept.

    Rows in quarantine that keep today's rules leave it.
    """
    lake = Lake(config.data)
    with locked(lake, config.lock_wait):
        done = _run(lake, config, now)
        again = _take(lake, files_by_day(lake.archive), now, requeue=True)
        for day in sorted(set(days_of(lake.events)) - set(again.days)):
            replace_day(lake, day, read.events(lake, day), _no_events())
            again += Pass(days=(day,))
        return done + again


def replace_day(lake: Lake, day: dt.date, kept: pl.LazyFrame, new: pl.LazyFrame) -> None:
    """Put a day's events and then its counts in place of the old ones; no rows, no files."""
    publish.replace(curate(kept, new), lake.events_file(day))
    publish.replace(rollup(read.events(lake, day)), lake.daily_file(day))


def _run(lake: Lake, config: PipelineConfig, now: dt.datetime) -> Pass:
    waiting = files_by_day(lake.raw)
    done = Pass()
    if waiting:
        _clear_leftovers(lake)
    for batch in _batches(waiting):
        done += _take_and_archive(lake, batch, now)
    archive.expire(lake, now.date(), config.raw_retention_days)
    _tidy_raw(lake, now)
    return done


def _take_and_archive(lake: Lake, batch: RawFiles, now: dt.datetime) -> Pass:
    readable, unreadable = _set_aside(lake, batch, read.raw_schema)
    try:
        done = _take(lake, readable, now)
    except pl.exceptions.PolarsError:
        # A footer may be whole and the pages it points at not. To read everything twice on every
        # pass would be dear, so files are proved only after one has failed.
        readable, damaged = _set_aside(lake, readable, read.prove_readable)
        if not damaged:
            raise
        unreadable += damaged
        done = _take(lake, readable, now)
    for day, files in readable.items():
        archive.store(lake, day, files, now.date())
    return done + Pass(unreadable=unreadable)


def _take(lake: Lake, batch: RawFiles, now: dt.datetime, *, requeue: bool = False) -> Pass:
    """Curate raw files, by the day of their events, whatever folder they came in.

    With `requeue`, the rows in quarantine are judged again, too.
    """
    clean_of: dict[dt.date, list[pl.LazyFrame]] = {}
    rejected = 0
    folders = set(batch) | (set(days_of(lake.quarantine)) if requeue else set())
    outcasts: dict[dt.date, pl.LazyFrame] = {}
    for folder in sorted(folders):
        rows = read.raw(batch.get(folder, ()))
        earlier = read.rejected(lake, folder)
        if requeue:
            rows = pl.concat([rows, earlier.select(RAW.names())])
        clean, broken = split(rows, now)
        days, count = _survey(clean, broken)
        for day in days:
            clean_of.setdefault(day, []).append(clean)
        rejected += count
        if count or requeue:
            outcasts[folder] = broken if requeue else pl.concat([earlier, broken])
    for day, frames in sorted(clean_of.items()):
        rows = pl.concat(frames).filter(_of_day(day))
        replace_day(lake, day, read.events(lake, day), enrich(rows))
    for folder, broken in outcasts.items():
        # The same broken row, curated twice, is one row.
        once = broken.unique(RAW.names()).sort(RAW.names())
        publish.replace(once, lake.quarantine_file(folder))
    return Pass(
        files=sum(len(files) for files in batch.values()),
        rejected=rejected,
        days=tuple(sorted(clean_of)),
    )


def _survey(clean: pl.LazyFrame, broken: pl.LazyFrame) -> tuple[list[dt.date], int]:
    days = publish.collect(clean.select(pl.col("event_time").dt.date().unique().sort()))
    count = publish.collect(broken.select(pl.len()))
    return days["event_time"].to_list(), int(count.item())


def _of_day(day: dt.date) -> pl.Expr:
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    return pl.col("event_time").is_between(midnight, midnight + dt.timedelta(days=1), closed="left")


def _no_events() -> pl.LazyFrame:
    return pl.LazyFrame(schema=schema.EVENTS)


def _batches(waiting: RawFiles) -> Iterator[dict[dt.date, list[Path]]]:
    batch: dict[dt.date, list[Path]] = {}
    size = 0
    for day, files in sorted(waiting.items()):
        for file in files:
            batch.setdefault(day, []).append(file)
            size += file.stat().st_size
            if size >= BATCH_BYTES:
                yield batch
                batch, size = {}, 0
    if batch:
        yield batch


def _set_aside(
    lake: Lake, batch: RawFiles, prove: Callable[[Path], object]
) -> tuple[dict[dt.date, list[Path]], int]:
    """Move the files that cannot be read to quarantine, each with a reason beside it."""
    readable: dict[dt.date, list[Path]] = {}
    unreadable = 0
    for day, files in batch.items():
        for file in files:
            try:
                prove(file)
            except read.UnreadableFileError as error:
                unreadable += 1
                # Not *.parquet any more: a glob over quarantine/ shall meet no broken file.
                place = day_folder(lake.unreadable, day) / f"{file.name}.unreadable"
                log.warning("%s; moved to %s", error, place)
                publish.write_text(f"{error.reason}\n", place.with_suffix(".reason"))
                publish.move(file, place)
            else:
                readable.setdefault(day, []).append(file)
    return readable, unreadable


def _clear_leftovers(lake: Lake) -> None:
    # Whoever wrote these is dead: the lake's lock is ours.
    for table in (lake.events, lake.daily, lake.quarantine, lake.archive):
        for leftover in temporary_files(table):
            leftover.unlink()


def _tidy_raw(lake: Lake, now: dt.datetime) -> None:
    for day in days_of(lake.raw):
        folder = day_folder(lake.raw, day)
        if now.timestamp() - folder.stat().st_mtime > _UNTOUCHED_SECONDS:
            try:
                folder.rmdir()
            except OSError:
                if not any(folder.iterdir()):
                    raise
