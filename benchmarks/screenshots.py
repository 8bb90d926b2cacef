"""Pictures of every page of a running dashboard, and how long the first one takes.

    python benchmarks/screenshots.py [URL] [FOLDER]

Every request to another host is reported, and makes the run fail.
"""

import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

PAGES = (
    "", "companies", "locations", "runtimes", "referrers", "versions", "explore", "export",
)  # fmt: skip
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 420, "height": 900}
SHAPES = (("", "light", WIDE), ("-dark", "dark", WIDE), ("-narrow", "light", NARROW))
# Without these, Chromium calls its makers at every start.
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SETTLE_MS = 1_200


def main(url: str = "http://127.0.0.1:8501", folder: str = "build/screenshots") -> None:
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    foreign: set[str] = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*QUIET])
        for suffix, scheme, size in SHAPES:
            for name in PAGES:
                page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
                page.on("request", lambda request: note(request.url, url, foreign))
                shoot(page, f"{url.rstrip('/')}/{name}", target / f"{name or 'overview'}{suffix}")
                page.context.close()
        browser.close()
    if foreign:
        sys.exit(f"other hosts were asked: {', '.join(sorted(foreign))}")


def shoot(page: Page, address: str, target: Path) -> None:
    started = time.perf_counter()
    page.goto(address)
    if target.name.startswith("overview"):
        page.get_by_test_id("stMetricValue").first.wait_for()
        print(f"{target.name}: first numbers after {time.perf_counter() - started:.2f} s")
    settle(page)
    page.screenshot(path=f"{target}.png")
    # Streamlit scrolls inside the page, so the window grows to show all of it.
    content = page.get_by_test_id("stMainBlockContainer").bounding_box()
    size = page.viewport_size
    if content and size and content["height"] > size["height"]:
        page.set_viewport_size({"width": size["width"], "height": int(content["height"]) + 40})
        settle(page)
    page.screenshot(path=f"{target}-whole.png")


def settle(page: Page) -> None:
    page.get_by_test_id("stMainBlockContainer").wait_for()
    page.wait_for_function("!document.querySelector('[data-stale=true]')")
    page.wait_for_timeout(SETTLE_MS)


def note(address: str, url: str, foreign: set[str]) -> None:
    parts = urlsplit(address)
    if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != urlsplit(url).netloc:
        foreign.add(address)


if __name__ == "__main__":
    main(*sys.argv[1:])
