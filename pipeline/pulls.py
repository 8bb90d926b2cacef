"""Which manifest requests belong to one image pull, and what the pull was for.

Clients fetch one image by several manifest requests: a tag is resolved by HEAD or GET, an index is
fetched by digest, then the manifest of a platform. One of them is the pull; the others say which
tag and which platform it was. A proxied manifest brings what the gateway saw of it as variables:
`digest`, `media_type`, `platform`, and `index`, the digest of the index that lists it. A redirected
one brings nothing, and is judged by its neighbours in time.
"""

import datetime as dt
from typing import Final

import polars as pl

from pipeline.coded import plain
from pipeline.distinct import per_distinct
from pipeline.key import key

# How far apart the requests of one pull may be. Clients fetch a child right after its index; only
# a credential prompt or a stalled network comes between.
WINDOW: Final = dt.timedelta(seconds=60)

INDEX_MEDIA_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)

# Build attestations travel as children of an index that run nowhere.
NO_PLATFORM: Final = "unknown/unknown"

_is_get = pl.col("method") == "GET"
_is_head = pl.col("method") == "HEAD"


def is_digest(reference: pl.Expr) -> pl.Expr:
    """Whether a manifest is asked for by content (`sha256:...`) rather than by tag."""
    # A tag cannot contain a colon.
    return plain(reference).str.contains(":", literal=True).fill_null(False)


def variable(name: str) -> pl.Expr:
    """One of the event's variables; null where it is absent or empty."""

    def read(variables: pl.Series) -> pl.Series:
        found = variables.str.json_path_match(f"$.{name}")
        return found.set(found == "", None)

    # JSON is slow to read, and the rows of one image say all the same.
    return per_distinct("variables", read, pl.String())


def own_platform() -> pl.Expr:
    """The platform that the gateway knows of a manifest, such as linux/arm64/v8."""
    platform = variable("platform")
    return pl.when(platform != NO_PLATFORM).then(platform)


