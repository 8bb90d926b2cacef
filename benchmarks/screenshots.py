"""Pictures of every page of a running dashboard, and how long the first one takes.

    python benchmarks/screenshots.py [URL] [FOLDER]

Every request to another host is reported, and makes the run fail.
"""

import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

PAGES = (
    "", "companies", "locations", "runtimes", "referrers", "versions", "explore", "export",
)  # fmt: skip
SIZES = {"": (1440, 900), "-narrow": (420, 900)}
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
        for scheme in ("light", "dark"):
            for suffix, size in SIZES.items():
                name = suffix if scheme == "light" else f"{suffix}-dark"
                shoot(browser, url, target, scheme, name, size, foreign)
        browser.close()
    if foreign:
        sys.exit(f"other hosts were asked: {', '.join(sorted(foreign))}")


def shoot(
    browser: Browser, url: str, target: Path, scheme: str, suffix: str,
    size: tuple[int, int], foreign: set[str],
) -> None:  # fmt: skip
    for name in PAGES:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
        )
        page = context.new_page()
        page.on("request", lambda request: note(request.url, url, foreign))
        started = time.perf_counter()
        page.goto(f"{url.rstrip('/')}/{name}")
        if not name:
            page.get_by_test_id("stMetricValue").first.wait_for()
            print(f"first numbers{suffix}: {time.perf_counter() - started:.2f} s")
        settle(page)
        page.screenshot(path=target / f"{name or 'overview'}{suffix}.png", full_page=False)
        tall = page.get_by_test_id("stMainBlockContainer").bounding_box()
        if tall and tall["height"] > size[1]:
            page.set_viewport_size({"width": size[0], "height": int(tall["height"]) + 60})
            settle(page)
        page.screenshot(path=target / f"{name or 'overview'}{suffix}-whole.png")
        context.close()


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
