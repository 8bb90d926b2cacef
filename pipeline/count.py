"""What counts as one install, and which rows are an origin's first of the day.

Every verdict here rests on columns that the curated table keeps, so a day can be judged again
whenever an event arrives late.
"""

from typing import Final

import numpy as np
import polars as pl

from pipeline import checks, pulls
from pipeline.coded import plain
from pipeline.key import key

# The values of `not_counted_because`, in the order they are tried.
REASONS: Final = (
    "view",
    "metadata",
    "blob",
    "not_modified",
    "failed",
    "head",
    "not_get",
    "resume",
    "repeated",
    "part_of_index",
    "version_check",
)

# The columns that verdicts rest on.
CONTEXT: Final = (
    "event_time",
    "event_type",
    "route_type",
    "package_id",
    "package",
    "artifact",
    "version",
    "reference",
    "method",
    "status",
    "range_start",
    "variables",
    "client",
    "origin_id",
)

_OF_TYPE: Final = ("origin_id", "counted", "event_type")
_OF_PACKAGE: Final = (*_OF_TYPE, "package_id")
# What the first of is marked, from the widest to the narrowest.
_FIRSTS: Final = {
    "first_of_type": _OF_TYPE,
    "first_of_package": _OF_PACKAGE,
    "first_of_version": (*_OF_PACKAGE, "version"),
}

_ROW = "row"
_is_fetch = pl.col("event_type").is_in(("pull", "download"))
_was_attributed = pl.col("part_of_index").is_not_null()
_is_manifest = (pl.col("route_type") == "docker") & (pl.col("event_type") == "pull")
# A file of a repository says by its path what it runs on.
_has_platform = _is_manifest | (pl.col("route_type") == "repository")


def with_counts(events: pl.LazyFrame) -> pl.LazyFrame:
    """Decide `counted` and `not_counted_because`, and attribute tag and platform to image pulls.

    The events are one day's, each id once, sorted by (package, event_time, event_id).
    """
    # A tag attributed in an earlier pass is forgotten and found again: the same rows give the same
    # verdicts, in however many passes they arrived.
    fresh = (
        events.with_row_index(_ROW)
        .with_columns(
            version=pl.when(~(_is_manifest & pulls.is_digest(pl.col("reference")))).then("version"),
            platform=pl.when(_has_platform).then(pulls.own_platform()),
            not_counted_because=_reason_by_itself(),
        )
        # Read by every branch below; without this, each would parse and sort the raw rows again.
        .cache()
    )
    may_count = pl.col("not_counted_because").is_null()
    asked = checks.requests(fresh).cache()
    repeated = pl.concat([checks.repeated(asked), _repeated_wheels(fresh.filter(may_count))])
    manifests = fresh.filter(_is_manifest & (may_count | (pl.col("not_counted_because") == "head")))
    pulled = pulls.attribute(manifests.join(repeated, on=_ROW, how="anti")).cache()
    parts = pulled.select(_ROW, "part_of_index")
    checked = checks.version_checks(
        asked.join(repeated, on=_ROW, how="anti", maintain_order="left").join(
            parts, on=_ROW, how="left", maintain_order="left"
        )
    )
    # What was pulled repeats nothing, and only of that some are checks: so one join does for all.
    found = pl.concat(
        [
            pulled.rename({"version": "tag", "platform": "pulled_platform"}).join(
                checked.with_columns(version_check=True), on=_ROW, how="left"
            ),
            repeated.with_columns(repeated=True),
        ],
        how="diagonal",
    )
    verdicts = fresh.select(_ROW).join(found, on=_ROW, how="left", maintain_order="left")
    # Side by side, since both are in file order: a join would gather every column of the day.
    return (
        pl.concat([fresh.drop(_ROW), verdicts.drop(_ROW)], how="horizontal")
        .with_columns(
            version=pl.when(_was_attributed).then("tag").otherwise("version"),
            platform=pl.when(_was_attributed).then("pulled_platform").otherwise("platform"),
            not_counted_because=pl.when("repeated")
            .then(pl.lit("repeated"))
            .when("part_of_index")
            .then(pl.lit("part_of_index"))
            .when("version_check")
            .then(pl.lit("version_check"))
            .otherwise("not_counted_because"),
        )
        .with_columns(counted=pl.col("not_counted_because").is_null())
        .drop("repeated", "version_check", "part_of_index", "tag", "pulled_platform")
    )


def with_firsts(events: pl.LazyFrame) -> pl.LazyFrame:
    """Mark the rows that make sums of flags equal to counts of distinct origins.

    The first is the first in time: so what arrives in time's order changes no flag of a row before.
    """
    keys = events.select("event_time", *(key(*columns).alias(n) for n, columns in _FIRSTS.items()))
    flags = keys.map_batches(_firsts, schema=dict.fromkeys(_FIRSTS, pl.Boolean()))
    return pl.concat([events.drop(_FIRSTS, strict=False), flags], how="horizontal")


def _firsts(keys: pl.DataFrame) -> pl.DataFrame:
    # Of rows of one moment, the first in file order.
    rows = keys.select(pl.arg_sort_by("event_time", maintain_order=True)).to_series()
    flags: dict[str, pl.Series] = {}
    for name in reversed(_FIRSTS):
        # Whoever is the first of all packages is the first of its own: each step leaves fewer rows.
        rows = rows.filter(keys[name].gather(rows).is_first_distinct())
        flag = np.zeros(keys.height, dtype=np.bool_)
        flag[rows.to_numpy()] = True
        flags[name] = pl.Series(flag)
    return pl.DataFrame({name: flags[name] for name in _FIRSTS})


def _reason_by_itself() -> pl.Expr:
    """Why a row is no install, as far as it shows by the row alone."""
    status, kind, method = pl.col("status"), pl.col("event_type"), pl.col("method")
    # Signatures and attestations lie in the registry as images with a tag made of a digest.
    is_signature = _is_manifest & plain(pl.col("reference")).str.contains(
        r"^sha256-[0-9a-f]{64}"
    ).fill_null(False)
    return (
        pl.when(kind.is_in(("view", "metadata", "blob")))
        .then(kind)
        .when(is_signature)
        .then(pl.lit("metadata"))
        .when(status == 304)  # noqa: PLR2004 - Not Modified
        .then(pl.lit("not_modified"))
        .when(~status.is_between(200, 399))
        .then(pl.lit("failed"))
        .when(~_is_fetch)
        .then(None)
        .when(method == "HEAD")
        .then(pl.lit("head"))
        .when(method != "GET")
        .then(pl.lit("not_get"))
        .when(pl.col("range_start") > 0)
        .then(pl.lit("resume"))
    )


def _repeated_wheels(candidates: pl.LazyFrame) -> pl.LazyFrame:
    """Find the wheels that uv asked for again at once: it probes a file before it takes it.

    Other clients that fetch a file twice are two installs.
    """
    request = key("origin_id", "package_id", "package", "artifact", "reference", "version")
    is_uvs = (pl.col("route_type") == "python") & (pl.col("client") == "uv")
    # Sorted, so that requests for the same thing are neighbours.
    by_request = (
        candidates.filter(_is_fetch & is_uvs)
        .select(_ROW, "event_time", request=request)
        .sort("request", _ROW)
    )
    since = pl.col("event_time") - pl.col("event_time").shift(1)
    is_same = pl.col("request") == pl.col("request").shift(1)
    return by_request.filter(is_same & (since <= checks.REPEAT_WINDOW)).select(_ROW)
