"""wget downloads a file: looks first, is cut off, and resumes."""

from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import need, run

pytestmark = pytest.mark.clients

CONTENT = bytes(range(256)) * 4096


def test_a_look_and_a_resume_are_no_installs(tmp_path: Path) -> None:
    need("wget")
    (tmp_path / "files/v1.2.3").mkdir(parents=True)
    (tmp_path / "files/v1.2.3/tool.tar.gz").write_bytes(CONTENT)
    full, part = tmp_path / "full.tar.gz", tmp_path / "part.tar.gz"
    part.write_bytes(CONTENT[:1000])
    with file_server(tmp_path / "files") as upstream:
        routes = f"""
            [[route]]
            type = "file"
            domains = ["127.0.0.1"]
            package = "tool"
            incoming-path = "/tool/{{version}}/tool.tar.gz"
            outgoing-url = "{upstream}/v{{version}}/tool.tar.gz"
            [route.aliases]
            latest = "1.2.3"
        """
        with gateway(tmp_path, routes) as footfall:
            address = f"{footfall.url}/tool/latest/tool.tar.gz"
            quiet = ["wget", "--no-config", "-q", "-t", "1"]
            run([*quiet, "--spider", address])
            run([*quiet, "-O", full, address])
            run([*quiet, "-c", "-O", part, address])
    curate(footfall.lake)

    assert full.read_bytes() == CONTENT
    assert part.read_bytes() == CONTENT
    assert rows(
        footfall.lake,
        "SELECT method, range_start, counted, not_counted_because, version, reference, client"
        " FROM lake ORDER BY event_time",
    ) == [
        {
            "method": method,
            "range_start": start,
            "counted": reason is None,
            "not_counted_because": reason,
            "version": "1.2.3",
            "reference": "latest",
            "client": "wget",
        }
        for method, start, reason in [
            ("HEAD", None, "head"),
            ("GET", None, None),
            ("GET", 1000, "resume"),
        ]
    ]
