"""Referrers: what led people here."""

import polars as pl
import streamlit as st

from dashboard import sidebar, warehouse, words
from dashboard.filters import Filters
from dashboard.queries import referrers
from dashboard.views import parts

TYPES = {
    "search": "Search",
    "social": "Social",
    "code": "Code hosting",
    "docs": "Documentation",
    "registry": "Package registries",
    "news": "News",
    "own": "Own pages",
    "other": "Other",
}


def page(filters: Filters) -> None:
    """Types over time, then domains and pages with installs beside views."""
    chosen = warehouse.within_lake(filters)
    types = warehouse.ask(referrers.by, filters, "type")
    if types.is_empty():
        parts.nothing(filters)
        return
    sent = types.filter(pl.col("name").is_not_null())
    total = int((types["installs"] + types["views"]).sum())
    known = int((sent["installs"] + sent["views"]).sum())
    st.caption(
        f"{words.count(known)} of {words.count(total)} installs and page views "
        f"({words.percent(known, total)}) name a referrer. Command lines never do."
    )
    frame = warehouse.ask(referrers.by_day, chosen)
    if frame.is_empty():
        st.info("Nothing in this period names a referrer.")
        return
    with st.container(border=True, key="card-time"):
        st.subheader("Installs and page views by type of referrer", anchor=False)
        named = frame.with_columns(name=frame["name"].replace(TYPES))
        parts.show(parts.by_name(named, chosen), key="types", alt="Referrers over time by type")
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Domains", anchor=False)
        domains = warehouse.ask(referrers.by, filters, "domain")
        _table(domains.filter(pl.col("name").is_not_null()), "Domain", "domains")
    with right:
        st.subheader("Pages", anchor=False)
        _table(warehouse.ask(referrers.pages, filters), "Page", "pages")


def _table(frame: pl.DataFrame, title: str, key: str) -> None:
    column = st.column_config
    st.dataframe(
        frame.select("name", pl.col("type").replace_strict(TYPES, default=""), "installs", "views"),
        hide_index=True,
        height=parts.table_height(frame.height),
        column_config={
            "name": column.TextColumn(title, width="medium"),
            "type": column.TextColumn("Type", width="small"),
            "installs": column.NumberColumn("Installs", format="localized", width="small"),
            "views": column.NumberColumn("Views", format="localized", width="small"),
        },
        key=f"referrer_{key}",
        alt=f"{title}s by installs and views",
    )


filters = sidebar.current()
parts.heading("Referrers", filters)
if parts.ready():
    page(filters)
