"""Overview: how much, compared with before, by package, and what leads."""

import time

import streamlit as st

from dashboard import charts, lists, sidebar, warehouse, words, world
from dashboard.filters import Filters, format_address, previous
from dashboard.lists import Row
from dashboard.palette import OTHER
from dashboard.queries import overview
from dashboard.views import parts

REFRESH_SECONDS = 5
# About what a browser takes to fetch what draws six numbers, and to paint them.
PAINT_SECONDS = 0.3


@st.fragment(run_every=REFRESH_SECONDS)
def live(filters: Filters) -> None:
    """Everything on the page; drawn again by itself, and only what changed is painted."""
    with warehouse.failures_in_words():
        numbers(filters)
        paint_numbers_first()
        over_time(filters)
        leaders(filters)


def numbers(filters: Filters) -> None:
    """The totals against the period of equal length before."""
    before = previous(filters)
    now = warehouse.ask(overview.totals, filters).row(0, named=True)
    then = warehouse.ask(overview.totals, before).row(0, named=True) if before else {}
    versus = f"vs {words.span(before.start, before.end)}" if before else None
    shown = {
        "installs": (words.EVENT_WORDS[filters.counted], None),
        "uniques": ("Daily uniques", parts.UNIQUES),
        "companies": ("Companies", "Businesses, universities and public bodies, by network."),
        "countries": ("Countries", None),
        "views": ("Page views", "Tracking pixels on documentation and READMEs."),
        "telemetry": ("Telemetry", "Events that the software itself reports."),
    }
    with st.container(key="numbers"):
        columns = st.columns(len(shown), gap="small")
    for column, (key, (label, meaning)) in zip(columns, shown.items(), strict=True):
        change = words.change(now[key], then.get(key, 0))
        column.metric(
            label,
            words.count(now[key]),
            delta=change,
            delta_color="off",
            delta_arrow="off" if change == words.NO_CHANGE else "auto",
            help=_help(meaning, versus),
            border=True,
        )
    if before and filters.end >= warehouse.calendar().today:
        st.caption(
            f"Changes are against {words.span(before.start, before.end)}, all of it. Today is not "
            "over (UTC), so they are too low until midnight."
        )


def paint_numbers_first() -> None:
    """Hold the chart back for a moment, once a session.

    Loading the chart library blocks the browser for longer than everything else together; without
    the pause, it begins before the numbers, which are there already, are painted.
    """
    if not st.session_state.get("painted"):
        st.session_state["painted"] = True
        time.sleep(PAINT_SECONDS)


def over_time(filters: Filters) -> None:
    """Installs over time by package."""
    chosen = warehouse.within_lake(filters)
    frame = warehouse.ask(overview.by_day, chosen)
    with st.container(border=True, key="card-time"):
        st.subheader(f"{words.EVENT_WORDS[filters.counted]} over time", anchor=False)
        if frame.is_empty():
            parts.nothing(filters)
            return
        parts.show(
            parts.by_package(frame, chosen),
            key="installs_over_time",
            alt="Installs over time, stacked by package",
        )


def leaders(filters: Filters) -> None:
    """The top lists, each leading to its page."""
    unit = words.EVENT_WORDS[filters.counted].lower()
    address = format_address(filters)
    columns = [*st.columns(3, gap="medium"), *st.columns(2, gap="medium")]
    titles = {
        "package": "Packages",
        "company": "Companies",
        "country": "Countries",
        "version": "Versions",
        "referrer": "Referrers of installs and page views",
    }
    for column, (what, title) in zip(columns, titles.items(), strict=True):
        found = warehouse.ask(overview.top, filters, what)
        # The same names have colours as in the chart above.
        leading = found["id"].to_list()[: charts.SERIES] if what == "package" else []
        colours = warehouse.package_colours(leading)
        rows = [
            Row(
                name=world.name(name) if what == "country" else name,
                value=value,
                colour=colours.get(key, colours[OTHER]) if leading else None,
                link=parts.link("companies", address, company=name) if what == "company" else None,
            )
            for key, name, value in found.select("id", "name", "installs").rows()
        ]
        with column.container(border=True, key=f"card-{what}"):
            st.html(
                lists.ranked(
                    title,
                    rows,
                    "both" if what == "referrer" else unit,
                    empty="Nothing in this period.",
                )
            )


def _help(meaning: str | None, versus: str | None) -> str | None:
    said = [part for part in (meaning, versus and f"Change {versus}.") if part]
    return " ".join(said) or None


filters = sidebar.current()
parts.heading("Overview", filters)
if parts.ready():
    live(filters)
    parts.ip_attribution()
