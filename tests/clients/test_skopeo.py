"""skopeo copies a multi-platform image through the gateway from a real registry."""

import json
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.footfall import Footfall, curate, gateway, rows
from tests.oci import INDEX, MANIFEST, index_digest, make_layout, push, registry
from tests.programs import need, run
from tests.token_service import PUSHER, READER, token_service

pytestmark = pytest.mark.clients


def test_copying_a_multi_platform_image_is_one_pull_of_one_platform(tmp_path: Path) -> None:
    need("docker-registry", "skopeo")
    make_layout(tmp_path / "layout")
    with registry(tmp_path) as upstream:
        push(tmp_path / "layout", upstream, "acme/hello:1.0")
        routes = f"""
            [[route]]
            type = "docker"
            domains = ["127.0.0.1"]
            image = "acme/hello"
            registry = "http://{upstream}"
        """
        with gateway(tmp_path, routes) as footfall:
            run(
                ["skopeo", "copy", "--quiet", "--src-tls-verify=false",
                 "--override-os=linux", "--override-arch=arm64",
                 f"docker://{footfall.authority}/acme/hello:1.0", f"oci:{tmp_path / 'copy'}:1.0"]
            )  # fmt: skip
    curate(footfall.lake)

    assert (tmp_path / "copy/index.json").exists()
    assert rows(
        footfall.lake, "SELECT package, version, platform, client FROM lake WHERE counted"
    ) == [
        {"package": "acme/hello", "version": "1.0", "platform": "linux/arm64", "client": "skopeo"}
    ]
    (pulls,) = rows(footfall.lake, "SELECT count(*) AS n FROM lake WHERE event_type = 'pull'")
    assert pulls["n"] == 2, "the index and its child are both in the data"
    (blobs,) = rows(
        footfall.lake,
        "SELECT count(*) AS n, count(*) FILTER (counted) AS c FROM lake WHERE event_type = 'blob'",
    )
    assert blobs == {"n": 2, "c": 0}


def _copy(source: str, target: Path, *options: str) -> None:
    run(
        ["skopeo", "copy", "--quiet", "--src-tls-verify=false", "--override-os=linux",
         "--override-arch=arm64", *options, f"docker://{source}", f"oci:{target}:1.0"]
    )  # fmt: skip


def _route(upstream: str, repository: str, *lines: str) -> str:
    return "\n".join(
        (
            "[[route]]",
            'type = "docker"',
            'domain = "127.0.0.1"',
            'image = "tool"',
            f'registry = "http://{upstream}"',
            f'repository = "{repository}"',
            *lines,
        )
    )


def _status(footfall: Footfall, path: str) -> int:
    """The answer on a connection of its own, so that any worker may take it."""
    connection = HTTPConnection(footfall.host, footfall.port, timeout=20)
    try:
        connection.request("GET", path, headers={"Accept": f"{INDEX}, {MANIFEST}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_an_image_moves_to_another_registry_and_users_change_nothing(tmp_path: Path) -> None:
    need("docker-registry", "skopeo", "openssl")
    make_layout(tmp_path / "layout")
    old_home, new_home = tmp_path / "old", tmp_path / "new"
    old_home.mkdir()
    new_home.mkdir()
    with ExitStack() as stack:
        tokens = stack.enter_context(token_service(new_home, "127.0.1.2"))
        new = stack.enter_context(registry(new_home, "127.0.1.2", tokens=tokens))
        push(tmp_path / "layout", new, "acme/open-tool:1.0", "--dest-creds", PUSHER)
        with registry(old_home, "127.0.1.1") as old:
            push(tmp_path / "layout", old, "acme/hello:1.0")
            footfall = stack.enter_context(gateway(tmp_path, _route(old, "acme/hello")))
            _copy(f"{footfall.authority}/tool:1.0", tmp_path / "before")
        assert _status(footfall, "/v2/tool/tags/list") == 502
        (tmp_path / "routes.toml").write_text(_route(new, "acme/open-tool"))
        deadline = time.monotonic() + 20
        while _status(footfall, "/v2/tool/tags/list") != 200:
            assert time.monotonic() < deadline, footfall.log.read_text()
            time.sleep(0.1)
        _copy(f"{footfall.authority}/tool:1.0", tmp_path / "after")
    assert _blobs(tmp_path / "before") == _blobs(tmp_path / "after")
    curate(footfall.lake)
    # Both copies went to a folder of their own, so both fetched layers; but minutes tell machines
    # that use skopeo apart, and these are seconds.
    assert rows(
        footfall.lake,
        "SELECT not_counted_because AS why, platform FROM lake"
        " WHERE event_type = 'pull' AND reference = '1.0' ORDER BY event_time",
    ) == [
        {"why": None, "platform": "linux/arm64"},
        {"why": "version_check", "platform": "linux/arm64"},
    ]


def _blobs(layout: Path) -> set[str]:
    return {blob.name for blob in (layout / "blobs/sha256").iterdir()}


def test_a_private_image_takes_the_credentials_of_its_own_registry(tmp_path: Path) -> None:
    need("docker-registry", "skopeo", "openssl")
    make_layout(tmp_path / "layout")
    with (
        token_service(tmp_path) as tokens,
        registry(tmp_path, tokens=tokens) as upstream,
    ):
        push(tmp_path / "layout", upstream, "acme/secret:1.0", "--dest-creds", PUSHER)
        with gateway(tmp_path, _route(upstream, "acme/secret", "private = true")) as footfall:
            image = f"{footfall.authority}/tool:1.0"
            _log_in(footfall.authority, tmp_path, READER)
            with pytest.raises(pytest.fail.Exception, match="invalid username/password"):
                _log_in(footfall.authority, tmp_path, "reader:x")
            _copy(image, tmp_path / "copy", "--src-creds", READER)
            with pytest.raises(pytest.fail.Exception, match="unauthorized"):
                _copy(image, tmp_path / "copied", "--src-creds", "nobody:x")
            with pytest.raises(pytest.fail.Exception, match="unauthorized"):
                _copy(image, tmp_path / "copied", "--src-no-creds")
    curate(footfall.lake)
    assert rows(footfall.lake, "SELECT version, platform FROM lake WHERE counted") == [
        {"version": "1.0", "platform": "linux/arm64"}
    ]


def _log_in(authority: str, home: Path, credentials: str) -> None:
    user, _, password = credentials.partition(":")
    run(
        ["skopeo", "login", "--tls-verify=false", "--authfile", home / "auth.json",
         "--username", user, "--password", password, authority]
    )  # fmt: skip


def test_every_worker_knows_the_platform(tmp_path: Path) -> None:
    need("docker-registry", "skopeo")
    make_layout(tmp_path / "layout")
    index = json.loads((tmp_path / "layout/blobs" / _path(tmp_path / "layout")).read_text())
    child = index["manifests"][1]["digest"]
    with registry(tmp_path) as upstream:
        push(tmp_path / "layout", upstream, "acme/hello:1.0")
        routes = _route(upstream, "acme/hello")
        with gateway(tmp_path, routes, "--workers", "2") as footfall:
            assert _status(footfall, "/v2/tool/manifests/1.0") == 200
            for _ in range(20):
                assert _status(footfall, f"/v2/tool/manifests/{child}") == 200
    curate(footfall.lake)
    assert rows(
        footfall.lake,
        "SELECT DISTINCT json_extract_string(variables, '$.platform') AS platform FROM lake"
        f" WHERE reference = '{child}'",
    ) == [{"platform": "linux/arm64"}]


def _path(layout: Path) -> str:
    return index_digest(layout).replace(":", "/")
