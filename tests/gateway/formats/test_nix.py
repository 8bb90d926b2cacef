"""Nix binary caches."""

import pytest

from gateway.formats.nix import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "nix-cache-info": about(),
    "00bgd045z0d4icpbc2yyz4gx48ak44la.narinfo": about(),
    "nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar.xz": get(
        "", None, compression="xz"
    ),
    "nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar.zst": get(
        "", None, compression="zst"
    ),
    "nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar.bz2": get(
        "", None, compression="bz2"
    ),
    "nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar": get("", None),
    "acme/nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar.xz": get(
        "", None, compression="xz"
    ),
    "nar/00bgd045z0d4icpbc2yyz4gx48ak44la-1w1fff338fvdw53sqgamddn1b2xgds4.nar.xz": get(
        "", None, compression="xz"
    ),
    "named/hello-2.12.1/nar/0a1b.nar.xz": get("hello", "2.12.1", compression="xz"),
    "named/openssl-3.0.13-dev/nar/0a1b.nar": get("openssl", "3.0.13", output="dev"),
    "named/glibc-2.39-52/nar/0a1b.nar.zst": get("glibc", "2.39-52", compression="zst"),
    "named/python3.11-requests-2.31.0/nar/0a1b.nar": get("python3.11-requests", "2.31.0"),
    "named/gtk%2B3-3.24.41/nar/0a1b.nar": get("gtk+3", "3.24.41"),
    "named/stdenv-linux/nar/0a1b.nar": get("stdenv-linux", None),
    "named/source/nar/0a1b.nar": get("source", None),
    "named/tool-unstable-2026-01-31/nar/0a1b.nar": get("tool-unstable", "2026-01-31"),
    "named/hello-2.12.1/nar/odd.txt": about(),
    "named/hello-2.12.1": about(),
    "named": about(),
    "nar/odd.txt": about(),
    "nar": about(),
    "00bgd045z0d4icpbc2yyz4gx48ak44la.ls": about(),
    "log/00bgd045z0d4icpbc2yyz4gx48ak44la-hello-2.12.1.drv": about("hello", "2.12.1"),
    "log/00bgd045z0d4icpbc2yyz4gx48ak44la-glibc-locales-2.39-52.drv": about(
        "glibc-locales", "2.39-52"
    ),
    "log/00bgd045z0d4icpbc2yyz4gx48ak44la-stdenv-linux.drv": about("stdenv-linux"),
    "log/odd": about(),
    "realisations/sha256:0a1b!out.doi": about(),
    "debuginfo/0a1b2c": about(),
    "public-key": about(),
    "index.html": about(),
    "acme/nix-cache-info": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