def attribute(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Say of each manifest request whether it is part of another one, and fill tag and platform.

    Takes the successful requests that repeat none before them, with `row`, their place in file
    order, `event_time`, `package_id`, `package`, `artifact`, `method`, `reference`, `version`,
    `platform`, `variables` and `origin_id`. Gives `row`, `part_of_index`, `version` and `platform`.
    """
    return (
        manifests.select(
            *("row", "event_time", "method", "reference", "version", "platform"),
            image=key("origin_id", "package_id", "package", "artifact"),
            by_digest=is_digest(pl.col("reference")),
            served=variable("digest"),
            # What is asked for by tag is asked for by itself, whatever index lists it, too.
            index=pl.when(is_digest(pl.col("reference"))).then(variable("index")),
            is_index=variable("media_type").is_in(INDEX_MEDIA_TYPES).fill_null(False),
        )
        .with_columns(
            digest=pl.when("by_digest").then("reference").otherwise("served"),
            is_tag_check=_is_head & ~pl.col("by_digest"),
        )
        .drop("served")
        .pipe(_with_earlier_of_the_same_digest)
        .pipe(_with_earlier_of_the_same_index)
        .pipe(_with_earlier_of_the_same_image)
        .pipe(_with_tag)
        .pipe(_with_part_of_index)
        .pipe(_with_platform)
        .select("row", "part_of_index", "version", "platform")
    )


def _with_earlier_of_the_same_digest(manifests: pl.LazyFrame) -> pl.LazyFrame:
    is_check = _is_head & pl.col("digest").is_not_null()
    return _grouped(manifests, "image", "digest").with_columns(
        _last("event_time", is_check).alias("checked_at"),
        _last("reference", is_check).alias("checked_as"),
    )


def _with_earlier_of_the_same_index(manifests: pl.LazyFrame) -> pl.LazyFrame:
    is_check = _is_head & pl.col("digest").is_not_null()
    is_parent = _is_get & pl.col("index").is_null()
    family = pl.coalesce("index", "digest").alias("family")
    return _grouped(manifests.with_columns(family), "image", "family").with_columns(
        _last("event_time", is_check).alias("index_checked_at"),
        _last("reference", is_check).alias("index_checked_as"),
        _last("event_time", is_parent).alias("parent_at"),
        _last("row", is_parent).alias("parent"),
    )


def _with_earlier_of_the_same_image(manifests: pl.LazyFrame) -> pl.LazyFrame:
    # Where the registry itself answered the HEAD, its digest is unknown, and only the very next
    # request can be told to follow it.
    is_blind_check = pl.col("is_tag_check") & pl.col("digest").is_null()
    return _grouped(manifests, "image").with_columns(
        _before(pl.when(is_blind_check).then("event_time")).alias("just_checked_at"),
        _before(pl.col("reference")).alias("just_checked_as"),
        _before(_last("event_time", _is_get)).alias("got_at"),
    )


def _with_tag(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Give a GET by digest, as `version`, the tag that its origin resolved just before."""
    is_got_by_digest = _is_get & pl.col("by_digest")
    checked = _recent("checked_at")
    just_checked = _recent("just_checked_at")
    tag = pl.coalesce(
        pl.when(checked).then("checked_as"),
        # containerd keeps an index it has seen: the HEAD names the index, and the GET its child.
        pl.when(_recent("index_checked_at")).then("index_checked_as"),
        pl.when(just_checked).then("just_checked_as"),
    )
    return manifests.with_columns(
        resolved=is_got_by_digest & (checked | just_checked),
        version=pl.when(~is_got_by_digest).then("version").when(~is_digest(tag)).then(tag),
    )


def _with_part_of_index(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Tell manifests fetched because of an index from those asked for by themselves."""
    asked_for = ~pl.col("by_digest") | pl.col("resolved") | pl.col("is_index") | ~_recent("got_at")
    wanted = key("image", "reference").alias("wanted")
    return (
        manifests.with_columns(wanted, asked_for=_is_get & asked_for)
        # What was asked for by itself once is asked for by itself again.
        .with_columns(
            asked_for=pl.col("wanted").is_in(pl.col("wanted").filter("asked_for").implode())
        )
        .with_columns(
            # Images share children, and the gateway names the index that it served last, maybe to
            # another origin: where that is not the one fetched here, time decides.
            part_of_index=_is_get
            & ~pl.col("resolved")
            & ((pl.col("index").is_not_null() & _recent("parent_at")) | ~pl.col("asked_for"))
        )
    )


def _with_platform(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Give a pull the platform of its children, unless they have several.

    The rows are still grouped by image.
    """
    is_pull = _is_get & ~pl.col("part_of_index")
    parent = pl.when(pl.col("index").is_not_null() & _recent("parent_at")).then("parent")
    pull = pl.coalesce(parent, _last("row", is_pull))
    of_children = (
        manifests.select("part_of_index", "platform", row=pull)
        .filter("part_of_index", pl.col("row").is_not_null())
        .group_by("row")
        .agg(lowest=pl.col("platform").min(), highest=pl.col("platform").max())
        .filter(pl.col("lowest") == pl.col("highest"))
        .select("row", of_children="lowest")
    )
    return manifests.join(of_children, on="row", how="left").with_columns(
        platform=pl.when(is_pull).then(pl.coalesce("platform", "of_children")).otherwise("platform")
    )


_GROUP: Final = "group"


def _grouped(manifests: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    """Sort by a key and within it by file order, and number the groups.

    A window over numbers in order took a twentieth of the time of one over the key itself.
    """
    hashed = manifests.with_columns(key(*columns).alias(_GROUP))
    return hashed.sort(_GROUP, "row").with_columns(pl.col(_GROUP).rle_id())


def _last(value: str, where: pl.Expr) -> pl.Expr:
    """The value of the group's latest row so far for which `where` holds, this row included."""
    found = pl.when(where).then(value)
    # A fill over the group says the same and took many times as long.
    found_in = pl.when(found.is_not_null()).then(_GROUP).forward_fill()
    return pl.when(found_in == pl.col(_GROUP)).then(found.forward_fill())


def _before(value: pl.Expr) -> pl.Expr:
    """The value of the group's row before this one; null for its first."""
    # A shift over the group says the same and took thirty times as long.
    is_same = pl.col(_GROUP) == pl.col(_GROUP).shift(1)
    return pl.when(is_same).then(value.shift(1))


def _recent(time: str) -> pl.Expr:
    """Whether a time is at most WINDOW ago; false where there is none."""
    return (pl.col("event_time") - pl.col(time) <= WINDOW).fill_null(False)
