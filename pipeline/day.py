"""One day of the lake, brought up to date: its events and its counts.

A day is a pure function of its rows, and its file is replaced whole. But most of a large day stays
as it was when a few rows arrive, so only those row groups are decoded that a new row falls into or
that hold a row with another verdict; the bytes of the others are copied. The counts change by the
same rows: what they count now is added, what they counted before is taken away.
"""

import datetime as dt
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline import encode, publish, read, splice
from pipeline.coded import coded
from pipeline.curate import described, finished
from pipeline.judge import KEPT_ROW, VERDICTS, Judgement, judge
from pipeline.lake import Lake
from pipeline.order import ORDER, in_order, without_duplicates
from pipeline.publish import ROWS_IN_GROUP
from pipeline.rollup import rollup, summed, taken_away
from pipeline.schema import CUBES, DAILY, EVENTS

# The name in the footer of a day's counts that tells which state of its events they are of.
STAMP: Final = "footfall.events"

_NO_ROWS: Final = pl.DataFrame(schema=RAW)
_NOTHING: Final = pl.lit(value=False)
# Changes of the counts are added up when they are this many rows.
_MANY_COUNTS: Final = 250_000
# Stretches that are made at the same time. Each is some 100 MB.
_AT_A_TIME: Final = 2


class _Rewritten(NamedTuple):
    """A stretch of the day, written anew."""

    groups: splice.Groups
    counts: list[pl.DataFrame]  # what has to be added to the day's counts


# What makes one.
_Work = Callable[[], _Rewritten]


def replace_day(
    lake: Lake,
    day: dt.date,
    new: pl.DataFrame = _NO_ROWS,
    *,
    rows_at_once: int,
    again: bool = False,
    going: pl.Expr = _NOTHING,
) -> None:
    """Put a day's events and then its counts in place of the old ones; no rows, no files.

    `new` are clean raw rows of the day. `again` judges every row anew. Rows for which `going` holds
    go, and then the rows that stay are judged without them.
    """
    new = in_order(publish.collect_in_memory(coded(new.lazy())))
    new = publish.collect_in_memory(without_duplicates(new.lazy()))
    kept = read.events(lake, day)
    counts = None if again else _counts(lake, day)
    found = judge(kept, new, going, rows_at_once=rows_at_once, again=again)
    changes = _Changes(counts)
    file = lake.events_file(day)

    def fill(temporary: Path) -> int:
        with ExitStack() as stack:
            groups = stack.enter_context(splice.opened(file)) if file.exists() else None
            splicer = splice.Splicer(stack.enter_context(temporary.open("wb")))
            for part in _ahead(_parts(kept, groups, new, found)):
                if isinstance(part, _Rewritten):
                    changes.add(part)
                    for number in range(len(part.groups)):
                        splicer.copy(part.groups, number)
                elif groups is not None:
                    splicer.copy(groups, part)
            splicer.finish()
            return splicer.rows

    if publish.write(file, fill):
        publish.replace(
            changes.counts(read.events(lake, day)), lake.daily_file(day), {STAMP: _stamp(file)}
        )
    else:
        publish.remove(lake.daily_file(day))


