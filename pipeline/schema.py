"""The curated tables: what `events/` and `daily/` hold. TABLES.md says what it means.

The dashboard enters the pipeline here and nowhere else.
"""

from typing import Final

import polars as pl

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.String,
    "event_time": pl.Datetime("us", "UTC"),
    "event_type": pl.String,
    "route_type": pl.String,
    "package_id": pl.String,
    "package": pl.String,
    "host": pl.String,
    "artifact": pl.String,
    "version": pl.String,
    "version_major": pl.Int32,
    "version_minor": pl.Int32,
    "prerelease": pl.Boolean,
    "reference": pl.String,
    "platform": pl.String,
    "method": pl.String,
    "status": pl.Int16,
    "range_start": pl.Int64,
    "counted": pl.Boolean,
    "not_counted_because": pl.String,
    "traffic": pl.String,
    "client": pl.String,
    "client_version": pl.String,
    "runtime": pl.String,
    "runtime_version": pl.String,
    "os": pl.String,
    "os_version": pl.String,
    "arch": pl.String,
    "libc": pl.String,
    "ci": pl.String,
    "referrer": pl.String,
    "referrer_domain": pl.String,
    "referrer_type": pl.String,
    "variables": pl.String,
    "country": pl.String,
    "region": pl.String,
    "city": pl.String,
    "latitude": pl.Float32,
    "longitude": pl.Float32,
    "asn": pl.Int32,
    "as_org": pl.String,
    "company": pl.String,
    "company_domain": pl.String,
    "company_kind": pl.String,
    "cloud_provider": pl.String,
    "connection_type": pl.String,
    "origin_id": pl.UInt64,
    "endpoint_id": pl.UInt64,
    # An origin's first row of the UTC day, in time, among rows with the same `counted` and
    # `event_type`; then also the same package; then also the same version. Ids never outlive a
    # day, so sums of these are exact daily uniques for every filter that is a property of the
    # origin.
    "first_of_type": pl.Boolean,
    "first_of_package": pl.Boolean,
    "first_of_version": pl.Boolean,
}
EVENTS: Final = pl.Schema(_COLUMNS)

# What every row of `daily/` is keyed by, whatever its cube.
DAILY_KEYS: Final = ("package_id", "package", "route_type", "event_type", "traffic", "counted")

# A cube is one narrow group-by; its rows have its own dimensions filled and every other one null.
# One wide table would be nearly as large as the events.
CUBES: Final[dict[str, tuple[str, ...]]] = {
    "total": (),
    "country": ("country",),
    "city": ("country", "region", "city", "latitude", "longitude"),
    "company": ("company", "company_domain", "company_kind", "cloud_provider"),
    "company_country": ("company", "company_domain", "company_kind", "country"),
    "version": ("version", "version_major", "version_minor", "prerelease", "client"),
    "runtime": ("client", "runtime", "runtime_version", "os", "arch"),
    "ci": ("ci",),
    "referrer": ("referrer_domain", "referrer_type"),
    "page": ("referrer", "referrer_type"),
}

# Sums over the group's events; the last three are daily uniques, see EVENTS.
MEASURES: Final = ("events", "first_of_type", "first_of_package", "first_of_version")


def _daily() -> pl.Schema:
    dimensions = dict.fromkeys(name for names in CUBES.values() for name in names)
    columns: dict[str, pl.DataType | type[pl.DataType]] = {"cube": pl.String}
    columns |= {name: EVENTS[name] for name in (*DAILY_KEYS, *dimensions)}
    columns |= dict.fromkeys(MEASURES, pl.Int64)
    return pl.Schema(columns)


DAILY: Final = _daily()

# The values that closed columns may take; null means unknown unless TABLES.md says otherwise.
TRAFFIC: Final = ("person", "ci", "mirror", "bot", "unknown")
COMPANY_KINDS: Final = ("business", "isp", "hosting", "education", "government", "unknown")
REFERRER_TYPES: Final = ("search", "social", "code", "docs", "registry", "news", "own", "other")

# Every package that the demo makes has an id starting so, and nothing else may.
DEMO_PREFIX: Final = "demo:"
