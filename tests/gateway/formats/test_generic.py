"""Any tree of files."""

import pytest

from gateway.formats.generic import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "v1.2.3/tool.tar.gz": get("", "v1.2.3"),
    "1.2.3/linux/amd64/tool": get("", "1.2.3", platform="linux/amd64"),
    "tool-1.2.3.tar.gz": get("", "1.2.3"),
    "tool-1.2.3-linux-amd64.tar.gz": get("", "1.2.3", platform="linux/amd64"),
    "tool_1.2.3_Linux_x86_64.tar.gz": get("", "1.2.3", platform="linux/amd64"),
    "tool_1.2.3-rc.1_darwin_arm64.zip": get("", "1.2.3-rc.1", platform="darwin/arm64"),
    "tool-v1.2.3-x86_64-unknown-linux-musl.tar.xz": get("", "v1.2.3", platform="linux/amd64"),
    "tool-v1.2.3-aarch64-apple-darwin.tar.xz": get("", "v1.2.3", platform="darwin/arm64"),
    "tool-1.2.3-win64.exe": get("", "1.2.3", platform="windows/amd64"),
    "tool-1.2.3-linux64.zip": get("", "1.2.3", platform="linux/amd64"),
    "tool-v1.2.3-armv7-unknown-linux-gnueabihf.tar.gz": get("", "v1.2.3", platform="linux/arm/v7"),
    "tool-v1.2.3-x86_64-pc-windows-msvc.zip": get("", "v1.2.3", platform="windows/amd64"),
    "tool-1.2.3-win32.zip": get("", "1.2.3", platform="windows/386"),
    "releases/download/v2.0.0-beta.2/tool-linux-arm64": get(
        "", "v2.0.0-beta.2", platform="linux/arm64"
    ),
    "downloads/drbd/9.0/drbd-9.1.15.tar.gz": get("", "9.0"),
    "latest/tool.tar.gz": get("", None),
    "tool": get("", None),
    "install.sh": get("", None),
    "tool-10.deb": get("", None),
    "tool-linux.AppImage": get("", None),
    "2/tool.zip": get("", None),
    "v1.2.3/tool.tar.gz.sha256": about(),
    "v1.2.3/tool.tar.gz.asc": about(),
    "v1.2.3/checksums.txt": about(),
    "v1.2.3/tool_1.2.3_SHA256SUMS": about(),
    "index.html": about(),
    "index.json": about(),
    "latest.txt": about(),
    "stable": about(),
    "manifest.json": about(),
    "appcast.xml": about(),
    "feed.rss": about(),
    "README.md": about(),
    "acme.gpg": about(),
    "robots.txt": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
