"""Address -> place and network, from every MMDB file in `data/ip/`, in memory.

What a file that the operator dropped in knows wins over the database that ships with Footfall, one
group of fields at a time: place, network, company, connection. Nothing here is fatal: a file that
cannot be read is a problem to show, and an address that nobody knows is an empty Place.
"""

import datetime as dt
import marshal
import tempfile
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from os import PathLike
from pathlib import Path
from shutil import copyfileobj

import maxminddb
import msgspec
from maxminddb import Reader
from maxminddb.types import Record

from gateway.iprecord import NOWHERE, Place, place_of

__all__ = ["NOWHERE", "IpData", "IpProblem", "IpSource", "Place"]

SHIPPED_TYPE = "Footfall-Country-ASN"  # the database_type of the file that ships with Footfall
_REMEMBERED = 50_000  # Places; a few hundred bytes each
# First bytes with which every address is global, by the version of the protocol.
_GLOBAL = {
    4: frozenset(range(1, 224)) - {10, 100, 127, 169, 172, 192, 198, 203},
    6: frozenset({0x24, 0x26, 0x28, 0x2A, 0x2C}),
}


class IpSource(msgspec.Struct, frozen=True):
    """One database in use."""

    path: Path
    database_type: str
    built: dt.datetime  # UTC


class IpProblem(msgspec.Struct, frozen=True):
    """One file that is not in use, or not fully, and why."""

    path: Path
    reason: str


class _Database(msgspec.Struct, frozen=True):
    source: IpSource
    reader: Reader
    knows_ipv6: bool

    @property
    def precedence(self) -> tuple[bool, str]:
        return self.source.database_type == SHIPPED_TYPE, self.source.path.name


class IpData:
    """The databases of one or more folders, in order of precedence."""

    def __init__(self, databases: Iterable[_Database], problems: Iterable[IpProblem]) -> None:
        self._databases = sorted(databases, key=lambda database: database.precedence)
        self._problems = list(problems)
        self._places: dict[bytes, Place] = {}

    @classmethod
    def open(cls, *directories: str | PathLike[str]) -> "IpData":
        """Open every .mmdb file of these folders; a folder that is missing holds none."""
        databases: list[_Database] = []
        problems: list[IpProblem] = []
        for directory in directories:
            for path in sorted(Path(directory).glob("*.mmdb")):
                try:
                    databases.append(_open(path))
                except (OSError, maxminddb.InvalidDatabaseError) as error:
                    problems.append(IpProblem(path, f"cannot be read as an MMDB file: {error}"))
        return cls(databases, problems)

    @property
    def sources(self) -> tuple[IpSource, ...]:
        """The databases in use, the one that wins first."""
        return tuple(database.source for database in self._databases)

    @property
    def problems(self) -> tuple[IpProblem, ...]:
        """What could not be read, at opening or since."""
        return tuple(self._problems)

    def look_up(self, address: IPv4Address | IPv6Address) -> Place:
        """Say where an address is and whose network it is on. Never raises.

        Costs a few microseconds a database: cache by address, in memory only.
        """
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        if not is_global(address):
            return NOWHERE
        places = [
            self._place(record)
            for database in self._databases
            if (record := self._record(database, address)) is not None
        ]
        return _combined(places)

    def _place(self, record: Record) -> Place:
        """Read a record, or remember how an equal one was read.

        Addresses are many and records few: looking one up by its bytes costs 0.3 microseconds,
        reading it anew 6.
        """
        key = marshal.dumps(record, 2)  # version 2 writes no references: equal records, equal bytes
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= _REMEMBERED:
                self._places.clear()
            place = self._places[key] = place_of(record)
        return place

    def _record(self, database: _Database, address: IPv4Address | IPv6Address) -> Record | None:
        if isinstance(address, IPv6Address) and not database.knows_ipv6:
            return None
        try:
            return database.reader.get(address)
        except (maxminddb.InvalidDatabaseError, UnicodeDecodeError) as error:
            # The error's own words may name the address; its type and the file are enough.
            problem = IpProblem(database.source.path, f"is damaged inside: {type(error).__name__}")
            if problem not in self._problems:
                self._problems.append(problem)
            return None


def is_global(address: IPv4Address | IPv6Address) -> bool:
    """Say what the address says of itself, mostly without a look at twenty special networks."""
    return address.packed[0] in _GLOBAL[address.version] or address.is_global


def _open(path: Path) -> _Database:
    reader = _reader(path)
    metadata = reader.metadata()
    return _Database(
        source=IpSource(
            path, metadata.database_type, dt.datetime.fromtimestamp(metadata.build_epoch, dt.UTC)
        ),
        reader=reader,
        knows_ipv6=metadata.ip_version == 6,  # noqa: PLR2004 the protocol's name
    )


def _reader(path: Path) -> Reader:
    """Map a private copy of the file, so that nobody can shorten it under us.

    An operator who copies a new database over the old one truncates it first, and touching a mapped
    page behind the new end kills the process with SIGBUS. The copy loses its name at once, and its
    pages are the page cache's to drop and reload like the original's.
    """
    try:
        with tempfile.NamedTemporaryFile(suffix=".mmdb") as copy, path.open("rb") as original:
            copyfileobj(original, copy, 1 << 20)
            copy.flush()
            return maxminddb.open_database(copy.name, maxminddb.MODE_AUTO)
    except OSError:
        # No room or no folder for temporary files, as in a read-only container; or the file itself
        # cannot be read, which this line then says.
        return maxminddb.open_database(path, maxminddb.MODE_AUTO)


def _combined(places: list[Place]) -> Place:
    """Join what the databases say, earlier ones first, never mixing two within a group."""
    match places:
        case []:
            return NOWHERE
        case [only]:
            return only
    # A country-only file must not hide another file's city, however early its name sorts.
    place = max(places, key=_detail)
    network = next((p for p in places if p.asn), NOWHERE)
    company = next((p for p in places if p.company), None) or next(
        (p for p in places if p.company_domain), NOWHERE
    )
    connection = next((p for p in places if p.connection_type), NOWHERE)
    return Place(
        country=place.country,
        region=place.region,
        city=place.city,
        latitude=place.latitude,
        longitude=place.longitude,
        asn=network.asn,
        as_org=network.as_org or next((p.as_org for p in places if p.as_org), None),
        company=company.company,
        company_domain=company.company_domain,
        connection_type=connection.connection_type,
    )


def _detail(place: Place) -> int:
    """Rank a place: a city beats a region beats a country; max() keeps the earlier of equals."""
    return 3 if place.city else 2 if place.region else 1 if place.country else 0
