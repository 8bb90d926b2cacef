"""The chain from raw rows to one day's curated events: steps from LazyFrame to LazyFrame."""

from typing import Final

import polars as pl

from pipeline.clients import with_clients, with_image_platforms
from pipeline.companies import with_companies
from pipeline.count import with_counts, with_firsts
from pipeline.referrers import with_referrers
from pipeline.schema import EVENTS
from pipeline.traffic import with_traffic
from pipeline.versions import with_versions

# The order of rows in an events file. Equal ids share the whole key, so duplicates are neighbours.
ORDER: Final = ("package", "event_time", "event_id")


def enrich(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Turn clean raw rows into rows of the events table, each by itself, in file order."""
    # Raw rows have fewer columns: to sort before the others are added takes half as long.
    return (
        raw.sort(ORDER)
        .pipe(with_clients)
        .pipe(with_companies)
        .pipe(with_referrers)
        .pipe(with_traffic)
        .pipe(_in_events_schema)
    )


def curate(kept: pl.LazyFrame, new: pl.LazyFrame) -> pl.LazyFrame:
    """One day's events: those already curated and those new from raw, each id once.

    Both are in file order. Of two rows with one id the new one stays: a later parser knows more.
    """
    return (
        new.merge_sorted(kept, key=list(ORDER), maintain_order=True)
        .pipe(_without_duplicates)
        .pipe(with_counts)
        .pipe(with_image_platforms)
        # A tag is attributed to a pull above, and is then taken apart like any version.
        .pipe(with_versions)
        .pipe(with_firsts)
        .pipe(_in_events_schema)
    )


def _without_duplicates(events: pl.LazyFrame) -> pl.LazyFrame:
    event_id = pl.col("event_id")
    return events.filter((event_id != event_id.shift(1)).fill_null(True))


def _in_events_schema(events: pl.LazyFrame) -> pl.LazyFrame:
    known = events.collect_schema()
    return events.select(
        pl.col(name).cast(dtype) if name in known else pl.lit(None, dtype).alias(name)
        for name, dtype in EVENTS.items()
    )
