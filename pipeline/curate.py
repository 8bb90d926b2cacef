"""The chain from raw rows to one day's curated events: steps from LazyFrame to LazyFrame."""

import polars as pl

from pipeline.clients import with_clients, with_image_platforms, without_image_platforms
from pipeline.coded import in_schema
from pipeline.companies import with_companies
from pipeline.judge import judged
from pipeline.order import ORDER, without_duplicates
from pipeline.referrers import with_referrers
from pipeline.schema import EVENTS
from pipeline.traffic import with_traffic
from pipeline.versions import with_versions


def enrich(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Turn clean raw rows into rows of the events table, each by itself, in file order."""
    # Raw rows have fewer columns: to sort before the others are added takes half as long.
    return raw.sort(ORDER).pipe(described)


def described(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Say of each row what it says by itself; the columns that compare rows stay null."""
    return (
        raw.pipe(with_clients)
        .pipe(with_companies)
        .pipe(with_referrers)
        .pipe(with_traffic)
        .pipe(in_schema, EVENTS)
    )


def finished(events: pl.LazyFrame) -> pl.LazyFrame:
    """Fill, once a row is judged, the columns that rest on its verdicts."""
    return (
        events.pipe(without_image_platforms)
        .pipe(with_image_platforms)
        # A tag is attributed to a pull by its neighbours, and is then taken apart like any version.
        .pipe(with_versions)
        .pipe(in_schema, EVENTS)
    )


def curate(kept: pl.LazyFrame, new: pl.LazyFrame) -> pl.LazyFrame:
    """One day's events: those already curated and those new from raw, each id once.

    Both are in file order. Of two rows with one id the new one stays: a later parser knows more.
    This is what a day is; `pipeline.day` comes to the same rows and leaves most of them alone.
    """
    return (
        new.merge_sorted(kept, key=list(ORDER), maintain_order=True)
        .pipe(without_duplicates)
        .pipe(judged)
        .pipe(finished)
    )
