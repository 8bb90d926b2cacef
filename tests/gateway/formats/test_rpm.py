"""RPM repositories: NEVRA out of file names."""

import pytest

from gateway.formats.rpm import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "Packages/b/bash-5.2.26-3.fc40.x86_64.rpm": get(
        "bash", "5.2.26-3.fc40", arch="x86_64", platform="linux/amd64", release="3.fc40"
    ),
    "Packages/k/kernel-core-6.8.5-301.fc40.aarch64.rpm": get(
        "kernel-core", "6.8.5-301.fc40", arch="aarch64", platform="linux/arm64", release="301.fc40"
    ),
    "AppStream/Packages/python3-pip-wheel-21.3.1-1.el9.noarch.rpm": get(
        "python3-pip-wheel", "21.3.1-1.el9", arch="noarch", release="1.el9"
    ),
    "tool-1:2.3-4.x86_64.rpm": get(
        "tool", "2.3-4", arch="x86_64", platform="linux/amd64", epoch="1", release="4"
    ),
    "1:tool-2.3-4.x86_64.rpm": get(
        "tool", "2.3-4", arch="x86_64", platform="linux/amd64", epoch="1", release="4"
    ),
    "tool-1%3A2.3-4.x86_64.rpm": get(
        "tool", "2.3-4", arch="x86_64", platform="linux/amd64", epoch="1", release="4"
    ),
    "source/tree/Packages/b/bash-5.2.26-3.fc40.src.rpm": get(
        "bash", "5.2.26-3.fc40", arch="source", release="3.fc40"
    ),
    "SRPMS/big-1.0-1.nosrc.rpm": get("big", "1.0-1", arch="source", release="1"),
    "Packages/l/libstdc++-14.0.1-0.15.fc40.i686.rpm": get(
        "libstdc++", "14.0.1-0.15.fc40", arch="i686", platform="linux/386", release="0.15.fc40"
    ),
    "Packages/g/gcc-c++-14.0.1-0.15.fc40.ppc64le.rpm": get(
        "gcc-c++", "14.0.1-0.15.fc40", arch="ppc64le", platform="linux/ppc64le", release="0.15.fc40"
    ),
    "x86_64/containerd.io-1.6.31-3.1.el9.x86_64.rpm": get(
        "containerd.io", "1.6.31-3.1.el9", arch="x86_64", platform="linux/amd64", release="3.1.el9"
    ),
    "Packages/tool-1.0~rc1^20260131git0a1b2c3-2.armv7hl.rpm": get(
        "tool", "1.0~rc1^20260131git0a1b2c3-2", arch="armv7hl", platform="linux/arm/v7", release="2"
    ),
    "Packages/java-17-openjdk-headless-17.0.11.0.9-1.fc40.s390x.rpm": get(
        "java-17-openjdk-headless",
        "17.0.11.0.9-1.fc40",
        arch="s390x",
        platform="linux/s390x",
        release="1.fc40",
    ),
    "tool-1.2.3-1.x86_64.rpm": get(
        "tool", "1.2.3-1", arch="x86_64", platform="linux/amd64", release="1"
    ),
    "tool-1.2.3.x86_64.rpm": get("tool", "1.2.3", arch="x86_64", platform="linux/amd64"),
    "tool-v1.2.3.aarch64.rpm": get("tool", "v1.2.3", arch="aarch64", platform="linux/arm64"),
    "tool_1.2.3_linux_amd64.rpm": get("tool", "1.2.3", arch="amd64", platform="linux/amd64"),
    "tool.rpm": get("tool", None),
    "drpms/bash-5.2.21-2.fc40_5.2.26-3.fc40.x86_64.drpm": get(
        "bash",
        "5.2.26-3.fc40",
        arch="x86_64",
        platform="linux/amd64",
        release="3.fc40",
        packaging="drpm",
        delta_from="5.2.21-2.fc40",
    ),
    "drpms/gcc-c++-13.2-1_14.0-1.i686.drpm": get(
        "gcc-c++",
        "14.0-1",
        arch="i686",
        platform="linux/386",
        release="1",
        packaging="drpm",
        delta_from="13.2-1",
    ),
    "drpms/odd.drpm": get("odd", None, packaging="drpm"),
    "repodata/repomd.xml": about(),
    "repodata/repomd.xml.asc": about(),
    "repodata/0a1b-primary.xml.zst": about(),
    "repodata/0a1b-filelists.sqlite.bz2": about(),
    "repodata/0a1b-comps-Everything.x86_64.xml.zck": about(),
    "RPM-GPG-KEY-acme": about(),
    "acme.repo": about(),
    "tool-1.2.3-1.x86_64.rpm.asc": about(),
    "mirrorlist": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
