"""Cargo registries: the sparse index, downloads, crates."""

import pytest

from gateway.formats.cargo import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "config.json": about(),
    "1/a": about("a"),
    "2/ab": about("ab"),
    "3/a/abc": about("abc"),
    "ac/me/acmec": about("acmec"),
    "se/rd/serde_json": about("serde_json"),
    "to/ki/tokio-util": about("tokio-util"),
    "ca/rg/cargo": about("cargo"),
    "in/fl/inflector": about("inflector"),
    "ac/me/other": about(),
    "3/x/abc": about(),
    "1/abc": about(),
    "crates/acme/1.2.3/download": get("acme", "1.2.3"),
    "crates/acme/1.2.3/0a1b2c/download": get("acme", "1.2.3"),
    "crates/acme-sys/0.1.0-rc.1+zlib.1.2/download": get("acme-sys", "0.1.0-rc.1+zlib.1.2"),
    "crates/acme/1.0.0%2Bbuild/download": get("acme", "1.0.0+build"),
    "api/v1/crates/acme/1.2.3/download": get("acme", "1.2.3"),
    "api/v1/crates/acme": about("acme"),
    "api/v1/crates/acme/1.2.3": about("acme"),
    "api/v1/crates": about(),
    "crates/acme/acme-1.2.3.crate": get("acme", "1.2.3"),
    "crates/ac/me/acme-sys/acme-sys-1.2.3.crate": get("acme-sys", "1.2.3"),
    "acme-utf-8-1.2.3-beta.2.crate": get("acme-utf-8", "1.2.3-beta.2"),
    "crates/acme.crate": get("acme", None),
    "me": about(),
    "index.html": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
