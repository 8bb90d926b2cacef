"""What counts as one install, and which rows are an origin's first of the day.

Every verdict here rests on columns that the curated table keeps, so a day can be judged again
whenever an event arrives late.
"""

from typing import Final

import polars as pl

from pipeline import checks, pulls

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
    verdicts = fresh.select(_ROW)
    for found in (
        repeated.with_columns(repeated=True),
        checked.with_columns(version_check=True),
        pulled.rename({"version": "tag", "platform": "pulled_platform"}),
    ):
        verdicts = verdicts.join(found, on=_ROW, how="left", maintain_order="left")
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
    of_type = ("origin_id", "counted", "event_type")
    of_package = (*of_type, "package_id")
    of_version = (*of_package, "version")
    keys = {
        "first_of_type": of_type,
        "first_of_package": of_package,
        "first_of_version": of_version,
    }
    flags = (
        # A 64-bit hash stands for a key: comparing structs of strings took several times as long,
        # and two keys of one day share a hash once in 10^5 days of 10^7 rows.
        events.select("event_time", *(pl.struct(key).hash().alias(n) for n, key in keys.items()))
        .with_row_index(_ROW)
        # Of rows of one moment, the first in file order.
        .sort("event_time", _ROW)
        .with_columns(pl.col(name).is_first_distinct() for name in keys)
        .sort(_ROW)
        .select(*keys)
    )
    return pl.concat([events.drop(*keys, strict=False), flags], how="horizontal")


def _reason_by_itself() -> pl.Expr:
    """Why a row is no install, as far as it shows by the row alone."""
    status, kind, method = pl.col("status"), pl.col("event_type"), pl.col("method")
    # Signatures and attestations lie in the registry as images with a tag made of a digest.
    is_signature = _is_manifest & pl.col("reference").str.contains(
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
    request = pl.struct("origin_id", "package_id", "package", "artifact", "reference", "version")
    is_uvs = (pl.col("route_type") == "python") & (pl.col("client") == "uv")
    # Sorted, so that requests for the same thing are neighbours.
    by_request = (
        candidates.filter(_is_fetch & is_uvs)
        .select(_ROW, "event_time", request=request.hash())
        .sort("request", _ROW)
    )
    since = pl.col("event_time") - pl.col("event_time").shift(1)
    is_same = pl.col("request") == pl.col("request").shift(1)
    return by_request.filter(is_same & (since <= checks.REPEAT_WINDOW)).select(_ROW)
