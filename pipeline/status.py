"""What is in the lake and what waits, told from file names and footers."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import msgspec
import polars as pl

from pipeline import publish, read
from pipeline.clean import BROKEN
from pipeline.lake import Lake, days_of, files_by_day


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a lake at one moment."""

    lake: str
    waiting_files: int  # in raw/
    waiting_rows: int
    days: int  # with curated events
    first_day: dt.date | None
    last_day: dt.date | None
    events: int
    newest_event: dt.datetime | None
    rejected: int  # rows in quarantine
    rejected_by_rule: dict[str, int]  # a row that breaks two rules stands under both
    unreadable_files: int
    bytes: dict[str, int]  # by folder of the lake


def status(lake: Lake) -> Status:
    """Look at a lake without locking it: files that a pass takes away meanwhile are not counted."""
    waiting = list(_flat(files_by_day(lake.raw).values()))
    curated = files_by_day(lake.events)
    by_rule = _rejected_by_rule(lake)
    return Status(
        lake=str(lake.root),
        waiting_files=len(waiting),
        waiting_rows=_rows(waiting),
        days=len(curated),
        first_day=min(curated, default=None),
        last_day=max(curated, default=None),
        events=_rows(_flat(curated.values())),
        newest_event=_newest_event(lake, curated),
        rejected=_rows(_flat(files_by_day(lake.quarantine).values())),
        rejected_by_rule=by_rule,
        unreadable_files=len(list(lake.unreadable.glob("date=*/*.unreadable"))),
        bytes={
            table.name: _size(table)
            for table in (lake.raw, lake.archive, lake.events, lake.daily, lake.quarantine)
        },
    )


def as_text(found: Status) -> str:
    """The same for a person."""
    lines = [
        f"lake          {found.lake}",
        f"waiting       {found.waiting_rows:,} rows in {found.waiting_files:,} files",
        f"events        {found.events:,} on {found.days:,} days"
        + (f", {found.first_day} to {found.last_day}" if found.days else ""),
        "newest event  "
        + (f"{found.newest_event:%Y-%m-%d %H:%M:%S} UTC" if found.newest_event else "none yet"),
        f"rejected      {found.rejected:,} rows, {found.unreadable_files:,} unreadable files",
        *(f"              {rule}: {rows:,}" for rule, rows in found.rejected_by_rule.items()),
        "size          "
        + ", ".join(f"{name}/ {size / 1e6:,.1f} MB" for name, size in found.bytes.items()),
    ]
    return "\n".join(lines)


def _newest_event(lake: Lake, days: Iterable[dt.date]) -> dt.datetime | None:
    last = max(days, default=None)
    if last is None:
        return None
    newest = publish.collect(read.events(lake, last).select(pl.col("event_time").max()))
    found = newest.item()
    return found if isinstance(found, dt.datetime) else None


def _rejected_by_rule(lake: Lake) -> dict[str, int]:
    counts: dict[str, int] = {}
    for day in days_of(lake.quarantine):
        rules = read.rejected(lake, day).select(pl.col(BROKEN).explode()).group_by(BROKEN).len()
        for rule, rows in publish.collect(rules).iter_rows():
            counts[rule] = counts.get(rule, 0) + rows
    return dict(sorted(counts.items()))


def _rows(files: Iterable[Path]) -> int:
    total = 0
    for file in files:
        try:
            total += publish.row_count(file)
        except (FileNotFoundError, publish.NotParquetError):
            continue
    return total


def _size(table: Path) -> int:
    total = 0
    for file in table.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def _flat(groups: Iterable[Iterable[Path]]) -> Iterable[Path]:
    return (file for group in groups for file in group)
