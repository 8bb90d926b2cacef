"""Locations: the map, countries and cities."""

import polars as pl
import streamlit as st

from dashboard import charts, sidebar, warehouse, words, world
from dashboard.filters import Filters
from dashboard.queries import places
from dashboard.views import parts


def world_map(countries: pl.DataFrame, cities: pl.DataFrame, filters: Filters) -> None:
    """Countries by installs, on our own outlines."""
    unit = words.EVENT_WORDS[filters.counted].lower()
    with st.container(border=True, key="card-map"):
        parts.show(
            charts.world(countries, cities, world.shapes(), warehouse.ink(), unit=unit),
            key="world",
            alt="World map of installs by country",
        )


def countries_table(countries: pl.DataFrame, filters: Filters) -> None:
    """Every country, with its share."""
    column = st.column_config
    total = countries["installs"].sum()
    st.dataframe(
        countries.select(
            "name", "installs", (100 * pl.col("installs") / total).alias("share"), "uniques",
            "companies",
        ),
        hide_index=True,
        height=parts.table_height(countries.height),
        column_config={
            "name": column.TextColumn("Country", width="medium"),
            "installs": column.NumberColumn(
                words.EVENT_WORDS[filters.counted], format="localized"
            ),
            "share": column.ProgressColumn(
                "Share", format="%.1f %%", min_value=0, max_value=100, color="primary"
            ),
            "uniques": column.NumberColumn("Daily uniques", format="localized", help=parts.UNIQUES),
            "companies": column.NumberColumn("Companies"),
        },
        alt="Countries by installs",
    )  # fmt: skip


def cities_table(cities: pl.DataFrame, filters: Filters) -> None:
    """Cities, where the IP data knows them."""
    st.subheader("Cities", anchor=False)
    if cities.is_empty():
        st.caption(
            "The IP data in use names no cities. A city database (MMDB) dropped into `data/ip/` "
            "adds them for new events."
        )
        return
    column = st.column_config
    st.dataframe(
        cities.select("city", "region", "country_name", "installs", "uniques"),
        hide_index=True,
        height=parts.table_height(cities.height),
        column_config={
            "city": column.TextColumn("City", width="medium"),
            "region": column.TextColumn("Region"),
            "country_name": column.TextColumn("Country"),
            "installs": column.NumberColumn(words.EVENT_WORDS[filters.counted], format="localized"),
            "uniques": column.NumberColumn("Daily uniques", format="localized"),
        },
        alt="Cities by installs",
    )


def page(filters: Filters) -> None:
    """Map, countries, cities."""
    countries = _named(warehouse.ask(places.countries, filters), "name")
    if countries.is_empty():
        parts.nothing(filters)
        return
    cities = _named(warehouse.ask(places.cities, filters), "country_name")
    world_map(countries, cities, filters)
    st.subheader("Countries", anchor=False)
    countries_table(countries, filters)
    cities_table(cities, filters)
    parts.ip_attribution()


def _named(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    names = pl.Series(column, [world.name(code) for code in frame["country"]], pl.String)
    return frame.with_columns(names)


filters = sidebar.current()
parts.heading("Locations", filters)
if parts.ready():
    page(filters)
