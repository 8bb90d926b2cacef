"""What several pages show in the same way."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final, Literal
from urllib.parse import urlencode

import plotly.graph_objects as go
import polars as pl
import streamlit as st

from dashboard import charts, gateway_status, lists, palette, sidebar, warehouse, words
from dashboard.filters import Filters
from dashboard.lists import Row
from dashboard.palette import OTHER
from dashboard.queries import overview

FRESHNESS_SECONDS: Final = 2
GATEWAY_SECONDS: Final = 5
# Longer tables scroll.
TABLE_ROWS: Final = 14

UNKNOWN: Final = "unknown"

UNIQUES: Final = (
    "Different visitors of each day, added up over the days. Ids never outlive a day, so one who "
    "comes back tomorrow counts again; with packages picked, once for each package."
)


def heading(title: str, filters: Filters) -> None:
    """The page's title, how fresh its numbers are, the filter bar, and what the filters hide."""
    with st.container(
        key="heading", horizontal=True, vertical_alignment="bottom",
        horizontal_alignment="distribute",
    ):  # fmt: skip
        st.title(title, anchor=False, width="content")
        freshness()
    gateway_trouble()
    sidebar.bar(filters)
    if not warehouse.is_empty():
        st.caption(_said(filters))


@st.fragment(run_every=FRESHNESS_SECONDS)
def freshness() -> None:
    """Say how old the newest event is; counts on by itself."""
    with warehouse.failures_in_words():
        moment = warehouse.ask(overview.newest_event)["newest"][0]
        if moment is not None:
            seconds = (dt.datetime.now(dt.UTC) - moment).total_seconds()
            st.html(
                f'<p class="ff-fresh"><b></b>Newest event {words.age(seconds)} ago</p>',
                width="content",
            )


@st.fragment(run_every=GATEWAY_SECONDS)
def gateway_trouble() -> None:
    """Say what a gateway refuses, finds down, or loses; nothing when all is well."""
    for status in gateway_status.read(warehouse.root()):
        if status.refused:
            st.warning(
                _listed(status.refused),
                icon=":material/rule_settings:",
                title=f"A change of {status.routes} is refused; the last good routes stay",
            )
        if status.down:
            st.warning(
                _listed(status.down),
                icon=":material/cloud_off:",
                title="Targets are down, and requests go elsewhere",
            )
        if status.trouble:
            st.warning(
                _listed(status.trouble),
                icon=":material/report:",
                title="Downloads are answered, but not all of them are counted",
            )


def _listed(reasons: Sequence[str]) -> str:
    # As code, because a reason quotes the file, which is no Markdown.
    return "\n".join(f"- `{reason.replace('`', chr(39))}`" for reason in reasons)


def ready() -> bool:
    """Whether there is anything to show; if not, say what to do."""
    if not warehouse.is_empty():
        return True
    st.info(
        f"The lake at `{warehouse.root()}` is empty: no download has come through the gateway and "
        "the pipeline yet.\n\n"
        "- Send one: `curl -I -X GET http://127.0.0.1:8080/...` with a path from your routes.\n"
        f"- See whether the pipeline runs: `python -m pipeline status --data {warehouse.root()}`.\n"
        f"- Look around with made-up data: `python -m pipeline demo --data {warehouse.root()}`.",
        title="Nothing to count yet",
        icon=":material/footprint:",
    )
    return False


def nothing(filters: Filters) -> None:
    """Say that a period holds nothing, and what may bring something up."""
    hints = ["a longer period"]
    if filters.packages:
        hints.append("other packages")
    if filters.hidden:
        hints.append("more kinds of traffic")
    st.info(
        f"Nothing from {words.span(filters.start, filters.end)} under these filters. "
        f"Try {' or '.join(hints)}."
    )


def by_package(frame: pl.DataFrame, filters: Filters, height: int = 300) -> go.Figure:
    """Bars over time from `day, package_id, package, installs`, in the packages' own colours."""
    names = warehouse.package_names()
    known = frame.select(
        "day",
        pl.col("package_id").alias("id"),
        pl.col("package_id").replace_strict(names, default=pl.col("package")).alias("name"),
        "installs",
    )
    shown = charts.lead(known)
    by_id = warehouse.package_colours(shown["id"].unique().to_list())
    by_name = {name: by_id[key] for key, name in shown.select("id", "name").unique().rows()}
    return charts.bars(shown, filters, warehouse.ink(), by_name, height=height)


def by_name(frame: pl.DataFrame, filters: Filters, height: int = 300) -> go.Figure:
    """Bars over time from `day, name, installs`, coloured by size."""
    shown = charts.lead(frame)
    names = charts.names_by_size(shown)
    return charts.bars(shown, filters, warehouse.ink(), colours(names), height=height)


def colours(names: Sequence[str]) -> dict[str, str]:
    """Colours by place; what nobody knows is as grey as what did not fit."""
    ink = warehouse.ink()
    ranked_names = [name for name in names if name not in {OTHER, UNKNOWN}]
    return palette.assign(ink, ranked_names, ranked_names) | {UNKNOWN: ink.other}


def show(figure: go.Figure, key: str, alt: str) -> None:
    """Put a chart on the page."""
    st.plotly_chart(figure, theme=None, config=dict(charts.CONFIG), key=key, alt=alt)


def ranked(
    title: str,
    frame: pl.DataFrame,
    unit: str,
    *,
    key: str,
    rows: int = 10,
    unknown: str = "Not known",
) -> None:
    """A card with a list from `name, installs`; what does not fit is summed up at its end."""
    lines = [Row(name or unknown, value) for name, value in frame.select("name", "installs").rows()]
    if len(lines) > rows:
        rest = lines[rows - 1 :]
        total = sum(row.value for row in rest)
        lines = [*lines[: rows - 1], Row(f"{len(rest):,} others", total)]
    with st.container(border=True, key=f"card-{key}"):
        st.html(lists.ranked(title, lines, unit, empty="Nothing in this period."))


def table_height(rows: int) -> int | Literal["content"]:
    """As high as its rows, up to a point."""
    return "content" if rows <= TABLE_ROWS else 36 * (TABLE_ROWS + 1)


def link(page: str, address: Mapping[str, Sequence[str]], **own: str) -> str:
    """An address on this dashboard that carries the filters."""
    return f"{page}?{urlencode({**address, **own}, doseq=True)}"


def ip_attribution() -> None:
    """Name the source of places and networks, as its licence asks."""
    st.html(
        '<p class="ff-note">Places and networks: '
        '<a href="https://db-ip.com" rel="noopener">IP Geolocation by DB-IP</a>, RouteViews and '
        "the NRO, CC BY 4.0, unless replaced in <code>data/ip/</code>. Times and days are UTC.</p>"
    )


def _said(filters: Filters) -> str:
    chosen = warehouse.ask(overview.hidden, filters)
    counts = dict(chosen.rows())
    missing = [
        f"{words.count(counts[kind])} by {words.TRAFFIC_WORDS[kind]}"
        for kind in filters.hidden
        if counts.get(kind)
    ]
    unit = "Counted installs" if filters.counted else "Every request for a package"
    shown = words.listing([words.TRAFFIC_WORDS[kind] for kind in filters.traffic])
    sentence = f"{unit}, {words.span(filters.start, filters.end)}, UTC. Shown: {shown}."
    return f"{sentence} Hidden: {words.listing(missing)}." if missing else sentence
