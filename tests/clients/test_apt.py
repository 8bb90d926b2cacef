"""apt takes a package and a source package from a Debian repository behind the gateway."""

import hashlib
from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

VERSION = "1:2.3-1"
# Not every file system takes a colon, so the name has it as %3a, and the URL as %253a.
FILE = "tool_1%3a2.3-1_amd64.deb"
POOL = "pool/main/t/tool"
SOURCES = ("tool_2.3-1.dsc", "tool_2.3.orig.tar.gz", "tool_2.3-1.debian.tar.xz")


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def make_package(home: Path, pool: Path) -> str:
    """Build a package into the pool; returns its entry in Packages."""
    control = (
        f"Package: tool\nVersion: {VERSION}\nArchitecture: amd64\n"
        "Maintainer: Acme <a@acme.example>\nDescription: a tool\n"
    )
    (home / "tool/DEBIAN").mkdir(parents=True)
    (home / "tool/DEBIAN/control").write_text(control)
    run(["dpkg-deb", "--build", "--root-owner-group", home / "tool", pool / FILE])
    size = (pool / FILE).stat().st_size
    return f"{control}Filename: {POOL}/{FILE}\nSize: {size}\nSHA256: {sha256(pool / FILE)}\n\n"


def make_source(pool: Path) -> str:
    """Put a source package into the pool; returns its entry in Sources."""
    for name in SOURCES:
        (pool / name).write_text(f"what would be {name}")
    lines = "".join(
        f" {sha256(pool / name)} {(pool / name).stat().st_size} {name}\n" for name in SOURCES
    )
    return (
        f"Package: tool\nBinary: tool\nVersion: {VERSION}\nArchitecture: any\nFormat: 3.0 (quilt)\n"
        f"Directory: {POOL}\nChecksums-Sha256:\n{lines}\n"
    )


def make_repository(home: Path) -> Path:
    repository = home / "repository"
    pool, suite = repository / POOL, repository / "dists/stable"
    pool.mkdir(parents=True)
    texts = {
        "main/binary-amd64/Packages": make_package(home, pool),
        "main/source/Sources": make_source(pool),
    }
    sums = ""
    for name, text in texts.items():
        (suite / name).parent.mkdir(parents=True)
        (suite / name).write_text(text)
        sums += f" {sha256(suite / name)} {len(text)} {name}\n"
    (suite / "Release").write_text(
        "Suite: stable\nCodename: stable\nComponents: main\nArchitectures: amd64\n"
        f"Date: Sat, 31 Jan 2026 12:00:00 UTC\nSHA256:\n{sums}"
    )
    return repository


def apt_home(home: Path, repository: str) -> dict[str, str]:
    """An apt of the test's own, which knows nothing of the machine's sources and packages."""
    apt = home / "apt"
    for folder in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial",
                   "var/cache/apt/archives/partial", "var/lib/dpkg"):  # fmt: skip
        (apt / folder).mkdir(parents=True)
    (apt / "var/lib/dpkg/status").touch()
    line = f"[trusted=yes arch=amd64] {repository} stable main\n"
    (apt / "etc/apt/sources.list").write_text(f"deb {line}deb-src {line}")
    (apt / "apt.conf").write_text(
        f'Dir "{apt}/"; Dir::State::status "{apt}/var/lib/dpkg/status";\n'
        'APT::Architecture "amd64"; APT::Architectures { "amd64"; }; APT::Sandbox::User "root";\n'
        'Acquire::Languages "none"; Acquire::http::Proxy "DIRECT"; Debug::NoLocking "true";\n'
    )
    return {"APT_CONFIG": str(apt / "apt.conf"), "LC_ALL": "C.UTF-8"}


def test_a_package_and_a_source_package_are_one_download_each(tmp_path: Path) -> None:
    present("apt-get", "dpkg-deb")
    repository = make_repository(tmp_path)
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    with file_server(repository) as upstream:
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/debian"
            format = "apt"
            path = "/debian/"
            upstream = "{upstream}"
        """
        with gateway(tmp_path, routes) as footfall:
            env = apt_home(tmp_path, f"{footfall.url}/debian/")
            run(["apt-get", "-q", "update"], env=env)
            run(["apt-get", "-qy", "install", "--download-only", "tool"], env=env)
            run(["apt-get", "-q", "source", "--download-only", "tool"], env=env, cwd=fetched)
    curate(footfall.lake)

    (archive,) = (tmp_path / "apt/var/cache/apt/archives").glob("tool_*.deb")
    assert archive.read_bytes() == (repository / POOL / FILE).read_bytes()
    for name in SOURCES:
        assert (fetched / name).read_bytes() == (repository / POOL / name).read_bytes()
    assert rows(
        footfall.lake,
        "SELECT package_id, package, version, version_major, platform, artifact, client, os"
        " FROM lake WHERE counted ORDER BY event_time",
    ) == [
        {
            "package_id": "acme/debian/tool",
            "package": "tool",
            "version": version,
            "version_major": 2,
            "platform": platform,
            "artifact": artifact,
            "client": "apt",
            "os": "Linux",
        }
        for version, platform, artifact in [
            (VERSION, "linux/amd64", FILE),
            ("2.3-1", None, "tool_2.3-1.dsc"),
        ]
    ]
    others = rows(
        footfall.lake,
        "SELECT DISTINCT event_type, package, not_counted_because AS why FROM lake"
        " WHERE NOT counted ORDER BY ALL",
    )
    assert others == [
        {"event_type": "metadata", "package": package, "why": "metadata"}
        for package in ("acme/debian", "tool")
    ]
