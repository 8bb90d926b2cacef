"""One download walks through all the rooms, and is a number on the overview page."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import page
from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import free_port, module, need, run, running

pytestmark = pytest.mark.browser

# An address of a company's own network, as the shipped IP data knows it (AS714).
VISITOR = "17.253.144.10"
PROXY = "127.77.88.99"


def test_a_download_becomes_a_number_on_the_dashboard(tmp_path: Path) -> None:
    need("curl", "chromium")
    (tmp_path / "files").mkdir()
    (tmp_path / "files/tool-1.2.3.tar.gz").write_bytes(b"tool")
    with file_server(tmp_path / "files") as upstream:
        routes = f"""
            [[route]]
            type = "file"
            domains = ["127.0.0.1"]
            package = "acme/tool"
            incoming-path = "/tool/{{version}}"
            outgoing-url = "{upstream}/tool-{{version}}.tar.gz"
        """
        with gateway(tmp_path, routes, "--trusted-proxies", "1") as footfall:
            for agent in ("curl/8.5.0", "Wget/1.21.3"):
                run(
                    ["curl", "-sfL", "-o", tmp_path / "got", "--interface", PROXY, "-A", agent,
                     "-H", f"X-Forwarded-For: {VISITOR}",
                     "-e", "https://news.ycombinator.com/item?id=1", f"{footfall.url}/tool/1.2.3"]
                )  # fmt: skip
            # A visitor who asks not to be tracked is served, and leaves nothing.
            run(["curl", "-sfL", "-o", tmp_path / "got", "-H", "DNT: 1",
                 f"{footfall.url}/tool/1.2.3"])  # fmt: skip
    assert (tmp_path / "got").read_bytes() == b"tool"
    curate(footfall.lake)

    assert rows(
        footfall.lake,
        "SELECT package, version, company, country, client, referrer_domain, referrer,"
        " count(*) AS n FROM lake WHERE counted GROUP BY ALL ORDER BY client",
    ) == [
        {
            "package": "acme/tool",
            "version": "1.2.3",
            "company": "Apple",
            "country": "US",
            "client": client,
            "referrer_domain": "news.ycombinator.com",
            "referrer": "https://news.ycombinator.com/item",
            "n": 1,
        }
        for client in ("curl", "wget")
    ]
    _no_address_was_written(tmp_path)
    # Parquet compresses, so the tables are searched as read, too.
    for table in ("events", "daily"):
        told = str(rows(footfall.lake, "SELECT * FROM lake", table))
        assert VISITOR not in told
        assert PROXY not in told

    port = free_port()
    with (
        running(
            module("dashboard", "serve", "--data", footfall.lake, "--port", str(port)),
            host="127.0.0.1", port=port, log=tmp_path / "dashboard.log",
        ),
        page() as browser,
    ):  # fmt: skip
        asked: set[str] = set()
        browser.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        browser.goto(f"http://127.0.0.1:{port}/")
        installs = browser.get_by_test_id("stMetric").filter(has_text="Installs").first
        expect(installs.get_by_test_id("stMetricValue")).to_have_text("2", timeout=20_000)
        expect(browser.get_by_text("Apple").first).to_be_visible()
    assert asked == {f"127.0.0.1:{port}"}, "the dashboard asks no other host for anything"


def _no_address_was_written(home: Path) -> None:
    """Search every byte below home, the lake, the salts and the logs, for the two addresses."""
    files = [path for path in home.rglob("*") if path.is_file() and "files" not in path.parts]
    assert files
    for path in files:
        content = path.read_bytes()
        for address in (VISITOR, PROXY):
            assert address.encode() not in content, path
            assert bytes(map(int, address.split("."))) not in content, path
