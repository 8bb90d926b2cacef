"""npm installs through the gateway from the real public registry."""

from pathlib import Path

import pytest

from tests.footfall import curate, gateway, rows
from tests.programs import need, run

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("npm")]


def test_an_install_is_one_download(tmp_path: Path) -> None:
    need("npm")
    # npm itself knows the public registry; its address stands nowhere in this project.
    upstream = run(["npm", "config", "get", "registry"], cwd=tmp_path).strip()
    routes = f"""
        [[route]]
        type = "npm"
        domains = ["127.0.0.1"]
        package = "is-number"
        registry = "{upstream}"
    """
    project = tmp_path / "project"
    project.mkdir()
    (project / "package.json").write_text('{"name": "probe", "version": "1.0.0"}')
    with gateway(tmp_path, routes) as footfall:
        run(
            ["npm", "install", "--registry", footfall.url, "--cache", tmp_path / "cache",
             "--no-audit", "--no-fund", "--no-update-notifier", "is-number@7.0.0"],
            cwd=project,
        )  # fmt: skip
    curate(footfall.lake)

    assert (project / "node_modules/is-number/index.js").exists()
    (counted,) = rows(
        footfall.lake,
        "SELECT package, version, client, runtime, event_type FROM lake WHERE counted",
    )
    assert counted == {
        "package": "is-number",
        "version": "7.0.0",
        "client": "npm",
        "runtime": "Node.js",
        "event_type": "download",
    }
