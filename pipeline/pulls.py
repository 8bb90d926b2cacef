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
    return reference.str.contains(":", literal=True).fill_null(False)


def variable(name: str) -> pl.Expr:
    """One of the event's variables; null where it is absent or empty."""
    value = pl.col("variables").str.json_path_match(f"$.{name}")
    return pl.when(value != "").then(value)


def own_platform() -> pl.Expr:
    """The platform that the gateway knows of a manifest, such as linux/arm64/v8."""
    platform = variable("platform")
    return pl.when(platform != NO_PLATFORM).then(platform)


def attribute(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Say of each manifest request whether it is part of another one, and fill tag and platform.

    Takes the successful requests that repeat none before them, in file order: `row`, `event_time`,
    `package_id`, `package`, `artifact`, `method`, `reference`, `version`, `platform`, `variables`,
    `origin_id`. Gives `row`, `part_of_index`, `version` and `platform`.
    """
    return (
        manifests.with_columns(
            image=pl.struct("origin_id", "package_id", "package", "artifact").hash(),
            by_digest=is_digest(pl.col("reference")),
            served=variable("digest"),
            index=variable("index"),
            is_index=variable("media_type").is_in(INDEX_MEDIA_TYPES).fill_null(False),
        )
        .with_columns(
            digest=pl.when("by_digest").then("reference").otherwise("served"),
            is_tag_check=_is_head & ~pl.col("by_digest"),
        )
        .pipe(_with_tag)
        .pipe(_with_part_of_index)
        .pipe(_with_platform)
        .select("row", "part_of_index", "version", "platform")
    )


def _with_tag(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Give a GET by digest, as `version`, the tag that its origin resolved just before."""
    by_own = pl.struct("image", "digest").hash()
    # containerd keeps an index it has seen: then the HEAD names the index, and the GET the child.
    by_index = pl.struct("image", pl.coalesce("index", "digest")).hash()
    names_a_digest = _is_head & pl.col("digest").is_not_null()
    before = _is_get & pl.col("by_digest")
    # Where the registry itself answered the HEAD, its digest is unknown, and only the very next
    # request can be told to follow it.
    follows_a_tag_check = (
        (pl.col("is_tag_check") & pl.col("digest").is_null())
        .shift(1)
        .over("image")
        .fill_null(False)
    )
    return (
        manifests.with_columns(
            _last(pl.col("event_time"), names_a_digest, by_own).alias("asked_at"),
            _last(pl.col("reference"), names_a_digest, by_own).alias("asked_as"),
            _last(pl.col("event_time"), names_a_digest, by_index).alias("index_asked_at"),
            _last(pl.col("reference"), names_a_digest, by_index).alias("index_asked_as"),
            follows_a_tag_check=follows_a_tag_check
            & _within(pl.col("event_time").shift(1).over("image")),
            previous=pl.col("reference").shift(1).over("image"),
        )
        .with_columns(
            resolved=before & (_within(pl.col("asked_at")) | pl.col("follows_a_tag_check")),
            tag=pl.coalesce(
                pl.when(_within(pl.col("asked_at"))).then("asked_as"),
                pl.when(_within(pl.col("index_asked_at"))).then("index_asked_as"),
                pl.when("follows_a_tag_check").then("previous"),
            ),
        )
        .with_columns(
            version=pl.when(~before).then("version").when(~is_digest(pl.col("tag"))).then("tag")
        )
    )


def _with_part_of_index(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Tell manifests fetched because of an index from those asked for by themselves."""
    family = pl.struct("image", pl.coalesce("index", "digest")).hash()
    is_parent = _is_get & pl.col("index").is_null()
    earlier_get = pl.when(_is_get).then("event_time").forward_fill().shift(1).over("image")
    asked_for = (
        ~pl.col("by_digest") | pl.col("resolved") | pl.col("is_index") | ~_within(earlier_get)
    )
    return (
        manifests.with_columns(
            _last(pl.col("event_time"), is_parent, family).alias("parent_at"),
            _last(pl.col("row"), is_parent, family).alias("parent"),
            asked_for=is_parent & asked_for,
        )
        # What was asked for by itself once is asked for by itself again.
        .with_columns(
            asked_for=pl.col("asked_for").any().over(pl.struct("image", "reference").hash())
        )
        .with_columns(
            part_of_index=_is_get
            & pl.when(pl.col("index").is_not_null())
            .then(_within(pl.col("parent_at")))
            .otherwise(~pl.col("asked_for"))
        )
    )


def _with_platform(manifests: pl.LazyFrame) -> pl.LazyFrame:
    """Give a pull the platform of its children, unless they have several."""
    is_pull = _is_get & ~pl.col("part_of_index")
    latest = _last(pl.col("row"), is_pull, "image")
    child_platform = pl.when("part_of_index").then("platform")
    return (
        manifests.with_columns(
            pull=pl.when(is_pull)
            .then("row")
            .when("part_of_index")
            .then(pl.coalesce(pl.when(pl.col("index").is_not_null()).then("parent"), latest))
        )
        .with_columns(
            lowest=child_platform.min().over("pull"), highest=child_platform.max().over("pull")
        )
        .with_columns(
            platform=pl.when(is_pull & (pl.col("lowest") == pl.col("highest")))
            .then(pl.coalesce("platform", "lowest"))
            .otherwise("platform")
        )
    )


def _last(value: pl.Expr, where: pl.Expr, group: pl.Expr | str) -> pl.Expr:
    """The value of the group's latest row so far for which `where` holds, this row included."""
    return pl.when(where).then(value).forward_fill().over(group)


def _within(then: pl.Expr) -> pl.Expr:
    """Whether a time is at most WINDOW ago; false where there is none."""
    return (pl.col("event_time") - then <= WINDOW).fill_null(False)
