"""RubyGems: names with dashes and digits, platforms, specs and the compact index."""

import pytest

from gateway.formats.rubygems import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "gems/rails-7.1.3.gem": get("rails", "7.1.3"),
    "gems/rails-html-sanitizer-1.6.0.gem": get("rails-html-sanitizer", "1.6.0"),
    "gems/net-http2-0.18.5.gem": get("net-http2", "0.18.5"),
    "gems/tool-2-1.0.gem": get("tool-2", "1.0"),
    "gems/tool-1.0.0.rc1.gem": get("tool", "1.0.0.rc1"),
    "gems/tool-3.gem": get("tool", "3"),
    "gems/nokogiri-1.16.5-x86_64-linux.gem": get(
        "nokogiri", "1.16.5", gem_platform="x86_64-linux", platform="linux/amd64"
    ),
    "gems/nokogiri-1.16.5-aarch64-linux-musl.gem": get(
        "nokogiri", "1.16.5", gem_platform="aarch64-linux-musl", platform="linux/arm64"
    ),
    "gems/nokogiri-1.16.5-arm64-darwin.gem": get(
        "nokogiri", "1.16.5", gem_platform="arm64-darwin", platform="darwin/arm64"
    ),
    "gems/tool-1.0-arm64-darwin-22.gem": get(
        "tool", "1.0", gem_platform="arm64-darwin-22", platform="darwin/arm64"
    ),
    "gems/nokogiri-1.16.5-x64-mingw-ucrt.gem": get(
        "nokogiri", "1.16.5", gem_platform="x64-mingw-ucrt", platform="windows/amd64"
    ),
    "gems/ffi-1.16.3-x64-mingw32.gem": get(
        "ffi", "1.16.3", gem_platform="x64-mingw32", platform="windows/amd64"
    ),
    "gems/tool-1.0-x86-mswin32-60.gem": get(
        "tool", "1.0", gem_platform="x86-mswin32-60", platform="windows/386"
    ),
    "gems/nokogiri-1.16.5-java.gem": get("nokogiri", "1.16.5", gem_platform="java"),
    "gems/tool-1.0-universal-darwin.gem": get("tool", "1.0", gem_platform="universal-darwin"),
    "gems/google-protobuf-4.27.0-x86-linux.gem": get(
        "google-protobuf", "4.27.0", gem_platform="x86-linux", platform="linux/386"
    ),
    "downloads/rails-7.1.3.gem": get("rails", "7.1.3"),
    "gems/tool.gem": get("tool", None),
    "quick/Marshal.4.8/rails-7.1.3.gemspec.rz": about("rails", "7.1.3"),
    "quick/Marshal.4.8/nokogiri-1.16.5-x86_64-linux.gemspec.rz": about("nokogiri", "1.16.5"),
    "specs.4.8.gz": about(),
    "latest_specs.4.8.gz": about(),
    "prerelease_specs.4.8.gz": about(),
    "versions": about(),
    "names": about(),
    "info/rails": about("rails"),
    "api/v1/dependencies": about(),
    "api/v1/gems/rails.json": about("rails"),
    "api/v1/versions/rails.json": about("rails"),
    "api/v2/rubygems/rails/versions/7.1.3.json": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
