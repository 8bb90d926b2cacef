"""go downloads a module through the gateway, upper case and all."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

MODULE, VERSION = "go.acme.example/Tool/v2", "v2.1.0"
GO_MOD = f"module {MODULE}\n\ngo 1.18\n"


def make_proxy(home: Path) -> Path:
    folder = home / "proxy/go.acme.example/!tool/v2/@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text(f"{VERSION}\n")
    told = {"Version": VERSION, "Time": "2026-01-31T12:00:00Z"}
    (folder / f"{VERSION}.info").write_text(json.dumps(told))
    (folder / f"{VERSION}.mod").write_text(GO_MOD)
    with zipfile.ZipFile(folder / f"{VERSION}.zip", "w") as archive:
        archive.writestr(f"{MODULE}@{VERSION}/go.mod", GO_MOD)
        archive.writestr(f"{MODULE}@{VERSION}/tool.go", "package tool\n")
    return home / "proxy"


def test_downloading_a_module_is_one_download(tmp_path: Path) -> None:
    present("go")
    with file_server(make_proxy(tmp_path)) as upstream:
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/go"
            format = "go"
            path = "/go/"
            upstream = "{upstream}"
            packages = ["go.acme.example/*/v2"]
        """
        with gateway(tmp_path, routes) as footfall:
            env = {
                "GOPROXY": f"{footfall.url}/go",
                "GOPATH": str(tmp_path / "go"),
                "GOCACHE": str(tmp_path / "cache"),
                "GOENV": "off",
                "GONOSUMDB": "*",
                "GOSUMDB": "off",
                "GOTOOLCHAIN": "local",
                "GOFLAGS": "-modcacherw",
                "no_proxy": "*",
            }
            told = run(
                ["go", "mod", "download", "-json", f"{MODULE}@latest"], env=env, cwd=tmp_path
            )
    curate(footfall.lake)

    assert json.loads(told)["Version"] == VERSION
    assert (tmp_path / f"go/pkg/mod/go.acme.example/!tool/v2@{VERSION}/tool.go").exists()
    assert rows(
        footfall.lake,
        "SELECT event_type, package, version, artifact, client FROM lake"
        " WHERE artifact <> 'list' ORDER BY artifact",
    ) == [
        {
            "event_type": kind,
            "package": MODULE,
            "version": VERSION,
            "artifact": f"{VERSION}.{ending}",
            "client": "Go",
        }
        for kind, ending in [("metadata", "info"), ("metadata", "mod"), ("download", "zip")]
    ]
    (counted,) = rows(footfall.lake, "SELECT version_major, prerelease FROM lake WHERE counted")
    assert counted == {"version_major": 2, "prerelease": False}
