"""Which manifest requests say nothing new: asked again at once, or to see whether a tag has moved.

Podman, Buildah and their like ask with GET, so that a check looks as a pull does, but for what
follows: whoever has the image fetches its configuration at most, and none of its layers.
"""

import datetime as dt
from typing import Final

import polars as pl

from pipeline import pulls
from pipeline.key import key

# Clients that try again with credentials ask for the same thing twice in a row. Longer, and two
# machines behind one address would be taken for one.
REPEAT_WINDOW: Final = dt.timedelta(seconds=5)

# Clients that keep no images fetch the layers each time, so that only time tells.
KEEP_NOTHING: Final = ("skopeo",)
COPY_WINDOW: Final = dt.timedelta(minutes=10)

_ROW: Final = "row"
_is_fetched: Final = (
    (pl.col("method") == "GET")
    & pl.col("status").is_between(200, 399)
    & (pl.col("range_start").fill_null(0) == 0)
)


def requests(events: pl.LazyFrame) -> pl.LazyFrame:
    """The GETs of manifests and blobs that were answered, by image and origin in file order.

    Takes events with `row`, their place in file order, and `not_counted_because`, which is null for
    the manifests that may count.
    """
    is_manifest = (pl.col("event_type") == "pull") & pl.col("not_counted_because").is_null()
    is_blob = (pl.col("event_type") == "blob") & _is_fetched
    return (
        events.filter((pl.col("route_type") == "docker") & (is_manifest | is_blob))
        .select(
            *(_ROW, "event_time", "reference", "client", "variables"),
            image=key("origin_id", "package_id", "package", "artifact"),
            is_blob=pl.col("event_type") == "blob",
        )
        .sort("image", _ROW)
    )


def repeated(asked: pl.LazyFrame) -> pl.LazyFrame:
    """Find the manifests that an origin asked for twice in a row, at once. Gives `row`."""
    since = pl.col("event_time") - pl.col("event_time").shift(1)
    is_again = pl.all_horizontal(
        pl.col(name) == pl.col(name).shift(1) for name in ("image", "reference", "is_blob")
    )
    return asked.filter(~pl.col("is_blob") & is_again & (since <= REPEAT_WINDOW)).select(_ROW)


def version_checks(asked: pl.LazyFrame) -> pl.LazyFrame:
    """Find the pulls of what the origin had pulled that day, and had. Gives `row`.

    Takes requests, none repeated, with `part_of_index`, null for blobs. What an origin fetched
    between one pull of an image and its next one is taken for the first one's.
    """
    is_pull = ~pl.col("is_blob") & ~pl.col("part_of_index")
    numbered = asked.with_columns(pull=is_pull.cum_sum())
    digest = (
        pl.when(pulls.is_digest(pl.col("reference")))
        .then("reference")
        .otherwise(pulls.variable("digest"))
    )
    again = (
        numbered.filter(is_pull)
        .with_columns(digest=digest)
        .filter(pl.col("digest").is_not_null())
        .with_columns(same=key("image", "reference", "digest"))
        .sort("same", _ROW)
        .with_columns(since=pl.col("event_time") - pl.col("event_time").shift(1))
        .filter(pl.col("same") == pl.col("same").shift(1))
        .select(_ROW, "image", "pull", "client", "since")
    )
    followed = (
        # Few pulls are of what was pulled already, and only theirs are counted.
        numbered.join(again, on=("image", "pull"), how="semi")
        .group_by("image", "pull")
        .agg(
            blobs=pl.col("reference").filter(pl.col("is_blob")).n_unique(),
            manifests=pl.col("reference").filter(pl.col("part_of_index")).n_unique(),
        )
    )
    # Each manifest has one configuration.
    has_layers = pl.col("blobs") > pl.max_horizontal("manifests", 1)
    keeps_nothing = pl.col("client").is_in(KEEP_NOTHING).fill_null(value=False)
    is_copied = keeps_nothing & (pl.col("since") <= COPY_WINDOW)
    return (
        again.join(followed, on=("image", "pull"), how="left")
        .filter(~has_layers | is_copied)
        .select(_ROW)
    )
