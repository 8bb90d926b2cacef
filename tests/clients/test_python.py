"""pip and uv install through the gateway from the real public index."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.footfall import Footfall, curate, gateway, rows
from tests.programs import run

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("python")]

ROUTES = """
    [[route]]
    type = "python"
    domains = ["127.0.0.1"]
    package = "idna"
"""
PROJECT, VERSION = "idna", "3.10"

# The machine's own pip settings (mirrors, extra indexes) must not answer in the gateway's place.
PLAIN_PIP = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}


def _pip(footfall: Footfall, target: Path) -> None:
    run(
        [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--quiet",
         "--target", target, "--index-url", f"{footfall.url}/simple/", f"{PROJECT}=={VERSION}"],
        env=PLAIN_PIP,
    )  # fmt: skip


def _uv(footfall: Footfall, target: Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv is not None, "uv is a development dependency"
    run(
        [uv, "pip", "install", "--no-config", "--no-cache", "--no-deps", "--quiet",
         "--target", target, "--default-index", f"{footfall.url}/simple/", f"{PROJECT}=={VERSION}"],
    )  # fmt: skip


@pytest.mark.parametrize(("client", "install"), [("pip", _pip), ("uv", _uv)])
def test_an_install_is_one_download(tmp_path: Path, client: str, install: object) -> None:
    assert callable(install)
    with gateway(tmp_path, ROUTES) as footfall:
        install(footfall, tmp_path / "installed")
    curate(footfall.lake)

    assert (tmp_path / "installed" / PROJECT / "__init__.py").exists()
    python = ".".join(map(str, sys.version_info[:3]))
    assert rows(
        footfall.lake,
        "SELECT package, version, client, runtime, runtime_version FROM lake WHERE counted",
    ) == [
        {
            "package": PROJECT,
            "version": VERSION,
            "client": client,
            "runtime": "CPython",
            "runtime_version": python,
        }
    ]
    others = rows(footfall.lake, "SELECT DISTINCT not_counted_because AS why FROM lake")
    assert {"why": "metadata"} in others, "the index page is in the data, and is no install"


def test_a_name_that_is_not_configured_is_not_found(tmp_path: Path) -> None:
    with (
        gateway(tmp_path, ROUTES) as footfall,
        pytest.raises(pytest.fail.Exception, match="No matching distribution"),
    ):
        run(
            [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", tmp_path,
             "--index-url", f"{footfall.url}/simple/", "six"],
            env=PLAIN_PIP,
        )  # fmt: skip
