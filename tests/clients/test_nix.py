"""nix copies a signed path out of a binary cache behind the gateway, by its name."""

from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

NIX = ("nix", "--extra-experimental-features", "nix-command", "--offline")


def make_cache(home: Path, env: dict[str, str]) -> tuple[str, str]:
    """A cache with one signed path; returns the path and the key that verifies it."""
    (home / "file").write_text("what would be a tool")
    secret = run([*NIX, "key", "generate-secret", "--key-name", "acme-1"], env=env)
    (home / "secret").write_text(secret)
    store = ["--store", str(home / "made")]
    path = run([*NIX, "store", "add-file", *store, "--name", "tool-1.2.3-dev", home / "file"],
               env=env).strip()  # fmt: skip
    cache = f"file://{home / 'cache'}?secret-key={home / 'secret'}"
    run([*NIX, "copy", *store, "--to", cache, path], env=env)
    convert = f"{' '.join(NIX)} key convert-secret-to-public < {home / 'secret'}"
    public = run(["sh", "-c", convert], env=env)
    return path, public


def test_copying_a_path_is_one_download_with_its_name(tmp_path: Path) -> None:
    present("nix")
    env = {"HOME": str(tmp_path), "NIX_CONF_DIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path),
           "NIX_USER_CONF_FILES": "", "NIX_REMOTE": "", "no_proxy": "*"}  # fmt: skip
    path, key = make_cache(tmp_path, env)
    with file_server(tmp_path / "cache") as upstream:
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/nix"
            format = "nix"
            path = "/cache/"
            upstream = "{upstream}"
        """
        with gateway(tmp_path, routes) as footfall:
            run(
                [*NIX[:-1], "copy", "--store", tmp_path / "copied", "--from",
                 f"{footfall.url}/cache", "--option", "trusted-public-keys", key, path],
                env=env,
            )  # fmt: skip
    curate(footfall.lake)

    copied = tmp_path / "copied" / path.removeprefix("/")
    assert copied.read_text() == "what would be a tool"
    assert rows(
        footfall.lake, "SELECT package_id, package, version, client FROM lake WHERE counted"
    ) == [{"package_id": "acme/nix/tool", "package": "tool", "version": "1.2.3", "client": "nix"}]
    (others,) = rows(
        footfall.lake, "SELECT DISTINCT package, not_counted_because AS why FROM lake"
        " WHERE NOT counted"
    )  # fmt: skip
    assert others == {"package": "acme/nix", "why": "metadata"}
