"""Companies: who installs, as far as networks tell."""

from html import escape

import polars as pl
import streamlit as st

from dashboard import lists, sidebar, warehouse, words, world
from dashboard.filters import Filters
from dashboard.lists import Row
from dashboard.queries import companies
from dashboard.views import parts

KINDS = {"business": "Business", "education": "Education", "government": "Public body"}
SOURCES = {
    "company": "Companies",
    "cloud": "Clouds and hosting",
    "isp": "Internet providers",
    "unknown": "Unknown networks",
}


def attribution(filters: Filters) -> None:
    """How much of the traffic can be named at all."""
    frame = warehouse.ask(companies.attribution, filters)
    ink = warehouse.ink()
    colours = dict(
        zip(SOURCES, (ink.series[0], ink.series[4], ink.ramp[1], ink.other), strict=True)
    )
    found = dict(frame.rows())
    rows = [Row(title, found.get(key, 0), colours[key]) for key, title in SOURCES.items()]
    with st.container(border=True, key="card-attribution"):
        st.subheader("Where installs can be attributed", anchor=False)
        st.html(lists.shares(rows))
        st.caption(
            "Providers and clouds are never shown as a company: their customers are unknown."
        )


def table(filters: Filters) -> None:
    """Every company; picking one shows it."""
    found = warehouse.ask(companies.table, filters)
    if found.is_empty():
        st.info("No company's network is among these installs.")
        return
    trends = warehouse.ask(companies.trends, warehouse.within_lake(filters))
    shown = found.join(trends, on="company", how="left").select(
        "company",
        "domain",
        pl.col("kind").replace_strict(KINDS, default=""),
        "installs",
        "trend",
        "uniques",
        "packages",
        "first_seen",
        "last_seen",
    )
    column = st.column_config
    names = shown["company"].to_list()
    # The key changes with the company that is shown, so that no old mark stays in the table.
    key = f"companies_{st.query_params.get('company', '')}"
    st.dataframe(
        shown,
        hide_index=True,
        key=key,
        on_select=lambda: pick(names, st.session_state[key]["selection"]["rows"]),
        selection_mode="single-row",
        row_height=38,
        height=parts.table_height(shown.height),
        column_config={
            "company": column.TextColumn("Company", width="medium"),
            "domain": column.TextColumn("Domain"),
            "kind": column.TextColumn("Kind"),
            "installs": column.NumberColumn(words.EVENT_WORDS[filters.counted], format="localized"),
            "trend": column.BarChartColumn("Over time", width="medium", y_min=0),
            "uniques": column.NumberColumn("Daily uniques", format="localized", help=parts.UNIQUES),
            "packages": column.NumberColumn("Packages"),
            "first_seen": column.DateColumn(
                "First seen", format="D MMM YYYY", help="In the whole lake, UTC."
            ),
            "last_seen": column.DateColumn(
                "Last seen", format="D MMM YYYY", help="In the whole lake, UTC."
            ),
        },
        alt="Companies by installs",
    )


def pick(names: list[str], rows: list[int]) -> None:
    """Remember the picked company in the address, before the page is drawn again."""
    if rows:
        st.query_params["company"] = names[rows[0]]


def detail(filters: Filters, company: str) -> None:
    """One company: over time, where, what and how."""
    chosen = warehouse.within_lake(filters)
    frame = warehouse.ask(companies.by_day, chosen, company)
    unit = words.EVENT_WORDS[filters.counted].lower()
    with st.container(border=True, key="card-detail"):
        title, close = st.columns([6, 1], vertical_alignment="center")
        # Not as Markdown: the name is in the address, and whoever made the link chose it.
        title.html(f"<h3>{escape(company)}</h3>")
        if close.button("All companies", type="tertiary", icon=":material/close:", wrap=False):
            del st.query_params["company"]
            st.rerun()
        if frame.is_empty():
            st.info("Nothing from this company under these filters.")
            return
        parts.show(
            parts.by_package(frame, chosen, height=240),
            key="company_over_time",
            alt=f"Installs by {company} over time, by package",
        )
        columns = st.columns(3, gap="large")
        for place, (what, heading) in zip(
            columns,
            {"country": "Countries", "version": "Versions", "client": "Clients"}.items(),
            strict=True,
        ):
            found = warehouse.ask(companies.detail, filters, company, what)
            rows = [
                Row(world.name(name) if what == "country" else name, value)
                for name, value in found.select("name", "installs").head(8).rows()
            ]
            with place:
                st.html(lists.ranked(heading, rows, unit, empty="None known."))


filters = sidebar.current()
parts.heading("Companies", filters)
if parts.ready():
    attribution(filters)
    company = st.query_params.get("company")
    if company:
        detail(filters, company)
    table(filters)
    parts.ip_attribution()
