"""Conda channels."""

import pytest

from gateway.formats.conda import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "linux-64/repodata.json": about(subdir="linux-64"),
    "linux-64/repodata.json.zst": about(subdir="linux-64"),
    "linux-64/repodata.json.bz2": about(subdir="linux-64"),
    "linux-64/current_repodata.json": about(subdir="linux-64"),
    "linux-64/repodata_shards.msgpack.zst": about(subdir="linux-64"),
    "noarch/repodata.json.zst": about(subdir="noarch"),
    "acme/noarch/repodata.json": about(subdir="noarch", channel="acme"),
    "channeldata.json": about(),
    "linux-64/numpy-1.26.4-py312heda63a1_0.conda": get(
        "numpy", "1.26.4", subdir="linux-64", build="py312heda63a1_0", platform="linux/amd64"
    ),
    "linux-64/numpy-1.26.4-py312heda63a1_0.tar.bz2": get(
        "numpy", "1.26.4", subdir="linux-64", build="py312heda63a1_0", platform="linux/amd64"
    ),
    "linux-aarch64/zlib-1.3.1-h68df207_1.conda": get(
        "zlib", "1.3.1", subdir="linux-aarch64", build="h68df207_1", platform="linux/arm64"
    ),
    "linux-ppc64le/zlib-1.3.1-h1_1.conda": get(
        "zlib", "1.3.1", subdir="linux-ppc64le", build="h1_1", platform="linux/ppc64le"
    ),
    "linux-armv7l/zlib-1.2.8-3.tar.bz2": get(
        "zlib", "1.2.8", subdir="linux-armv7l", build="3", platform="linux/arm/v7"
    ),
    "osx-64/tool-1.0-0.conda": get(
        "tool", "1.0", subdir="osx-64", build="0", platform="darwin/amd64"
    ),
    "osx-arm64/tool-1.0-0.conda": get(
        "tool", "1.0", subdir="osx-arm64", build="0", platform="darwin/arm64"
    ),
    "win-64/vs2015_runtime-14.38.33130-hcb4865c_18.conda": get(
        "vs2015_runtime",
        "14.38.33130",
        subdir="win-64",
        build="hcb4865c_18",
        platform="windows/amd64",
    ),
    "win-32/tool-1.0-0.tar.bz2": get(
        "tool", "1.0", subdir="win-32", build="0", platform="windows/386"
    ),
    "win-arm64/tool-1.0-0.conda": get(
        "tool", "1.0", subdir="win-arm64", build="0", platform="windows/arm64"
    ),
    "noarch/ca-certificates-2024.2.2-hbcca054_0.conda": get(
        "ca-certificates", "2024.2.2", subdir="noarch", build="hbcca054_0"
    ),
    "acme/label/dev/linux-64/tool-2.0rc1-py_0.conda": get(
        "tool",
        "2.0rc1",
        subdir="linux-64",
        channel="acme/label/dev",
        build="py_0",
        platform="linux/amd64",
    ),
    "noarch/font-ttf-dejavu-sans-mono-2.37-hab24e00_0.tar.bz2": get(
        "font-ttf-dejavu-sans-mono", "2.37", subdir="noarch", build="hab24e00_0"
    ),
    "emscripten-wasm32/tool-1.0-0.tar.bz2": get(
        "tool", "1.0", subdir="emscripten-wasm32", build="0"
    ),
    "linux-64/index.html": about(subdir="linux-64"),
    "linux-64/odd.conda": about(subdir="linux-64"),
    "noarch": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
