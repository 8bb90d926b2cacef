"""What an export's columns are called and where their values come from. API.md lists them."""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from pipeline.schema import EVENTS

ColumnSet = Literal["all", "scarf"]

# Scarf's documented words for the kinds of event we share; every other kind keeps its own name.
EVENT_TYPES: Final = {
    "pull": "manifest-fetch",
    "download": "binary-download",
    "view": "pixel-fetch",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export, computed from a row of `events/`."""

    name: str
    value: pl.Expr
    meaning: str


def _column(name: str, value: pl.Expr, meaning: str) -> Column:
    return Column(name, value.alias(name), meaning)


def _as_is(name: str, source: str) -> Column:
    return _column(name, pl.col(source), f"`{source}`")


def _never(name: str, dtype: pl.DataType | type[pl.DataType], reason: str) -> Column:
    return _column(name, pl.lit(None, dtype), f"always empty: {reason}")


_viewed = pl.col("event_type") == "view"
# A network operator or a cloud is never shown as a company, whatever the table says.
_a_company = ~pl.col("company_kind").is_in(["isp", "hosting"]).fill_null(value=False)
_platform = pl.coalesce(
    "platform", pl.concat_str("os", "arch", separator="/", ignore_nulls=False), "os", "arch"
)

# Scarf's own loader for PostgreSQL copies the file by position, so its order is the one that
# counts. The list on Scarf's documentation page has another, and leaves `platform` out.
SCARF: Final = (
    _as_is("id", "event_id"),
    _column(
        "type",
        pl.col("event_type").replace(EVENT_TYPES),
        "`event_type`: pull is manifest-fetch, download is binary-download, view is pixel-fetch; "
        "install, telemetry, metadata and blob stay as they are",
    ),
    _column("package", pl.when(~_viewed).then("package"), "`package`; empty for a view"),
    _column("pixel", pl.when(_viewed).then("package"), "`package` of a view; else empty"),
    _as_is("version", "version"),
    _as_is("time", "event_time"),
    _as_is("referer", "referrer"),
    _never("user_agent", pl.String, "the curated table keeps what was read from it, not the text"),
    _column("platform", _platform, "`platform`, else `os`/`arch` as far as they are known"),
    _as_is("variables", "variables"),
    _column("origin_id", pl.col("origin_id").cast(pl.String), "`origin_id` as text"),
    _as_is("origin_latitude", "latitude"),
    _as_is("origin_longitude", "longitude"),
    _as_is("origin_country", "country"),
    _as_is("origin_city", "city"),
    _never("origin_postal", pl.String, "a postal code is never looked up"),
    _column(
        "origin_connection_type",
        pl.col("company_kind").replace({"unknown": None}),
        "`company_kind` (business, isp, hosting, education, government); empty for unknown",
    ),
    _column(
        "origin_company",
        pl.when(_a_company).then("company"),
        "`company`; empty for isp, hosting",
    ),
    _column(
        "origin_domain",
        pl.when(_a_company).then("company_domain"),
        "`company_domain`; empty for isp, hosting",
    ),
    _column("dnt", pl.lit(False), "always false: who asks not to be tracked leaves no event"),
    _never("confidence", pl.Float32, "a name is given or not given, without a probability"),
    _column("endpoint_id", pl.col("endpoint_id").cast(pl.String), "`endpoint_id` as text"),
    _as_is("origin_state", "region"),
    _column("mtc_quota_exceeded", pl.lit(False), "always false: there is no quota"),
)

CURATED: Final = tuple(_as_is(name, name) for name in EVENTS)

COLUMNS: Final[dict[ColumnSet, tuple[Column, ...]]] = {"all": CURATED, "scarf": SCARF}


def schema(columns: tuple[Column, ...]) -> pl.Schema:
    """Names and types of an export with these columns, in order."""
    return pl.DataFrame(schema=EVENTS).select(column.value for column in columns).schema
