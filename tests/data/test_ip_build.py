"""The command that builds the shipped IP database, on small inputs: the real ones are fetched."""

import importlib.util
import io
import sys
import tarfile
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st

IP = Path(__file__).parents[2] / "data" / "ip"


def load(name: str) -> ModuleType:
    """Import a script by its path, as running it would."""
    specification = importlib.util.spec_from_file_location(name, IP / f"{name}.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


mmdb = load("mmdb")
build = load("build")

GOOGLE = IPv6Network("2001:4860::/32")
GOOGLE_DNS = int(IPv6Address("2001:4860:4860::8888"))
OWNERS_4 = """\
16777216,16777471,13335,"Cloudflare, Inc."
134744064,134744319,15169,Google LLC
3232235520,3232301055,4294967294,-Reserved AS-
"""
COUNTRIES_4 = """\
16777216,16777471,AU
134217728,150994943,US
134744064,134744319,DE
150994944,150995199,ZZ
"""
OWNERS_6 = f"{GOOGLE_DNS},{GOOGLE_DNS},15169,Google LLC\n"
COUNTRIES_6 = f"{int(GOOGLE[0])},{int(GOOGLE[-1])},US\n"


def archive(path: Path, name: str, ipv4: str, ipv6: str) -> Path:
    with tarfile.open(path, "w:gz") as package:
        for version, text in ((4, ipv4), (6, ipv6)):
            member = tarfile.TarInfo(f"package/{name}-ipv{version}-num.csv")
            member.size = len(text.encode())
            package.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def packages(tmp_path: Path) -> tuple[Path, Path]:
    return (
        archive(tmp_path / "owners.tgz", build.OWNERS.name, OWNERS_4, OWNERS_6),
        archive(tmp_path / "countries.tgz", build.COUNTRIES.name, COUNTRIES_4, COUNTRIES_6),
    )


def test_the_layers_are_joined(packages: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "small.mmdb"
    path.write_bytes(build.build(*packages))
    google = {"autonomous_system_number": 15169, "autonomous_system_organization": "Google LLC"}
    with maxminddb.open_database(path) as reader:
        found = {
            address: reader.get(address)
            for address in [
                "1.0.0.1",
                "8.1.1.1",
                "8.8.8.8",
                "9.0.0.1",
                "192.168.0.1",
                "2001:4860:4860::8888",
                "2001:4860:4860::1",
                "2a00::1",
            ]
        }
        metadata = reader.metadata()
    assert found == {
        "1.0.0.1": {
            "country_code": "AU",
            "autonomous_system_number": 13335,
            "autonomous_system_organization": "Cloudflare, Inc.",
        },
        "8.1.1.1": {"country_code": "US"},
        "8.8.8.8": {"country_code": "DE"} | google,  # the inner of two overlapping spans
        "9.0.0.1": None,
        "192.168.0.1": None,
        "2001:4860:4860::8888": {"country_code": "US"} | google,
        "2001:4860:4860::1": {"country_code": "US"},
        "2a00::1": None,
    }
    assert metadata.database_type == "Footfall-Country-ASN"
    assert metadata.build_epoch == 1_781_722_800  # 2026-06-17 19:00 UTC
    assert "db-ip.com" in metadata.description["en"]


def test_the_same_sources_give_the_same_bytes(packages: tuple[Path, Path]) -> None:
    assert build.build(*packages) == build.build(*packages)


def test_another_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    target = tmp_path / f"ip-location-db-asn-{build.VERSION}.tgz"
    npm.write_text(f"#!/bin/sh\necho other > {target}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=":")
    with pytest.raises(build.UnexpectedSourceError, match=build.OWNERS.sha256):
        build.OWNERS.fetch(tmp_path)


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 30), st.sampled_from("abc")).map(
        lambda span: (span[0], span[0] + span[1], (span[2],))
    ),
    max_size=12,
)


@given(spans)
def test_spans_without_overlaps_cover_the_same_addresses(spans: list[Any]) -> None:
    flat = list(build.without_overlaps(spans))
    assert all(a[1] < b[0] for a, b in pairwise(flat))
    covered = {address for first, last, _ in spans for address in range(first, last + 1)}
    said = {address: values for first, last, values in flat for address in range(first, last + 1)}
    assert set(said) == covered
    for address, values in said.items():
        assert values in {v for first, last, v in spans if first <= address <= last}


ranges = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.sampled_from(["DE", "FR", "JP", None])), max_size=20
)


@given(ranges, st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_a_database_says_of_every_address_what_its_range_said(
    ranges: list[tuple[int, str | None]], others: list[int]
) -> None:
    starts = sorted(dict(ranges).items())
    ends = [start for start, _ in [*starts[1:], (2**32, None)]][: len(starts)]
    said = [(a, b - 1, {"c": c}) for (a, c), b in zip(starts, ends, strict=True) if c]
    content = mmdb.database(said, [], database_type="T", description="d", build_epoch=1)
    with maxminddb.open_database(io.BytesIO(content), maxminddb.MODE_FD) as reader:
        probes = {n for first, last, _ in said for n in (first, last)} | set(others)
        for probe in probes:
            expected = next((r for first, last, r in said if first <= probe <= last), None)
            assert reader.get(IPv4Address(probe)) == expected
        assert reader.get(IPv6Address("2001:db8::1")) is None


def test_long_strings_and_distant_pointers_are_encoded(tmp_path: Path) -> None:
    said = [
        (n << 16, (n << 16) + 5, {"name": f"{n:06}" * 50, "number": n * 70_000, "other": f"x{n}"})
        for n in range(3000)
    ]
    path = tmp_path / "long.mmdb"
    path.write_bytes(
        mmdb.database(said, [], database_type="T", description="d" * 400, build_epoch=1)
    )
    with maxminddb.open_database(path) as reader:
        assert all(reader.get(IPv4Address(first)) == record for first, _, record in said)
        assert reader.metadata().description == {"en": "d" * 400}


def test_ranges_out_of_order_are_refused() -> None:
    said = [(10, 20, {"c": "a"}), (15, 30, {"c": "b"})]
    with pytest.raises(ValueError, match="range from 15"):
        mmdb.database(said, [], database_type="T", description="d", build_epoch=1)


def test_too_much_for_the_format_is_refused() -> None:
    said = [(n, n, {"text": "x" * 60_000 + str(n)}) for n in range(300)]
    with pytest.raises(mmdb.DatabaseTooLargeError):
        mmdb.database(said, [], database_type="T", description="d", build_epoch=1)
