"""The pages as served, in a real browser."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import page
from tests.dashboard.conftest import busy_rows, write_lake
from tests.programs import free_port, module, running

pytestmark = pytest.mark.browser

PAGES = ("companies", "locations", "runtimes", "referrers", "versions", "explore", "export")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served dashboard. Leaving demands that it stops with status 0."""
    home = tmp_path_factory.mktemp("serve")
    lake = write_lake(home / "lake", busy_rows(today=dt.datetime.now(dt.UTC).date()))
    port = free_port()
    command = module("dashboard", "serve", "--data", lake, "--port", str(port))
    with running(command, host="127.0.0.1", port=port, log=home / "log"):
        yield f"http://127.0.0.1:{port}"


def test_no_page_asks_another_host(address: str) -> None:
    with page() as browser:
        asked: set[str] = set()
        browser.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        browser.goto(address)
        expect(browser.locator(".js-plotly-plot .bars").first).to_be_attached(timeout=20_000)
        for name in PAGES:
            browser.get_by_role("link", name=name.capitalize(), exact=True).click()
            expect(browser.get_by_role("heading", level=1)).to_have_text(name.capitalize())
            browser.wait_for_load_state("networkidle")
        assert asked - {""} == {urlsplit(address).netloc}


def test_the_map_is_drawn(address: str) -> None:
    with page() as browser:
        browser.goto(f"{address}/locations")
        shapes = browser.locator(".choroplethlayer path")
        expect(shapes.first).to_be_attached(timeout=20_000)
        assert shapes.count() > 200
        boxes = [shapes.nth(at).bounding_box() for at in range(0, 200, 10)]
        assert any(box and box["width"] > 20 for box in boxes)


def test_filters_are_carried_from_page_to_page(address: str) -> None:
    with page() as browser:
        browser.goto(f"{address}/?period=7d&package=sdk")
        expect(browser.get_by_test_id("stMetricValue").first).to_be_visible(timeout=20_000)
        browser.get_by_role("link", name="Runtimes", exact=True).click()
        expect(browser.get_by_role("heading", level=1)).to_have_text("Runtimes")
        assert "period=7d" in browser.url
        assert "package=sdk" in browser.url
        browser.get_by_test_id("stButtonGroup").get_by_text("90 days").click()
        browser.wait_for_url("**/runtimes?*period=90d*")
        assert "package=sdk" in browser.url


def test_the_frame_is_quiet(address: str) -> None:
    with page() as browser:
        browser.goto(address)
        expect(browser.get_by_test_id("stMetricValue").first).to_be_visible(timeout=20_000)
        expect(browser.get_by_text("Deploy")).to_have_count(0)
        assert browser.evaluate("document.fonts.check('14px Inter')")
        logo = browser.get_by_test_id("stSidebarLogo")
        assert logo.evaluate("image => image.naturalWidth") > 0
