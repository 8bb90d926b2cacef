"""Runtimes: what runs the install."""

import streamlit as st

from dashboard import sidebar, warehouse, words
from dashboard.filters import Filters
from dashboard.queries import runtimes
from dashboard.views import parts

LISTS = {
    "client": "Clients",
    "runtime": "Runtimes",
    "os": "Operating systems",
    "arch": "Processors",
}


def page(filters: Filters) -> None:
    """Clients over time, then a list for each dimension."""
    chosen = warehouse.within_lake(filters)
    frame = warehouse.ask(runtimes.clients_by_day, chosen)
    if frame.is_empty():
        parts.nothing(filters)
        return
    unit = words.EVENT_WORDS[filters.counted].lower()
    with st.container(border=True, key="card-time"):
        st.subheader(f"{words.EVENT_WORDS[filters.counted]} over time by client", anchor=False)
        parts.show(parts.by_name(frame, chosen), key="clients", alt="Installs over time by client")
    columns = [*st.columns(2, gap="medium"), *st.columns(2, gap="medium")]
    for column, (dimension, title) in zip(columns, LISTS.items(), strict=True):
        with column:
            found = warehouse.ask(runtimes.by, filters, dimension)
            parts.ranked(title, found, unit, key=dimension, unknown="Not told by the client")
    left, right = st.columns(2, gap="medium")
    with left:
        services = warehouse.ask(runtimes.ci, filters)
        parts.ranked("CI services", services, unit, key="ci")
    with right:
        kinds = warehouse.ask(runtimes.traffic, filters)
        named = kinds.with_columns(name=kinds["name"].replace(words.TRAFFIC_WORDS))
        parts.ranked("Kinds of traffic", named, unit, key="traffic")


filters = sidebar.current()
parts.heading("Runtimes", filters)
if parts.ready():
    page(filters)
