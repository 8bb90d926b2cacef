"""Who is behind a network: a company, a school, an authority; or an ISP or a cloud, never shown.

In this order of trust decide: the table of networks, the table of organisations, the IP data's own
word for the kind of network, the words of the name. Where none knows, the kind is unknown and no
company is shown: a list of companies is worth what its worst entry is.
"""

import csv
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from pipeline.company_kinds import kind_by_connection, kind_by_words
from pipeline.company_names import key_of, readable

REFERENCE: Final = Path(__file__).parents[1] / "data" / "reference"
# A company may be shown if its kind is one of these.
SHOWN: Final = frozenset({"business", "education", "government"})

_INPUTS: Final = ("as_org", "asn", "company", "company_domain", "connection_type", "country")
_OUTPUTS: Final = pl.Schema(
    {
        "company": pl.String,
        "company_domain": pl.String,
        "company_kind": pl.String,
        "cloud_provider": pl.String,
    }
)
_REMEMBERED: Final = 262_144


class Owner(NamedTuple):
    """What the curated table says, in the order of its columns."""

    company: str | None
    company_domain: str | None
    company_kind: str
    cloud_provider: str | None


UNKNOWN: Final = Owner(None, None, "unknown", None)


class _Entry(NamedTuple):
    name: str
    domain: str
    kind: str
    cloud: str


def with_companies(events: pl.LazyFrame) -> pl.LazyFrame:
    """Set company, company_domain, company_kind and cloud_provider.

    Owners are few and rows many, so each batch asks once for each distinct network.
    """
    owners = pl.struct(_INPUTS).map_batches(
        _owners,
        return_dtype=pl.struct_with_fields({name: pl.dtype_of("as_org") for name in _OUTPUTS}),
        is_elementwise=True,
    )
    return events.with_columns(_owner=owners).drop("company", "company_domain").unnest("_owner")


def _owners(networks: pl.Series) -> pl.Series:
    rows = networks.struct.unnest()
    # One 64-bit hash stands for the six columns: two networks of one batch that share a hash by
    # chance are one in a thousand million batches.
    keys = rows.hash_rows()
    first = keys.arg_unique()
    answers = pl.DataFrame(
        [owner(*row) for row in rows[first].iter_rows()], schema=_OUTPUTS, orient="row"
    ).cast(rows["as_org"].dtype)
    places = pl.DataFrame({"key": keys.gather(first)}).with_row_index("place")
    place = keys.to_frame("key").join(places, on="key", how="left", maintain_order="left")["place"]
    return answers.to_struct(networks.name).gather(place)


@lru_cache(maxsize=_REMEMBERED)
def owner(  # noqa: PLR0917 the columns in their order; a cache knows keywords as other calls
    as_org: str | None,
    asn: int | None,
    company: str | None,
    company_domain: str | None,
    connection_type: str | None,
    country: str | None,
) -> Owner:
    """Decide who is behind a network. Total: the worst answer is unknown."""
    if company and company != as_org:
        # Whoever sits on the network is not whoever runs it, but its clouds are told by its number.
        found = _named(company, company_domain, connection_type, country)
        network = _networks().get(asn) if asn else None
        cloud = network.cloud if network else _cloud_of(as_org)
        return found._replace(cloud_provider=found.cloud_provider or cloud or None)
    if asn and (entry := _networks().get(asn)):
        return _owner(entry, as_org, company_domain)
    if as_org:
        return _named(as_org, company_domain, connection_type, country)
    return UNKNOWN._replace(company_kind=kind_by_connection(connection_type) or "unknown")


def _named(
    name: str, domain: str | None, connection_type: str | None, country: str | None
) -> Owner:
    key = key_of(name)
    entry = _organisation(key)
    if entry is None:
        kind = kind_by_connection(connection_type) or kind_by_words(key, name, country) or "unknown"
        entry = _Entry("", "", kind, "")
    return _owner(entry, name, domain)


def _owner(entry: _Entry, name: str | None, domain: str | None) -> Owner:
    shown = entry.kind in SHOWN
    return Owner(
        company=(entry.name or (readable(name) if name else None)) if shown else None,
        company_domain=(entry.domain or domain) if shown else None,
        company_kind=entry.kind,
        cloud_provider=entry.cloud or None,
    )


def _cloud_of(as_org: str | None) -> str:
    entry = _organisation(key_of(as_org)) if as_org else None
    return entry.cloud if entry else ""


def _organisation(key: str) -> _Entry | None:
    """Find the entry with the longest run of words that the name begins with."""
    organisations = _organisations()
    words = key.split()[: _longest_match()]
    return next(
        (
            entry
            for n in range(len(words), 0, -1)
            if (entry := organisations.get(" ".join(words[:n])))
        ),
        None,
    )


@cache
def _organisations() -> dict[str, _Entry]:
    with (REFERENCE / "organisations.csv").open(encoding="utf-8", newline="") as file:
        return {row.pop("match"): _Entry(**row) for row in csv.DictReader(file)}


@cache
def _longest_match() -> int:
    return max(len(match.split()) for match in _organisations())


@cache
def _networks() -> dict[int, _Entry]:
    with (REFERENCE / "networks.csv").open(encoding="utf-8", newline="") as file:
        return {int(row.pop("asn")): _Entry(**row) for row in csv.DictReader(file)}
