"""Where a visitor came from: the referrer's domain, and what kind of site that is.

The domain is the part of the host that one owner registered, so that every page of a site counts
together: `www.acme.co.uk` is `acme.co.uk`, and `acme.github.io` stays as it is. A host that the
table lists by itself keeps its full name: `news.ycombinator.com`.
"""

import csv
import re
from functools import cache, lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from pipeline.distinct import per_distinct

REFERENCE: Final = Path(__file__).parents[1] / "data" / "reference"

_SITE: Final = pl.Struct({"host": pl.String, "domain": pl.String, "type": pl.String})
_HOST: Final = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#\\]+)"
_PLAIN_HOST: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_DOCS_LABELS: Final = frozenset({"doc", "docs", "documentation", "help", "manual", "wiki"})
_NATIONAL: Final = 2  # letters of a country's domain
_REMEMBERED: Final = 65_536


class Site(NamedTuple):
    """A referrer's site; the domain is None where the host is no name, such as an address."""

    domain: str | None
    type: str


def with_referrers(events: pl.LazyFrame) -> pl.LazyFrame:
    """Set referrer_domain and referrer_type; both are null where there is no referrer.

    A referrer on the domain that was asked is `own`.
    """
    site = pl.col("_site").struct
    return (
        events.with_columns(_site=per_distinct("referrer", _sites, _SITE))
        .with_columns(
            referrer_domain=site.field("domain"),
            referrer_type=pl.when(pl.col("referrer").is_null())
            .then(None)
            .when(site.field("host") == pl.col("host"))
            .then(pl.lit("own"))
            .otherwise(site.field("type").fill_null("other")),
        )
        .drop("_site")
    )


def _sites(referrers: pl.Series) -> pl.Series:
    hosts = referrers.str.extract(_HOST).str.to_lowercase().str.strip_suffix(".")
    answers = [
        None if host is None else {"host": host, **site_of(host)._asdict()} for host in hosts
    ]
    return pl.Series(answers, dtype=_SITE)


@lru_cache(maxsize=_REMEMBERED)
def site_of(host: str) -> Site:
    """Read a host name in lower case. Total: a host that is no name is of type other."""
    host = host.removeprefix("www.")
    if not _is_name(host):
        return Site(None, "other")
    labels = host.split(".")
    registered = _registered(labels)
    for i in range(len(labels) - 1):
        candidate = ".".join(labels[i:])
        if kind := _types().get(candidate):
            return Site(max(candidate, registered, key=len), kind)
    kind = _types().get(f"{registered.partition('.')[0]}.*")
    if kind is None:
        # Not named in the table: docs.acme.com says itself what it is.
        kind = "docs" if labels[0] in _DOCS_LABELS and host != registered else "other"
    return Site(registered, kind)


def _is_name(host: str) -> bool:
    if not _PLAIN_HOST.fullmatch(host):
        return False
    try:
        ip_address(host)
    except ValueError:
        return True
    return False


def _registered(labels: list[str]) -> str:
    words, platforms = _suffixes()
    for n in (3, 2):
        if len(labels) > n and ".".join(labels[-n:]) in platforms:
            return ".".join(labels[-n - 1 :])
    national = len(labels[-1]) == _NATIONAL and len(labels) > _NATIONAL and labels[-2] in words
    return ".".join(labels[-3 if national else -2 :])


@cache
def _types() -> dict[str, str]:
    with (REFERENCE / "referrers.csv").open(encoding="utf-8", newline="") as file:
        return {row["domain"]: row["type"] for row in csv.DictReader(file)}


@cache
def _suffixes() -> tuple[frozenset[str], frozenset[str]]:
    """Read the second-level words and the platforms."""
    text = (REFERENCE / "domain_suffixes.txt").read_text(encoding="utf-8")
    entries = [
        word for line in text.splitlines() if not line.startswith("#") for word in line.split()
    ]
    return (
        frozenset(entry for entry in entries if "." not in entry),
        frozenset(entry for entry in entries if "." in entry),
    )
