"""skopeo copies a multi-platform image through the gateway from a real registry."""

from pathlib import Path

import pytest

from tests.footfall import curate, gateway, rows
from tests.oci import make_layout, push, registry
from tests.programs import need, run

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("registry")]


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
