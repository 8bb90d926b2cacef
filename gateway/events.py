"""The raw event: what the gateway writes down about one answered request.

This is the contract with the pipeline and with everyone who reads `raw/`. A field may be added,
with a default and a new `VERSION`; the meaning of an existing one never changes.
"""

from typing import Literal

import msgspec
import polars as pl

VERSION = 1

EventType = Literal["pull", "download", "install", "view", "telemetry", "metadata", "blob"]
RouteType = Literal[
    "docker", "python", "npm", "file", "repository", "pixel", "telemetry", "catch-all"
]

USER_AGENT_LIMIT = 1024


class RawEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One answered request, with the visitor already reduced to a place, a network and two ids.

    As JSON it is without the fields that are None.
    """

    v: int  # the VERSION that wrote it
    event_id: str  # UUIDv7; the identity for de-duplication through every later step
    event_time: int  # microseconds since the epoch, UTC, when the answer was decided
    event_type: EventType
    route_type: RouteType
    package_id: str
    package: str
    host: str  # the domain that was asked, lower case, without a port
    artifact: str  # image or file name
    version: str | None = None  # None: the request names no version
    reference: str | None = None  # the tag, digest or file name as asked
    method: str
    status: int
    range_start: int | None = None  # first byte asked for; None: no Range header
    user_agent: str  # at most USER_AGENT_LIMIT characters; "" when none was sent
    referrer: str | None = None  # scheme, host and path only
    variables: str  # a JSON object of strings, scrubbed and capped
    country: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None
    city: str | None = None
    latitude: float | None = None  # city centre, degrees rounded to 0.1
    longitude: float | None = None
    asn: int | None = None
    as_org: str | None = None
    company: str | None = None  # only where the IP data itself names one
    company_domain: str | None = None
    connection_type: str | None = None
    origin_id: int  # keyed hash of address and user agent under the period's salt, 64 bits unsigned
    endpoint_id: int  # keyed hash of the address alone


# The raw table's columns in file order. Every file in `raw/` has exactly these.
_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "v": pl.Int8,
    "event_id": pl.String,
    "event_time": pl.Datetime("us", "UTC"),
    "event_type": pl.String,
    "route_type": pl.String,
    "package_id": pl.String,
    "package": pl.String,
    "host": pl.String,
    "artifact": pl.String,
    "version": pl.String,
    "reference": pl.String,
    "method": pl.String,
    "status": pl.Int16,
    "range_start": pl.Int64,
    "user_agent": pl.String,
    "referrer": pl.String,
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
    "connection_type": pl.String,
    "origin_id": pl.UInt64,
    "endpoint_id": pl.UInt64,
}
SCHEMA = pl.Schema(_COLUMNS)