class _Changes:
    """A day's counts, as they become while its events are written."""

    def __init__(self, before: pl.DataFrame | None) -> None:
        self._before = before
        self._found: list[pl.DataFrame] = []

    def add(self, part: _Rewritten) -> None:
        if self._before is None:
            return
        self._found += part.counts
        if sum(frame.height for frame in self._found) > _MANY_COUNTS:
            self._found = [publish.collect(summed(frame.lazy() for frame in self._found))]

    def counts(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """The counts of these events."""
        if self._before is None:
            return rollup(events)
        return summed(frame.lazy() for frame in (self._before, *self._found))


def _counts(lake: Lake, day: dt.date) -> pl.DataFrame | None:
    """The day's counts; None where they are not those of its events.

    A pass may have been killed between the two, or somebody may have written either.
    """
    events, daily = lake.events_file(day), lake.daily_file(day)
    if not events.exists():
        return publish.collect(rollup(pl.LazyFrame(schema=EVENTS)))
    if not daily.exists() or read.footer_words(daily).get(STAMP) != _stamp(events):
        return None
    return publish.collect(read.daily(lake, day))


def _stamp(events: Path) -> str:
    # Counts by other cubes are not those of these events either.
    cubes = blake2b(repr((CUBES, DAILY)).encode(), digest_size=8).hexdigest()
    return f"{splice.digest(events)}-{cubes}"


def _parts(
    kept: pl.LazyFrame, groups: splice.Groups | None, new: pl.DataFrame, found: Judgement
) -> Iterator[int | _Work]:
    """The day in file order: numbers of row groups that stay as they are, and stretches anew."""
    rows = groups.rows if groups else [0]
    is_ours = groups is not None and groups.schema == encode.whole().schema
    starts = [sum(rows[:n]) for n in range(len(rows))]
    cuts = [0, *_cuts(kept, starts[1:], new), new.height]
    for number, (start, size) in enumerate(zip(starts, rows, strict=True)):
        changed = _within(found.changed, start, start + size)
        dropped = _within(found.dropped.to_frame(KEPT_ROW), start, start + size)[KEPT_ROW]
        arrived = slice(cuts[number], cuts[number + 1])
        if is_ours and arrived.start == arrived.stop and not changed.height and not dropped.len():
            yield number
            continue
        old = publish.collect(coded(kept.slice(start, size)).with_row_index(KEPT_ROW, start))
        came = new[arrived].hstack(found.of_new[arrived].rename(_judged_name))
        for some_old, some_new in _in_step(old, came):
            yield partial(_rewritten, some_old, some_new, changed, dropped)


def _rewritten(
    old: pl.DataFrame, new: pl.DataFrame, changed: pl.DataFrame, dropped: pl.Series
) -> _Rewritten:
    goes = pl.col(KEPT_ROW).is_in(dropped.implode())
    changes = pl.col(KEPT_ROW).is_in(changed[KEPT_ROW].implode())
    judged_anew = (
        old.filter(changes)
        .drop(VERDICTS)
        .join(changed, on=KEPT_ROW, how="left", maintain_order="left")
    )
    after = [
        publish.collect_in_memory(finished(judged_anew.lazy())),
        publish.collect_in_memory(finished(_with_verdicts(described(new.lazy()), new))),
    ]
    stays = old.filter(~goes & ~changes).drop(KEPT_ROW)
    parts = [part for part in (stays, *after) if part.height]
    # Each part is in order.
    rows = in_order(pl.concat(parts)) if len(parts) > 1 else pl.concat([stays, *after])
    before = old.filter(goes | changes)
    counts = [publish.collect(rollup(part.lazy())) for part in after if part.height]
    if before.height:
        counts.append(publish.collect(taken_away(rollup(before.lazy()))))
    return _Rewritten(encode.encoded(rows, _even(rows.height)), counts)


def _with_verdicts(events: pl.LazyFrame, judged: pl.DataFrame) -> pl.LazyFrame:
    verdicts = judged.lazy().select(pl.col(_judged_name(name)).alias(name) for name in VERDICTS)
    return pl.concat([events.drop(VERDICTS), verdicts], how="horizontal")


def _judged_name(name: str) -> str:
    return f"judged_{name}"


def _in_step(old: pl.DataFrame, new: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Walk two tables in file order, a bounded number of rows at a time."""
    at = 0
    for start in range(0, new.height, ROWS_IN_GROUP) or (0,):
        stop = start + ROWS_IN_GROUP
        end = _place(old, _key(new, stop)) if stop < new.height else old.height
        yield old[at:end], new[start:stop]
        at = end


def _cuts(kept: pl.LazyFrame, starts: Sequence[int], new: pl.DataFrame) -> list[int]:
    """For each row group but the first, how many new rows come before it."""
    if not new.height:
        return [0] * len(starts)
    firsts = pl.collect_all([kept.slice(start, 1).select(ORDER) for start in starts])
    return [_place(new, _key(first, 0)) for first in firsts]


def _place(rows: pl.DataFrame, key: tuple[Any, ...]) -> int:
    return bisect_left(range(rows.height), key, key=lambda row: _key(rows, row))


def _key(rows: pl.DataFrame, row: int) -> tuple[Any, ...]:
    return tuple(rows.item(row, name) for name in ORDER)


def _within(rows: pl.DataFrame, start: int, stop: int) -> pl.DataFrame:
    """The rows whose place is in a range; they are in order."""
    low, high = (rows[KEPT_ROW].search_sorted(bound) for bound in (start, stop))
    return rows[low:high]


def _even(rows: int) -> int:
    """The size of row groups that are all about as large: none too small to compress."""
    groups = -(-rows // ROWS_IN_GROUP) or 1
    return -(-rows // groups)


def _ahead(parts: Iterator[int | _Work]) -> Iterator[int | _Rewritten]:
    """Do the work of some parts at a time, and give them in their order."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        waiting: deque[int | Future[_Rewritten]] = deque()
        for part in parts:
            waiting.append(part if isinstance(part, int) else pool.submit(part))
            if len(waiting) > _AT_A_TIME:
                yield _done(waiting.popleft())
        while waiting:
            yield _done(waiting.popleft())


def _done(part: "int | Future[_Rewritten]") -> int | _Rewritten:
    return part if isinstance(part, int) else part.result()
