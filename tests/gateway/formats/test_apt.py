"""Debian repositories: paths as apt and its relatives ask for them."""

import pytest

from gateway.formats.apt import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "pool/main/c/curl/curl_7.88.1-10+deb12u8_amd64.deb": get(
        "curl",
        "7.88.1-10+deb12u8",
        arch="amd64",
        platform="linux/amd64",
        revision="10+deb12u8",
        component="main",
        source="curl",
    ),
    "pool/main/v/vim/vim-tiny_9.0.1378-2_arm64.deb": get(
        "vim-tiny",
        "9.0.1378-2",
        arch="arm64",
        platform="linux/arm64",
        revision="2",
        component="main",
        source="vim",
    ),
    "pool/main/g/gcc-defaults/g++_12.2.0-3_armhf.deb": get(
        "g++",
        "12.2.0-3",
        arch="armhf",
        platform="linux/arm/v7",
        revision="3",
        component="main",
        source="gcc-defaults",
    ),
    "pool/main/b/base-files/base-files_12.4_s390x.deb": get(
        "base-files",
        "12.4",
        arch="s390x",
        platform="linux/s390x",
        component="main",
        source="base-files",
    ),
    "pool/contrib/t/ttf/ttf-mscorefonts-installer_3.8_all.deb": get(
        "ttf-mscorefonts-installer", "3.8", arch="all", component="contrib", source="ttf"
    ),
    "pool/main/g/git/git_1%3a2.39.5-0+deb12u1_i386.deb": get(
        "git",
        "1:2.39.5-0+deb12u1",
        arch="i386",
        platform="linux/386",
        epoch="1",
        revision="0+deb12u1",
        component="main",
        source="git",
    ),
    # An epoch's colon written as %3a in the name itself, escaped once more by the client.
    "pool/t/tool_2%253a1.0~rc1-1_amd64.deb": get(
        "tool",
        "2:1.0~rc1-1",
        arch="amd64",
        platform="linux/amd64",
        epoch="2",
        revision="1",
        component="t",
    ),
    "pool/main/libt/libtool/libtool_2.4.7-7~bpo11+1_ppc64el.deb": get(
        "libtool",
        "2.4.7-7~bpo11+1",
        arch="ppc64el",
        platform="linux/ppc64le",
        revision="7~bpo11+1",
        component="main",
        source="libtool",
    ),
    "pool/main/d/debian-installer/rescue-check_1.25_amd64.udeb": get(
        "rescue-check",
        "1.25",
        arch="amd64",
        platform="linux/amd64",
        packaging="udeb",
        component="main",
        source="debian-installer",
    ),
    "pool/main/h/hello/hello-dbgsym_2.10-3_amd64.ddeb": get(
        "hello-dbgsym",
        "2.10-3",
        arch="amd64",
        platform="linux/amd64",
        packaging="ddeb",
        revision="3",
        component="main",
        source="hello",
    ),
    "pool/stable/t/tool/tool_1.2.3_amd64.deb": get(
        "tool", "1.2.3", arch="amd64", platform="linux/amd64", component="stable", source="tool"
    ),
    "tool_1.2.3_amd64.deb": get("tool", "1.2.3", arch="amd64", platform="linux/amd64"),
    "amd64/tool_1.2.3-1_amd64.deb": get(
        "tool", "1.2.3-1", arch="amd64", platform="linux/amd64", revision="1"
    ),
    "tool_1.2.3_linux_arm64.deb": get("tool", "1.2.3", arch="arm64", platform="linux/arm64"),
    "my_tool_1.2.3_amd64.deb": get("my_tool", "1.2.3", arch="amd64", platform="linux/amd64"),
    "tool_amd64.deb": get("tool", None, arch="amd64", platform="linux/amd64"),
    "tool.deb": get("tool", None),
    "pool/main/c/curl/curl_7.88.1-10+deb12u8.dsc": get(
        "curl",
        "7.88.1-10+deb12u8",
        arch="source",
        revision="10+deb12u8",
        component="main",
        source="curl",
    ),
    "pool/main/c/curl/curl_7.88.1.orig.tar.gz": about(
        "curl", "7.88.1", arch="source", component="main", source="curl"
    ),
    "pool/main/c/curl/curl_7.88.1-10+deb12u8.debian.tar.xz": about(
        "curl",
        "7.88.1-10+deb12u8",
        arch="source",
        revision="10+deb12u8",
        component="main",
        source="curl",
    ),
    "pool/main/n/node/node_18.orig-types-node.tar.xz": about(
        "node", "18", arch="source", component="main", source="node"
    ),
    "pool/main/d/dpkg/dpkg_1.21.22.tar.xz": about(
        "dpkg", "1.21.22", arch="source", component="main", source="dpkg"
    ),
    "pool/main/c/curl/curl_7.88.1.orig.tar.gz.asc": about(),
    "dists/bookworm/InRelease": about(suite="bookworm"),
    "dists/bookworm/updates/Release.gpg": about(suite="bookworm/updates"),
    "dists/stable/main/binary-amd64/Packages.xz": about(
        suite="stable", component="main", arch="amd64"
    ),
    "dists/bookworm-security/updates/main/binary-arm64/Packages.gz": about(
        suite="bookworm-security", component="updates/main", arch="arm64"
    ),
    "dists/sid/main/binary-amd64/by-hash/SHA256/0a1b2c": about(
        suite="sid", component="main", arch="amd64"
    ),
    "dists/sid/main/debian-installer/binary-amd64/Packages.xz": about(
        suite="sid", component="main", arch="amd64"
    ),
    "dists/sid/main/i18n/Translation-en.bz2": about(suite="sid", component="main"),
    "dists/sid/main/source/Sources.xz": about(suite="sid", component="main"),
    "dists/sid/main/Contents-amd64.gz": about(suite="sid", component="main"),
    "dists/sid/main/dep11/Components-amd64.yml.gz": about(suite="sid", component="main"),
    "dists/README": about(),
    "InRelease": about(),
    "Packages.gz": about(),
    "acme.gpg": about(),
    "dists": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
