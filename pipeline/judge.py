"""What the rows of a day say of each other: verdicts, and how new rows change those of old ones.

Every verdict rests on rows of one origin alone. So only the rows of origins that something new
happened to are judged again, by the few columns that verdicts need, and as many origins at a time
as fit in memory.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import polars as pl

from pipeline import publish
from pipeline.clients import with_client
from pipeline.coded import coded
from pipeline.count import CONTEXT, with_counts, with_firsts
from pipeline.order import ORDER, in_order, without_duplicates

# What is judged; everything else that a row says it says by itself.
VERDICTS: Final = (
    "version",
    "platform",
    "counted",
    "not_counted_because",
    "first_of_type",
    "first_of_package",
    "first_of_version",
)

# The places of rows among the kept ones and among the new ones.
KEPT_ROW: Final = "kept_row"
_NEW_ROW: Final = "new_row"

# Fewer are judged at once: to part them takes longer than it saves.
_MANY_ROWS: Final = 20_000
_AT_A_TIME: Final = 2

_COLUMNS: Final = tuple(dict.fromkeys((*ORDER, *CONTEXT)))


class Judgement(NamedTuple):
    """The verdicts over new rows, and what becomes of kept ones."""

    of_new: pl.DataFrame  # VERDICTS of each new row, in their order
    changed: pl.DataFrame  # KEPT_ROW and VERDICTS, in order, of kept rows that are not as they were
    dropped: pl.Series  # places of kept rows that go, in order


def judged(events: pl.LazyFrame) -> pl.LazyFrame:
    """Judge one day's rows, each id once, in file order."""
    return events.pipe(with_counts).pipe(with_firsts)


def judge(
    kept: pl.LazyFrame, new: pl.DataFrame, going: pl.Expr, *, rows_at_once: int, again: bool
) -> Judgement:
    """Judge the rows of every origin that a new row is of, or one that goes; or `again`, of all.

    Both tables are in file order, new rows each once. A kept row whose id comes again goes, too:
    a later parser knows more.
    """
    placed = kept.with_row_index(KEPT_ROW)
    gone = publish.collect(placed.filter(going).select(KEPT_ROW, "origin_id"))
    if not again:
        origins = pl.concat([new["origin_id"], gone["origin_id"]]).unique()
        placed = placed.filter(pl.col("origin_id").is_in(origins.implode()))
    placed = (
        placed.filter(~going)
        .select(KEPT_ROW, *_COLUMNS, *(pl.col(name).alias(_was(name)) for name in VERDICTS))
        .pipe(coded)
    )
    # What a client is called is all that verdicts take from a user agent.
    narrow = publish.collect(new.lazy().pipe(with_client).select(_COLUMNS)).with_row_index(_NEW_ROW)
    parts = [_judge(*rows, again=again) for rows in _by_origins(placed, narrow, rows_at_once)]
    return Judgement(
        of_new=pl.concat(part.of_new for part in parts).sort(_NEW_ROW).drop(_NEW_ROW),
        changed=pl.concat(part.changed for part in parts).sort(KEPT_ROW),
        dropped=pl.concat([gone[KEPT_ROW], *(part.dropped for part in parts)]).sort(),
    )


def _by_origins(
    kept: pl.LazyFrame, new: pl.DataFrame, rows_at_once: int
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    rows = new.height + int(publish.collect(kept.select(pl.len())).item())
    buckets = -(-rows // rows_at_once) or 1
    for bucket in range(buckets):
        # Ids are hashes already, so their remainders part them evenly.
        is_in = pl.col("origin_id") % buckets == bucket if buckets > 1 else pl.lit(value=True)
        yield publish.collect(kept.filter(is_in)), new.filter(is_in)


def _judge(kept: pl.DataFrame, new: pl.DataFrame, *, again: bool) -> Judgement:
    whole = pl.concat([new, kept], how="diagonal")
    if new.height and kept.height:
        # Stable, so that of two rows with one id the new one comes first.
        whole = in_order(whole)
    once = publish.collect_in_memory(without_duplicates(whole.lazy()))
    verdicts = _judged_side_by_side(once)
    is_changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(_was(name))) for name in VERDICTS)
    return Judgement(
        of_new=verdicts.filter(pl.col(_NEW_ROW).is_not_null()).select(_NEW_ROW, *VERDICTS),
        changed=verdicts.filter(pl.col(KEPT_ROW).is_not_null(), is_changed | again).select(
            KEPT_ROW, *VERDICTS
        ),
        dropped=kept.filter(~pl.col(KEPT_ROW).is_in(once[KEPT_ROW].drop_nulls().implode()))[
            KEPT_ROW
        ],
    )


def _judged_side_by_side(rows: pl.DataFrame) -> pl.DataFrame:
    """Judge the rows of some origins beside those of the others: one at a time uses one core."""
    if rows.height < _MANY_ROWS:
        return publish.collect_in_memory(judged(rows.lazy()))
    # Not the remainder by 2: that is the same for all rows of one bucket.
    half = pl.col("origin_id").hash() % _AT_A_TIME
    halves = [rows.lazy().filter(half == number) for number in range(_AT_A_TIME)]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return pl.concat(pool.map(publish.collect_in_memory, map(judged, halves)))


def _was(name: str) -> str:
    return f"was_{name}"
