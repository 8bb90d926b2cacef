"""The daily table: one day's events counted along narrow cubes."""

import polars as pl

from pipeline.schema import CUBES, DAILY, DAILY_KEYS, MEASURES


def rollup(events: pl.LazyFrame) -> pl.LazyFrame:
    """Count a day's curated events by every cube, sorted by cube, package and dimensions."""
    cubes = pl.concat(_cube(events, name, dimensions) for name, dimensions in CUBES.items())
    # Every key is sorted by, so that the same counts always make the same file.
    keys = [name for name in DAILY if name not in {"cube", "package", *MEASURES}]
    return cubes.sort("cube", "package", *keys)


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
    return counts.with_columns(pl.lit(name).alias("cube"), *absent).select(DAILY.names())
