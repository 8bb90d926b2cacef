"""composer installs a package through the gateway from a repository below a path of its host."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILE = "acme-tool-1.2.3-zip-0a1b2c.zip"


def make_repository(home: Path, host: str) -> None:
    """What Satis makes: links from the root of the host, and archives by absolute URLs."""
    repository = home / "upstream/satis"
    (repository / "dist/acme/tool").mkdir(parents=True)
    (repository / "p2/acme").mkdir(parents=True)
    archive = repository / "dist/acme/tool" / FILE
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("tool/composer.json", '{"name": "acme/tool"}')
    version = {
        "name": "acme/tool",
        "version": "1.2.3",
        "version_normalized": "1.2.3.0",
        "dist": {
            "type": "zip",
            "url": f"{host}/satis/dist/acme/tool/{FILE}",
            "reference": COMMIT,
            "shasum": hashlib.sha1(archive.read_bytes()).hexdigest(),
        },
    }
    told = {"packages": {"acme/tool": [version]}}
    (repository / "p2/acme/tool.json").write_text(json.dumps(told))
    (repository / "p2/acme/tool~dev.json").write_text('{"packages": {"acme/tool": []}}')
    root = {"packages": [], "metadata-url": "/satis/p2/%package%.json"}
    (repository / "packages.json").write_text(json.dumps(root))


def make_project(home: Path, repository: str) -> Path:
    project = home / "project"
    project.mkdir()
    told = {
        "repositories": [{"type": "composer", "url": repository}, {"packagist": False}],
        "require": {"acme/tool": "^1.0"},
        "config": {"secure-http": False},
    }
    (project / "composer.json").write_text(json.dumps(told))
    return project


def test_installing_a_package_is_one_download(tmp_path: Path) -> None:
    present("composer", "php", "unzip")
    (tmp_path / "upstream").mkdir()
    with file_server(tmp_path / "upstream") as upstream:
        make_repository(tmp_path, upstream)
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/php"
            format = "composer"
            path = "/composer/"
            upstream = "{upstream}/satis"
        """
        with gateway(tmp_path, routes) as footfall:
            project = make_project(tmp_path, f"{footfall.url}/composer")
            env = {"COMPOSER_HOME": str(tmp_path / "home"), "COMPOSER_ALLOW_SUPERUSER": "1",
                   "no_proxy": "*"}  # fmt: skip
            run(["composer", "install", "--no-interaction", "--no-plugins"], env=env, cwd=project)
    curate(footfall.lake)

    assert (project / "vendor/acme/tool/composer.json").exists()
    assert rows(
        footfall.lake,
        "SELECT package_id, package, version, artifact, client FROM lake WHERE counted",
    ) == [
        {
            "package_id": "acme/php/acme/tool",
            "package": "acme/tool",
            "version": "1.2.3",
            "artifact": FILE,
            "client": "composer",
        }
    ]
    others = rows(
        footfall.lake, "SELECT DISTINCT not_counted_because AS why FROM lake WHERE NOT counted"
    )
    assert others == [{"why": "metadata"}]
