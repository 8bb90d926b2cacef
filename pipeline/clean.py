"""The rules that a raw row must keep. Rows that break one are set aside with the rules' names."""

import datetime as dt
from typing import Final, get_args

import polars as pl

from gateway.events import SCHEMA, EventType, RouteType

# The column of a rejected row that lists the rules it broke.
BROKEN: Final = "broken"
_KEEPS: Final = "keeps_every_rule"

OLDEST: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# Clocks differ and telemetry may bring its own time; more than a day ahead is a mistake.
AHEAD: Final = dt.timedelta(days=1)


def rules(now: dt.datetime) -> dict[str, pl.Expr]:
    """Every rule by name; each is true for a row that keeps it."""
    return {
        "event_id_present": pl.col("event_id").str.len_bytes() > 0,
        "event_time_present": pl.col("event_time").is_not_null(),
        "event_time_after_1999": pl.col("event_time").is_null() | (pl.col("event_time") >= OLDEST),
        "event_time_not_ahead": pl.col("event_time").is_null()
        | (pl.col("event_time") <= now + AHEAD),
        "event_type_known": pl.col("event_type").is_in(get_args(EventType)),
        "route_type_known": pl.col("route_type").is_in(get_args(RouteType)),
        "package_id_present": pl.col("package_id").str.len_bytes() > 0,
        "package_named": pl.col("package").str.len_bytes() > 0,
        "method_present": pl.col("method").str.len_bytes() > 0,
        "status_is_http": pl.col("status").is_between(100, 599),
        "range_start_not_negative": pl.col("range_start").fill_null(0) >= 0,
        "variables_are_an_object": pl.col("variables").str.starts_with("{")
        & pl.col("variables").str.ends_with("}"),
        "country_is_alpha_2": pl.col("country").is_null()
        | (pl.col("country").str.len_bytes() == 2),  # noqa: PLR2004 - alpha-2 says it
        "place_on_earth": pl.col("latitude").fill_null(0).is_between(-90, 90)
        & pl.col("longitude").fill_null(0).is_between(-180, 180),
        "origin_present": pl.col("origin_id").is_not_null(),
        "endpoint_present": pl.col("endpoint_id").is_not_null(),
    }


def with_verdict(raw: pl.LazyFrame, now: dt.datetime) -> pl.LazyFrame:
    """Add whether a row keeps every rule, so that rows are read once and then parted."""
    return raw.with_columns(pl.all_horizontal(*_verdicts(now).values()).alias(_KEEPS))


def split(judged: pl.DataFrame, now: dt.datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows that keep every rule from those that break one; the latter gain `broken`."""
    keeps = judged[_KEEPS]
    rows = judged.drop(_KEEPS)
    # Nearly always all of them do, and to filter means to copy.
    clean = rows if keeps.all() else rows.filter(keeps)
    broken = pl.concat_list(
        pl.when(holds).then(None).otherwise(pl.lit(name)) for name, holds in _verdicts(now).items()
    ).list.drop_nulls()
    # What is set aside is written as text.
    return clean, rows.filter(~keeps).cast(SCHEMA).with_columns(broken.alias(BROKEN))


def _verdicts(now: dt.datetime) -> dict[str, pl.Expr]:
    # A null verdict counts as broken: an unknown must never pass for a yes.
    return {name: rule.fill_null(value=False) for name, rule in rules(now).items()}
