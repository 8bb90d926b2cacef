"""Composer repositories."""

import pytest

from gateway.formats.composer import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "packages.json": about(),
    "p2/acme/tool.json": about("acme/tool"),
    "p2/acme/tool~dev.json": about("acme/tool", stability="dev"),
    "p2/acme/my-tool_2.x.json": about("acme/my-tool_2.x"),
    "p/acme/tool$0a1b2c3d.json": about("acme/tool"),
    "p/provider-latest$0a1b2c3d.json": about(),
    "include/all$0a1b2c3d.json": about(),
    "dist/acme/tool/acme-tool-1.2.3-zip-0a1b2c.zip": get("acme/tool", "1.2.3"),
    "dist/acme/tool/acme-tool-v1.2.3-beta1-zip-0a1b2c.zip": get("acme/tool", "v1.2.3-beta1"),
    "dist/acme/tool/acme-tool-0123456789abcdef0123456789abcdef01234567-zip-0a1b2c.zip": get(
        "acme/tool", None, commit="0123456789ab"
    ),
    "dist/acme/my-tool/acme-my-tool-1.0.0-tar-0a1b2c.tar": get("acme/my-tool", "1.0.0"),
    "dists/acme/tool/1.2.3.0/0123456789abcdef0123456789abcdef01234567.zip": get(
        "acme/tool", "1.2.3.0", commit="0123456789ab"
    ),
    "dist/acme/tool/1.2.3.zip": get("acme/tool", "1.2.3"),
    "archives/acme/tool/1.2.3.tar.gz": get("acme/tool", "1.2.3"),
    "acme/tool/acme-tool-1.2.3.zip": get("acme/tool", "1.2.3"),
    "acme/tool/1.2.3/tool.zip": get("acme/tool", "1.2.3"),
    "dist/acme/tool/tool.zip": get("acme/tool", None),
    "tool-1.2.3.zip": get("", None),
    "search.json": about(),
    "packages/list.json": about(),
    "downloads/": about(),
    "p2/acme/tool": about(),
    "security-advisories": about(),
    "index.html": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
