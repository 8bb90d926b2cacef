"""Make footfall.mmdb, the database that ships with Footfall, from public data: `make ip-data`.

Fetches the pinned source packages with npm, lays the networks' owners over the countries, and
writes one file. The same sources give the same bytes, down to the build time, which is theirs.
"""
# ruff: noqa: INP001  a script beside the data it makes, not a package

import csv
import datetime as dt
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from mmdb import Range, Scalar, database

DATABASE = Path(__file__).parent / "footfall.mmdb"
VERSION = "2.3.2026061719"  # ends in the year, month, day and hour (UTC) of the data
FIRST_PRIVATE_ASN = 4_200_000_000  # from here on a number is anyone's, or a placeholder
DESCRIPTION = (
    "Country, autonomous system and organisation. Contains data by RouteViews (routeviews.org), "
    "DB-IP (https://db-ip.com) and NRO (nro.net), CC BY 4.0, merged and modified by ip-location-db "
    "and Footfall; see ATTRIBUTION.md."
)

Span = tuple[int, int, tuple[str, ...]]  # first and last address, and the rest of the row


class UnexpectedSourceError(Exception):
    """A source package is not the one that the shipped database was made from."""


class Source(NamedTuple):
    """One pinned package. The digest keeps other bytes from being built unseen."""

    name: str
    sha256: str

    def fetch(self, directory: Path) -> Path:
        """Download the package, and check that it is the pinned one."""
        specifier = f"@ip-location-db/{self.name}@{VERSION}"
        command = ["npm", "pack", "--silent", "--pack-destination", str(directory), specifier]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 a fixed command
        archive = directory / f"ip-location-db-{self.name}-{VERSION}.tgz"
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != self.sha256:
            raise UnexpectedSourceError(f"{specifier}: sha256 is {digest}, pinned is {self.sha256}")
        return archive

    def spans(self, archive: Path, ip_version: int) -> list[Span]:
        """Read one IP version's rows."""
        member = f"package/{self.name}-ipv{ip_version}-num.csv"
        with tarfile.open(archive) as package:
            file = package.extractfile(member)
            if file is None:
                raise UnexpectedSourceError(f"{archive.name}: {member} is no file")
            with TextIOWrapper(file, encoding="utf-8", newline="") as text:
                return [(int(row[0]), int(row[1]), tuple(row[2:])) for row in csv.reader(text)]


OWNERS = Source("asn", "b9425daf2f011c28f8586685d4f89166e77627e2c15fd93c6262c3e2dead6153")
COUNTRIES = Source(
    "geo-whois-asn-country", "2a3e609015884c93c2d398e777ce1d2d34cab026054c43559bff32b25669f606"
)


def without_overlaps(spans: Iterable[Span]) -> Iterator[Span]:
    """Sort spans and split those that hold others: the innermost speaks for an address."""
    open_spans: list[Span] = []
    reached = 0

    def close_before(address: int) -> Iterator[Span]:
        nonlocal reached
        while open_spans and open_spans[-1][1] < address:
            first, last, values = open_spans.pop()
            if reached <= last:
                yield max(first, reached), last, values
                reached = last + 1

    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        yield from close_before(span[0])
        if open_spans and reached < span[0]:
            yield max(open_spans[-1][0], reached), span[0] - 1, open_spans[-1][2]
        reached = span[0]
        open_spans.append(span)
    if open_spans:
        yield from close_before(1 + max(last for _, last, _ in open_spans))


def merged(owners: Iterable[Span], countries: Iterable[Span]) -> Iterator[Range]:
    """Lay the owners over the countries: one record wherever either says something."""
    edges: list[tuple[int, str, tuple[str, ...]]] = []
    for layer, spans in (("owner", owners), ("country", countries)):
        for first, last, values in without_overlaps(spans):
            edges += [(last + 1, layer, ()), (first, layer, values)]
    says: dict[str, tuple[str, ...]] = {"owner": (), "country": ()}
    reached = 0
    # Where one span ends and the next begins, the end comes first: it was added before, and the
    # sort is stable.
    for address, layer, values in sorted(edges, key=itemgetter(0)):
        record = _record(says["owner"], says["country"])
        if record and reached < address:
            yield reached, address - 1, record
        says[layer] = values
        reached = address


def _record(owner: tuple[str, ...], country: tuple[str, ...]) -> dict[str, Scalar]:
    """Name the fields as the flat databases do, so that their readers understand this one."""
    record: dict[str, Scalar] = {}
    if country and country[0] != "ZZ":
        record["country_code"] = country[0]
    if owner and int(owner[0]) < FIRST_PRIVATE_ASN:
        record["autonomous_system_number"] = int(owner[0])
        record["autonomous_system_organization"] = owner[1]
    return record


def build(owners: Path, countries: Path) -> bytes:
    """Make the database from the two packages."""
    return database(
        *(
            merged(OWNERS.spans(owners, version), COUNTRIES.spans(countries, version))
            for version in (4, 6)
        ),
        database_type="Footfall-Country-ASN",
        description=DESCRIPTION,
        build_epoch=int(
            dt.datetime.strptime(VERSION.rpartition(".")[2], "%Y%m%d%H")
            .replace(tzinfo=dt.UTC)
            .timestamp()
        ),
    )


def main() -> None:
    """Fetch, build, and replace the shipped file in one step."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        content = build(OWNERS.fetch(directory), COUNTRIES.fetch(directory))
    partial = DATABASE.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(DATABASE)
    sys.stdout.write(f"{DATABASE}: {len(content):,} bytes\n")


if __name__ == "__main__":
    main()
