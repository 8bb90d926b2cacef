"""The daily table: one day's events counted along narrow cubes."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from pipeline.schema import CUBES, DAILY, DAILY_KEYS, MEASURES

# Every key is sorted by, so that the same counts always make the same file.
_KEYS: Final = ("cube", "package", *(n for n in DAILY if n not in {"cube", "package", *MEASURES}))


def rollup(events: pl.LazyFrame) -> pl.LazyFrame:
    """Count a day's curated events by every cube, sorted by cube, package and dimensions."""
    return pl.concat(_cube(events, name, dimensions) for name, dimensions in CUBES.items()).sort(
        _KEYS
    )


def summed(counts: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Add counts up; what adds up to no event is gone."""
    return (
        pl.concat(counts)
        .group_by(_KEYS)
        .agg(pl.col(MEASURES).sum())
        .filter(pl.col("events") != 0)
        .select(DAILY.names())
        .sort(_KEYS)
    )


def taken_away(counts: pl.LazyFrame) -> pl.LazyFrame:
    """The same counts, to be subtracted by adding them."""
    return counts.with_columns(-pl.col(MEASURES))


def _cube(events: pl.LazyFrame, name: str, dimensions: tuple[str, ...]) -> pl.LazyFrame:
    counts = events.group_by(*DAILY_KEYS, *dimensions).agg(
        pl.len().cast(pl.Int64).alias("events"),
        *(pl.col(flag).sum().cast(pl.Int64) for flag in MEASURES if flag != "events"),
    )
    absent = [
        pl.lit(None, dtype).alias(column)
        for column, dtype in DAILY.items()
        if column not in {"cube", *DAILY_KEYS, *dimensions, *MEASURES}
    ]
    return (
        counts.with_columns(pl.lit(name).alias("cube"), *absent).select(DAILY.names()).cast(DAILY)
    )
