"""aria2 downloads a file in segments, each a request of its own, and resumes."""

from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import need, run

pytestmark = pytest.mark.clients

CONTENT = bytes(range(256)) * 16384  # 4 MiB, in four segments of one


def test_segments_and_a_resume_are_one_install_each_at_most(tmp_path: Path) -> None:
    need("aria2c")
    for version in ("whole", "resumed"):
        (tmp_path / "files" / version).mkdir(parents=True)
        (tmp_path / "files" / version / "tool.tar.gz").write_bytes(CONTENT)
    part = tmp_path / "part.tar.gz"
    part.write_bytes(CONTENT[:2_500_000])
    with file_server(tmp_path / "files") as upstream:
        routes = f"""
            [[route]]
            type = "file"
            domains = ["127.0.0.1"]
            package = "tool"
            incoming-path = "/tool/{{version}}/tool.tar.gz"
            outgoing-url = "{upstream}/{{version}}/tool.tar.gz"
        """
        with gateway(tmp_path, routes) as footfall:
            address = f"{footfall.url}/tool/{{}}/tool.tar.gz"
            quiet = ["aria2c", "--no-conf", "-q", "-d", tmp_path]
            run([*quiet, "-x4", "-s4", "-k1M", "-o", "full.tar.gz", address.format("whole")])
            run([*quiet, "-c", "-o", "part.tar.gz", address.format("resumed")])
    curate(footfall.lake)

    assert (tmp_path / "full.tar.gz").read_bytes() == CONTENT
    assert part.read_bytes() == CONTENT
    told = rows(
        footfall.lake,
        "SELECT version, range_start, counted, not_counted_because, client FROM lake"
        " ORDER BY event_time",
    )
    assert {row["client"] for row in told} == {"aria2"}
    by_version = {
        version: [row for row in told if row["version"] == version]
        for version in ("whole", "resumed")
    }
    assert len(by_version["whole"]) > 1, "a request a segment"
    # Before it resumes, aria2 asks for the whole to learn its size, and so once more than it loads.
    assert {name: sum(row["counted"] for row in asked) for name, asked in by_version.items()} == {
        "whole": 1,
        "resumed": 1,
    }
    assert {row["not_counted_because"] for row in told if not row["counted"]} == {"resume"}
    assert all(row["range_start"] for row in told if not row["counted"])
