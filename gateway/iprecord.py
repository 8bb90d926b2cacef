"""What one record of an IP database says, in the raw event's words, whoever made the database.

The vendors agree on the file format and on nothing inside it, and rename their products freely, so
a record is read by its shape: nested as MaxMind and DB-IP write it, or flat as IPinfo and
ip-location-db do.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_LARGEST_ASN = 2**31 - 1  # the column is a signed 32-bit integer; every number above is reserved
_NOT_COUNTRIES = frozenset({"A1", "A2", "AP", "EU", "O1", "T1", "XX", "ZZ"})
_ALPHA_2 = re.compile(r"[A-Z]{2}").fullmatch
_WRITTEN_ASN = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE).fullmatch
_NOTHING: Mapping[str, Any] = {}


class Place(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """All that is kept of an address: the raw event's columns of the same names."""

    country: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None
    city: str | None = None
    latitude: float | None = (
        None  # city centre, degrees rounded to 0.1; with the longitude or not at all
    )
    longitude: float | None = None
    asn: int | None = None
    as_org: str | None = None
    company: str | None = None  # who uses the address, only where a database says so
    company_domain: str | None = None  # without a company: the domain of the network's owner
    connection_type: str | None = (
        None  # a database's own word, lower case: business, hosting, cable/dsl
    )


NOWHERE = Place()


def place_of(record: object) -> Place:
    """Read a database record. Total: whatever has no known shape says nothing."""
    if not isinstance(record, Mapping):
        return NOWHERE
    # The flat databases put everything at the top; the nested ones in these groups.
    geo = _group(record, "geo") or record
    network = _group(record, "traits") or record
    system = _group(record, "as") or _group(record, "asn")
    latitude, longitude = _centre(_group(record, "location") or geo)
    asn = _asn(network.get("autonomous_system_number") or system.get("asn") or record.get("asn"))
    company, domain = _company(record, network)
    return Place(
        country=_country(record, geo),
        region=_region(record, geo),
        city=_name(geo.get("city")),
        latitude=latitude,
        longitude=longitude,
        asn=asn,
        as_org=_first(
            network.get("autonomous_system_organization"),
            network.get("isp"),
            system.get("name"),
            record.get("as_name"),
            # IPinfo's ASN database calls the network's owner by the same key as its company
            # database calls the company; only the latter has an as_name beside it.
            record.get("name") if asn else None,
        ),
        company=company,
        company_domain=domain
        or _first(system.get("domain"), record.get("as_domain"), record.get("domain")),
        connection_type=_connection_type(record, network, system),
    )


def _group(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, Mapping) else _NOTHING


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _first(*values: object) -> str | None:
    return next((text for value in values if (text := _text(value))), None)


def _name(value: object) -> str | None:
    """Read a name that stands by itself, or in several languages."""
    if isinstance(value, Mapping):
        names = _group(value, "names")
        return _text(names.get("en")) or _first(*names.values())
    return _text(value)


def _country(record: Mapping[str, Any], geo: Mapping[str, Any]) -> str | None:
    # Anycast networks are in no country; MaxMind then names only where they are registered.
    codes = (
        geo.get("country_code"),
        _group(record, "country").get("iso_code"),
        geo.get("country"),
        _group(record, "registered_country").get("iso_code"),
    )
    for code in codes:
        text = (_text(code) or "").upper()
        if _ALPHA_2(text):
            return None if text in _NOT_COUNTRIES else text
    return None


def _region(record: Mapping[str, Any], geo: Mapping[str, Any]) -> str | None:
    subdivisions = record.get("subdivisions")
    if isinstance(subdivisions, list) and subdivisions:
        return _name(subdivisions[0])
    return _first(geo.get("region"), geo.get("state1"))


def _centre(location: Mapping[str, Any]) -> tuple[float | None, float | None]:
    latitude = _degrees(location.get("latitude", location.get("lat")), 90.0)
    longitude = _degrees(location.get("longitude", location.get("lng")), 180.0)
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _degrees(value: object, limit: float) -> float | None:
    if not isinstance(value, int | float | str):
        return None
    try:
        degrees = float(value)
    except ValueError:
        return None
    # NaN fails the comparison too.
    return round(degrees, 1) if -limit <= degrees <= limit else None


def _asn(value: object) -> int | None:
    """Read 15169, "15169" or "AS15169"."""
    if isinstance(value, str):
        written = _WRITTEN_ASN(value.strip())
        value = int(written[1]) if written else None
    return value if isinstance(value, int) and 0 < value <= _LARGEST_ASN else None


def _company(
    record: Mapping[str, Any], network: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    company = _group(record, "company")
    if company:
        return _text(company.get("name")), _text(company.get("domain"))
    if "as_name" in record and "name" in record:
        return _text(record.get("name")), _text(record.get("domain"))
    return _text(network.get("organization")), _text(network.get("domain"))


def _connection_type(
    record: Mapping[str, Any], network: Mapping[str, Any], system: Mapping[str, Any]
) -> str | None:
    # Who is at the other end tells a company from a household better than the kind of wire does.
    word = _first(
        _group(record, "company").get("type"),
        network.get("user_type"),
        record.get("type"),
        system.get("type"),
        record.get("as_type"),
        network.get("connection_type"),
    )
    return word.lower() if word else None
