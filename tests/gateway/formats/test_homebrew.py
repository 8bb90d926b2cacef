"""Homebrew: bottles by name, bottles behind a registry's API, source archives."""

import pytest

from gateway.formats.homebrew import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "wget--1.24.5.arm64_sonoma.bottle.tar.gz": get(
        "wget", "1.24.5", bottle="arm64_sonoma", platform="darwin/arm64"
    ),
    "wget--1.24.5.sonoma.bottle.tar.gz": get(
        "wget", "1.24.5", bottle="sonoma", platform="darwin/amd64"
    ),
    "tool--1.2.3.arm64_sonoma.bottle.1.tar.gz": get(
        "tool", "1.2.3", bottle="arm64_sonoma", platform="darwin/arm64", rebuild="1"
    ),
    "bottles/tool-1.2.3.x86_64_linux.bottle.tar.gz": get(
        "tool", "1.2.3", bottle="x86_64_linux", platform="linux/amd64"
    ),
    "tool-1.2.3_2.arm64_linux.bottle.tar.gz": get(
        "tool", "1.2.3_2", bottle="arm64_linux", platform="linux/arm64"
    ),
    "openssl@3--3.3.1.ventura.bottle.tar.gz": get(
        "openssl@3", "3.3.1", bottle="ventura", platform="darwin/amd64"
    ),
    "openssl%403-3.3.1.arm64_big_sur.bottle.tar.gz": get(
        "openssl@3", "3.3.1", bottle="arm64_big_sur", platform="darwin/arm64"
    ),
    "libsigc++-3.6.0.all.bottle.tar.gz": get("libsigc++", "3.6.0", bottle="all"),
    "pkg-config-0.29.2_3.high_sierra.bottle.tar.gz": get(
        "pkg-config", "0.29.2_3", bottle="high_sierra", platform="darwin/amd64"
    ),
    "x264--r3108.arm64_sequoia.bottle.tar.gz": get(
        "x264", "r3108", bottle="arm64_sequoia", platform="darwin/arm64"
    ),
    "x264-r3108.monterey.bottle.tar.gz": get(
        "x264", "r3108", bottle="monterey", platform="darwin/amd64"
    ),
    "tool--1.2.3.bottle.json": about(),
    "tool--1.2.3.arm64_sonoma.bottle.json": about(
        "tool", "1.2.3", bottle="arm64_sonoma", platform="darwin/arm64"
    ),
    "v2/homebrew/core/wget/blobs/sha256:0a1b": get("wget", None),
    "v2/homebrew/core/openssl/3/blobs/sha256:0a1b": get("openssl@3", None),
    "v2/homebrew/core/wget/manifests/1.24.5": about("wget", "1.24.5"),
    "v2/homebrew/core/wget/manifests/1.24.5-1": about("wget", "1.24.5-1"),
    "v2/": about(),
    "api/formula.jws.json": about(),
    "api/formula/wget.json": about("wget"),
    "api/cask/tool.json": about("tool"),
    "api/internal/v3/homebrew-core.jws.json": about(),
    "tool-1.2.3.tar.gz": get("tool", "1.2.3"),
    "releases/tool-1.2.3-darwin-arm64.zip": get("tool", "1.2.3", platform="darwin/arm64"),
    "Tool.dmg": get("", None),
    "tool-1.2.3.tar.gz.sha256": about(),
    "tool-1.2.3.tar.gz.asc": about(),
    "Formula/tool.rb": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
