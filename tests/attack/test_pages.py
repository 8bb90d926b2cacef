"""Names that strangers chose, on the dashboard's pages in a real browser: text, nothing more."""

import datetime as dt
import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser import page
from tests.dashboard.conftest import event, write_lake
from tests.programs import free_port, module, running

pytestmark = pytest.mark.browser

HTML = '<img src=x onerror="pwned=1"><a href="https://evil.example">w</a><script>pwned=1;</script'
MARKDOWN = "![i](https://evil.example/i.png) [w](https://evil.example/) `</code>` $x$ :red[r]"
PLOTLY = '<b>b</b><a href="javascript:window.pwned=1">w</a>&lt;img src=x&gt;%{y}'
QUOTES = "\"'></td><svg onload=window.pwned=1>"
PAYLOADS = (HTML, MARKDOWN, PLOTLY, QUOTES)
TEXTS = (
    "package_id", "package", "host", "artifact", "version", "reference", "platform", "client",
    "client_version", "runtime", "runtime_version", "os", "os_version", "arch", "libc", "ci",
    "referrer", "referrer_domain", "region", "city", "as_org", "company", "company_domain",
    "cloud_provider", "connection_type",
)  # fmt: skip
PAGES = ("", "companies", "locations", "runtimes", "referrers", "versions", "explore", "export")
VIEWER = "127.99.88.66"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A dashboard over a lake in which every text is an attack."""
    home = tmp_path_factory.mktemp("pages")
    today = dt.datetime.now(dt.UTC).date()
    rows = [
        event(today - dt.timedelta(days=days), **dict.fromkeys(TEXTS, payload),
              company_kind="business", referrer_type="other", country="SE", latitude=59.3,
              longitude=18.1, variables=f'{{"a":{payload!r}}}')
        for days in range(3)
        for payload in PAYLOADS
    ]  # fmt: skip
    lake = write_lake(home / "lake", rows)
    port = free_port()
    command = module("dashboard", "serve", "--data", lake, "--port", str(port))
    with running(command, host="127.0.0.1", port=port, log=home / "log"):
        yield f"http://127.0.0.1:{port}", home / "log"


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with page() as browser:
        yield browser


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_names_as_text(served: tuple[str, Path], browser: Page, name: str) -> None:
    _visit(browser, served[0], f"/{name}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("company", HTML),
        ("company", MARKDOWN),
        ("company", f"no such {MARKDOWN} {HTML}"),
        ("package", f"no such {MARKDOWN} {HTML}"),
    ],
    ids=["html", "markdown", "no such company", "no such package"],
)
def test_a_link_to_a_page_brings_nothing_along(
    served: tuple[str, Path], browser: Page, key: str, value: str
) -> None:
    """Whoever sends a link chooses what stands in the address, the names of others included."""
    _visit(browser, served[0], f"/companies?period=7d&{key}={quote(value)}")


def test_the_log_of_the_pages_names_no_viewer(served: tuple[str, Path]) -> None:
    host, port = urlsplit(served[0]).hostname or "", urlsplit(served[0]).port
    for path in (
        "/",
        "/none",
        "/_stcore/health",
        "/_stcore/none",
        "/media/none",
        "/%ff",
        "/a" * 999,
    ):
        connection = http.client.HTTPConnection(host, port, 10, (VIEWER, 0))
        connection.request(
            "GET", path, headers={"X-Forwarded-For": VIEWER, "Origin": "https://evil"}
        )
        connection.getresponse().read()
        connection.close()
    assert VIEWER not in served[1].read_text()


def _visit(browser: Page, address: str, target: str) -> None:
    asked: set[str] = set()
    dialogs: list[str] = []
    browser.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    browser.on("dialog", lambda dialog: dialogs.append(dialog.message))
    browser.goto(address + target)
    expect(browser.get_by_role("heading", level=1)).to_be_visible(timeout=20_000)
    browser.wait_for_load_state("networkidle")
    expect(browser.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=20_000)
    assert dialogs == []
    assert browser.evaluate("window.pwned") is None
    assert asked - {""} == {urlsplit(address).netloc}
    for selector in ('img[src*="evil"]', 'img[src="x"]', "[onload]", "[onerror]", ".katex"):
        assert browser.locator(selector).count() == 0, selector
    # Links carry the filters, so what counts is where they lead; those in charts are SVG's own.
    links = browser.evaluate(
        "[...document.querySelectorAll('a')].map(a => a.href.baseVal ?? a.href)"
    )
    assert [
        link for link in links if urlsplit(link).hostname not in {"127.0.0.1", "db-ip.com"}
    ] == []
