"""Versions: adoption of one package's releases."""

import polars as pl
import streamlit as st

from dashboard import charts, sidebar, warehouse, words
from dashboard.filters import Filters
from dashboard.palette import OTHER
from dashboard.queries import versions
from dashboard.views import parts

BY = {"version": "Versions", "major": "Majors"}


def choose(filters: Filters) -> str:
    """The package to look at, of those that the filters leave. The address remembers it."""
    names = warehouse.package_names()
    options = [key for key in names if not filters.packages or key in filters.packages]
    options = options or list(names)
    asked = st.query_params.get("of")
    picked: str = st.selectbox(
        "Package",
        options,
        index=options.index(asked) if asked in options else 0,
        format_func=lambda key: names[key],
        width=300,
    )
    if picked != (asked or options[0]):
        st.query_params["of"] = picked
    return picked


def adoption(filters: Filters, package: str) -> None:
    """Shares over time, by version or by major."""
    chosen = warehouse.within_lake(filters)
    with st.container(border=True, key="card-adoption"):
        title, switch = st.columns([4, 1], vertical_alignment="center")
        title.subheader("Adoption over time", anchor=False)
        with switch:
            by = st.segmented_control(
                "Group by", list(BY), format_func=BY.__getitem__, default="version",
                required=True, label_visibility="collapsed", key="versions_by",
            )  # fmt: skip
        shown = charts.lead(warehouse.ask(versions.by_day, chosen, package, by or "version"))
        order = charts.names_by_size(shown)
        colours = parts.colours(order)
        # The newest at the top, where a reader looks for it; "other" lies at the bottom.
        first = dict(shown.group_by("name").agg(pl.col("day").min()).rows())
        order = sorted(order, key=lambda name: (name != OTHER, first[name], name))
        parts.show(
            charts.shares(shown, chosen, warehouse.ink(), colours, order=order),
            key="adoption",
            alt="Share of each version over time",
        )


def table(frame: pl.DataFrame, filters: Filters) -> None:
    """Every version with its numbers."""
    column = st.column_config
    total = frame["installs"].sum()
    st.dataframe(
        frame.select(
            pl.col("version").fill_null("not named"),
            pl.when("prerelease").then(pl.lit("pre-release")).otherwise(pl.lit("")).alias("kind"),
            "installs",
            (100 * pl.col("installs") / total).alias("share"),
            "uniques",
            "first_seen",
            "last_seen",
        ),
        hide_index=True,
        height=parts.table_height(frame.height),
        column_config={
            "version": column.TextColumn("Version", width="medium"),
            "kind": column.TextColumn("Kind", width="small"),
            "installs": column.NumberColumn(words.EVENT_WORDS[filters.counted], format="localized"),
            "share": column.ProgressColumn(
                "Share", format="%.1f %%", min_value=0, max_value=100, color="primary"
            ),
            "uniques": column.NumberColumn("Daily uniques", format="localized", help=parts.UNIQUES),
            "first_seen": column.DateColumn(
                "First seen", format="D MMM YYYY", help="In this period, UTC."
            ),
            "last_seen": column.DateColumn(
                "Last seen", format="D MMM YYYY", help="In this period, UTC."
            ),
        },
        alt="Versions by installs",
    )


def page(filters: Filters) -> None:
    """Pick a package; see what of it is in use."""
    package = choose(filters)
    frame = warehouse.ask(versions.table, filters, package)
    if frame.is_empty():
        parts.nothing(filters)
        return
    adoption(filters, package)
    unit = words.EVENT_WORDS[filters.counted].lower()
    left, right = st.columns([3, 1], gap="medium")
    with left:
        st.subheader("Versions", anchor=False)
        table(frame, filters)
    with right:
        majors = (
            frame.with_columns(name=pl.format("v{}", "major"))
            .group_by("name")
            .agg(pl.col("installs").sum())
            .sort("installs", "name", descending=[True, False])
        )
        parts.ranked("Majors", majors, unit, key="majors", unknown="no number")
        early = int(frame.filter(pl.col("prerelease"))["installs"].sum())
        total = int(frame["installs"].sum())
        st.caption(f"{words.percent(early, total)} of {unit} are pre-releases.")
        clients = warehouse.ask(versions.clients, filters, package)
        parts.ranked("Clients", clients, unit, key="version-clients", rows=6)


filters = sidebar.current()
parts.heading("Versions", filters)
if parts.ready():
    page(filters)
