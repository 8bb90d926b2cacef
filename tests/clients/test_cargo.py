"""cargo fetches a crate from a sparse registry behind the gateway."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

NAME, VERSION = "acmec", "1.2.3"


def make_crate() -> bytes:
    files = {
        "Cargo.toml": f'[package]\nname = "{NAME}"\nversion = "{VERSION}"\nedition = "2021"\n',
        "src/lib.rs": "",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{NAME}-{VERSION}/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def make_registry(home: Path, crate: bytes) -> None:
    """The index's part of a registry that keeps its crates by their checksums."""
    checksum = hashlib.sha256(crate).hexdigest()
    (home / "upstream/index/ac/me").mkdir(parents=True)
    entry = {"name": NAME, "vers": VERSION, "deps": [], "cksum": checksum, "features": {},
             "yanked": False}  # fmt: skip
    (home / "upstream/index/ac/me" / NAME).write_text(json.dumps(entry) + "\n")
    (home / "upstream/store").mkdir()
    (home / "upstream/store" / checksum).write_bytes(crate)


def make_project(home: Path, index: str) -> Path:
    project = home / "project"
    (project / "src").mkdir(parents=True)
    (project / "src/lib.rs").touch()
    (project / ".cargo").mkdir()
    (project / ".cargo/config.toml").write_text(
        f'[registries.acme]\nindex = "sparse+{index}"\n[http]\nproxy = ""\n'
    )
    (project / "Cargo.toml").write_text(
        '[package]\nname = "probe"\nversion = "0.1.0"\nedition = "2021"\n'
        f'[dependencies]\n{NAME} = {{ version = "1", registry = "acme" }}\n'
    )
    return project


@pytest.mark.parametrize("dl", ["{sha256-checksum}", "named/{crate}-{version}.crate"])
def test_fetching_a_crate_is_one_download(tmp_path: Path, dl: str) -> None:
    present("cargo")
    crate = make_crate()
    make_registry(tmp_path, crate)
    (tmp_path / "upstream/store/named").mkdir()
    (tmp_path / "upstream/store/named" / f"{NAME}-{VERSION}.crate").write_bytes(crate)
    with file_server(tmp_path / "upstream") as upstream:
        config = {"dl": f"{upstream}/store/{dl}"}
        (tmp_path / "upstream/index/config.json").write_text(json.dumps(config))
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/crates"
            format = "cargo"
            path = "/index/"
            upstream = "{upstream}/index"
        """
        with gateway(tmp_path, routes) as footfall:
            project = make_project(tmp_path, f"{footfall.url}/index/")
            home = {"CARGO_HOME": str(tmp_path / "cargo"), "no_proxy": "*"}
            run(["cargo", "fetch", "--quiet"], cwd=project, env=home)
    curate(footfall.lake)

    (fetched,) = (tmp_path / "cargo/registry/cache").glob(f"*/{NAME}-{VERSION}.crate")
    assert fetched.read_bytes() == crate
    assert rows(
        footfall.lake,
        "SELECT event_type, package, version, artifact, counted, client FROM lake"
        " ORDER BY event_time",
    ) == [
        {
            "event_type": kind,
            "package": package,
            "version": version,
            "artifact": artifact,
            "counted": kind == "download",
            "client": "cargo",
        }
        for kind, package, version, artifact in [
            ("metadata", "acme/crates", None, "config.json"),
            ("metadata", NAME, None, NAME),
            ("download", NAME, VERSION, f"{NAME}-{VERSION}.crate"),
        ]
    ]
