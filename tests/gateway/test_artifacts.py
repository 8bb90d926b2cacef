"""Which files are artifacts, and which only stand beside one."""

import pytest

from gateway.artifacts import event_type


@pytest.mark.parametrize(
    "name",
    ["tool-1.0.tar.gz", "tool", "install.sh", "tool.exe", "checksum-tool.zip", "signal.bin", ""],
)
def test_an_artifact_is_a_download(name: str) -> None:
    assert event_type(name) == "download"


@pytest.mark.parametrize(
    "name",
    [
        "tool-1.0.tar.gz.asc",
        "tool-1.0.tar.gz.sha256",
        "tool-1.0.zip.SHA512",
        "tool.sigstore",
        "SHA256SUMS",
        "sha256sums.txt",
        "tool_1.0_checksums.txt",
        "checksums.txt",
        "tool.cdx.json",
        "robots.txt",
        "favicon.ico",
    ],
)
def test_what_stands_beside_it_is_metadata(name: str) -> None:
    assert event_type(name) == "metadata"
