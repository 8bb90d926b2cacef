"""From a click to what is painted, in a real Chromium: one viewer, then ten who click at once.

    python benchmarks/viewers.py URL [VIEWERS]

Each page is reached by its link in the sidebar, then the period is changed. A page is painted when
its title stands, no element of the page before is left, the script has ended and two frames have
been drawn. The ten share one browser, which on two cores costs more than the server does.
"""

import statistics
import sys

from playwright.sync_api import Page, sync_playwright
from screenshots import QUIET, WIDE

TITLES = (
    "Companies", "Locations", "Runtimes", "Referrers", "Versions", "Export", "Explore", "Overview",
)  # fmt: skip
# The period's name, and what the address says once the server has taken it.
PERIODS = {"All time": "period=all", "7 days": "period=7d", "30 days": ""}
# The clock stops in the page, which need not wait for this program to ask.
PAINTED = """([title, query]) => new Promise(done => {
  const look = () => {
    const app = document.querySelector('[data-testid=stApp]');
    const heading = document.querySelector('h1');
    const there = heading && heading.textContent.trim() === title
      && app.getAttribute('data-test-script-state') === 'notRunning'
      && window.ran !== false && location.search === (query && '?' + query)
      && !document.querySelector('[data-stale=true]');
    if (!there) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  };
  look();
})"""
# Remembers whether a script has run since the click.
WATCH = """
  const app = document.querySelector('[data-testid=stApp]');
  const state = () => app.getAttribute('data-test-script-state');
  window.ran = false;
  window.watcher?.disconnect();
  window.watcher = new MutationObserver(() => { window.ran ||= state() === 'running'; });
  window.watcher.observe(app, {attributes: true});
  window.clicked = performance.now();
"""
CLICK = """title => {
  const links = [...document.querySelectorAll('[data-testid=stPageLink-NavLink]')];
  links.find(link => link.textContent.includes(title)).click();
}"""
PICK = """label => {
  const buttons = [...document.querySelectorAll('[data-testid=stButtonGroup] button')];
  buttons.find(button => button.textContent.trim() === label).click();
}"""


def main(url: str = "http://127.0.0.1:8501", viewers: str = "10") -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*QUIET])
        pages = [browser.new_context(viewport=WIDE).new_page() for _ in range(int(viewers))]
        for page in pages:
            page.goto(url)
            page.evaluate(PAINTED, ["Overview", ""])
        one = pages[:1]
        for name, chosen in (("first visit", one), ("again", one), (f"{viewers} at once", pages)):
            print(f"-- {name}, ms from click to painted")
            for title in TITLES:
                tell(title, at_once(chosen, CLICK, title, [title, ""]))
            for period, query in PERIODS.items():
                tell(f"period {period}", at_once(chosen, PICK, period, ["Overview", query]))
        browser.close()


def at_once(pages: list[Page], act: str, argument: str, then: list[str]) -> list[float]:
    for page in pages:
        page.evaluate(f"a => {{ setTimeout(() => {{ {WATCH}; ({act})(a); }}, 0) }}", argument)
    # The window answers only after the timer above: a page's evaluations come in turn.
    return [page.evaluate(PAINTED, then) - page.evaluate("window.clicked") for page in pages]


def tell(name: str, times: list[float]) -> None:
    print(f"{name:20} median {statistics.median(times):7.0f}   worst {max(times):7.0f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
