"""A frame in, a Plotly figure out. Nothing here knows of pages.

Frames over time have the columns `day`, `name` and `installs`, and may have `id`; days without
installs have no row.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go
import polars as pl

from dashboard import words
from dashboard.filters import Filters
from dashboard.palette import OTHER, Palette

FONT: Final = "Inter, sans-serif"
SERIES: Final = 7
# A band thinner than this share of the last day has no room for its name.
LABEL_SHARE: Final = 0.035

# For st.plotly_chart: no buttons over the chart, no zoom on scroll, and the only address from which
# Plotly may ever fetch an outline of the world is our own.
CONFIG: Final[Mapping[str, Any]] = {
    "displayModeBar": False,
    "scrollZoom": False,
    "topojsonURL": "app/static/topojson/",
}

_STEP: Final = {"day": "1d", "week": "1w", "month": "1mo"}


class _Outlines(dict[str, Any]):
    """GeoJSON that Plotly takes as it is.

    It copies a figure's parts several times over, value by value, and these are 17,000 points that
    nobody changes: copying them was most of the time in which the page of the map was made.
    """

    def __init__(self, shapes: Iterable[Mapping[str, Any]]) -> None:
        super().__init__(type="FeatureCollection", features=list(shapes))

    def __deepcopy__(self, memo: object) -> "_Outlines":
        return self


def lead(frame: pl.DataFrame, limit: int = SERIES) -> pl.DataFrame:
    """Keep the largest names and call the rest "other", which comes last in every order."""
    key = "id" if "id" in frame.columns else "name"
    order = (
        frame.group_by(key)
        .agg(pl.col("installs").sum())
        .sort(["installs", key], descending=[True, False])
    )
    keep = order[key].to_list() if order.height <= limit else order[key].to_list()[:limit]
    kept = pl.col(key).is_in(keep)
    names = [
        pl.when(kept).then(column).otherwise(pl.lit(OTHER)).alias(column)
        for column in {key, "name"}
    ]
    return (
        frame.with_columns(names)
        .group_by("day", *{key, "name"})
        .agg(pl.col("installs").sum())
        .sort("day", "name")
    )


def names_by_size(frame: pl.DataFrame) -> list[str]:
    """The names of a frame over time, largest first and "other" last."""
    sizes = frame.group_by("name").agg(pl.col("installs").sum())
    ordered = sizes.sort(pl.col("name") == OTHER, -pl.col("installs"), "name")
    return ordered["name"].to_list()


def bars(
    frame: pl.DataFrame,
    filters: Filters,
    palette: Palette,
    colours: Mapping[str, str],
    *,
    height: int = 300,
) -> go.Figure:
    """Stacked bars over time, the largest series at the bottom."""
    figure = go.Figure()
    for name in names_by_size(frame):
        rows = frame.filter(pl.col("name") == name)
        figure.add_bar(
            x=rows["day"].to_list(),
            y=rows["installs"].to_list(),
            name=_plain(name),
            marker={"color": colours.get(name, palette.other), "line": {"width": 0}},
            hovertemplate=f"%{{y:,}}<extra>{_plain(name)}</extra>",
        )
    _quiet(figure, palette, height)
    figure.update_layout(barmode="stack", bargap=0.22, hovermode="x unified")
    _time_axis(figure, filters, palette, bars=True)
    figure.update_yaxes(tickformat="~s", rangemode="tozero", nticks=5)
    return figure


def shares(
    frame: pl.DataFrame,
    filters: Filters,
    palette: Palette,
    colours: Mapping[str, str],
    *,
    order: Sequence[str],
    height: int = 340,
) -> go.Figure:
    """Stacked areas of each name's share over time, with the names at the right edge."""
    days = steps(filters)
    found = {
        (day, name): number for day, name, number in frame.select("day", "name", "installs").rows()
    }
    totals = [sum(found.get((day, name), 0) for name in order) for day in days]
    figure = go.Figure()
    below = 0.0
    # The last step with any installs, so that a quiet morning does not blank the labels.
    busy = [at for at, total in enumerate(totals) if total > 0]
    for name in order:
        share = [
            100 * found.get((day, name), 0) / whole if whole else None
            for day, whole in zip(days, totals, strict=True)
        ]
        figure.add_scatter(
            x=days,
            y=share,
            name=_plain(name),
            mode="lines",
            stackgroup="share",
            line={"width": 0.8, "color": palette.page},
            fillcolor=colours.get(name, palette.other),
            hovertemplate=f"%{{y:.1f}} %<extra>{_plain(name)}</extra>",
        )
        last = (share[busy[-1]] or 0.0) if busy else 0.0
        if last >= 100 * LABEL_SHARE:
            figure.add_annotation(
                x=1.008, xref="paper", y=below + last / 2, text=_plain(name), showarrow=False,
                xanchor="left", font={"size": 12, "color": palette.text},
            )  # fmt: skip
        below += last
    _quiet(figure, palette, height)
    figure.update_layout(showlegend=False, hovermode="x unified", margin={"r": 110})
    _time_axis(figure, filters, palette, bars=False)
    figure.update_yaxes(range=[0, 100], ticksuffix=" %", nticks=5)
    return figure


def world(
    countries: pl.DataFrame,
    cities: pl.DataFrame,
    shapes: Mapping[str, Any],
    palette: Palette,
    *,
    unit: str = "installs",
    height: int = 440,
) -> go.Figure:
    """The world, countries shaded by installs (`country`, `name`, `installs`), cities as dots."""
    known = countries.filter(pl.col("country").is_not_null() & (pl.col("installs") > 0))
    reached = set(known["country"])
    bare = [shape for shape in shapes["features"] if shape["id"] not in reached]
    figure = go.Figure()
    # A country without installs is drawn, too. Each outline is sent once, in one of the two.
    figure.add_choropleth(
        geojson=_Outlines(bare),
        locations=[shape["id"] for shape in bare],
        z=[0] * len(bare),
        showscale=False,
        hoverinfo="skip",
        colorscale=[[0, palette.surface], [1, palette.surface]],
        marker={"line": {"width": 0.5, "color": palette.line}},
    )
    edges = bands(known["installs"].to_list(), len(palette.ramp))
    scale = [
        [at / len(palette.ramp), colour]
        for place, colour in enumerate(palette.ramp)
        for at in (place, place + 1)
    ]
    figure.add_choropleth(
        geojson=_Outlines(shape for shape in shapes["features"] if shape["id"] in reached),
        locations=known["country"].to_list(),
        z=[band(value, edges) + 0.5 for value in known["installs"]],
        zmin=0,
        zmax=len(palette.ramp),
        colorscale=scale,
        marker={"line": {"width": 0.5, "color": palette.page}},
        customdata=list(zip(known["name"], known["installs"], strict=True)),
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>%{{customdata[1]:,}} {unit}<extra></extra>",
        showscale=bool(edges),
        colorbar=_legend(edges, palette),
    )
    if not cities.is_empty():
        figure.add_scattergeo(
            lat=cities["latitude"].to_list(), lon=cities["longitude"].to_list(),
            mode="markers",
            marker={"size": 6, "color": palette.series[1],
                    "line": {"width": 1, "color": palette.page}},
            customdata=list(zip(cities["city"], cities["installs"], strict=True)),
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>%{{customdata[1]:,}} {unit}"
                          "<extra></extra>",
        )  # fmt: skip
    _quiet(figure, palette, height)
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        # Plotly's own outlines stay off: it would fetch them.
        geo={
            "visible": False,
            "bgcolor": "rgba(0,0,0,0)",
            "projection": {"type": "natural earth"},
            "lataxis": {"range": [-57, 84]},
            "lonaxis": {"range": [-169, 191]},
        },
    )
    return figure


def bands(values: Sequence[int], count: int) -> list[int]:
    """The lower edges of up to `count` bands: round numbers, even on a logarithmic scale."""
    largest = max(values, default=0)
    if largest <= 0:
        return []
    edges = {_round(largest ** (place / count)) for place in range(count)}
    return sorted(edges)


def band(value: int, edges: Sequence[int]) -> int:
    """The place of the band that a value falls into."""
    return max(0, sum(edge <= value for edge in edges) - 1)


def quick(frame: pl.DataFrame, palette: Palette, height: int = 300) -> go.Figure | None:
    """A first look at a query's result, or None where its columns suggest no chart.

    The first column of text or time is the axis, the first numbers are the series.
    """
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()][:SERIES]
    axes = [name for name, kind in frame.schema.items() if kind.is_temporal() or kind == pl.String]
    if not numbers or not axes or frame.height < 2:  # noqa: PLR2004  one point is no chart
        return None
    axis, figure = axes[0], go.Figure()
    in_time = frame.schema[axis].is_temporal()
    shown = frame.sort(axis) if in_time else frame.head(30)
    for colour, name in zip(palette.series, numbers, strict=False):
        if in_time:
            figure.add_scatter(
                x=shown[axis].to_list(), y=shown[name].to_list(), name=_plain(name), mode="lines",
                line={"color": colour, "width": 2},
            )  # fmt: skip
        else:
            figure.add_bar(
                x=[_plain(str(value)) for value in shown[axis]], y=shown[name].to_list(),
                name=_plain(name), marker={"color": colour},
            )  # fmt: skip
    _quiet(figure, palette, height)
    title = {"text": _plain(axis), "font": {"size": 11, "color": palette.quiet}}
    figure.update_xaxes(type="date" if in_time else "category", title=title)
    figure.update_yaxes(rangemode="tozero")
    return figure


def steps(filters: Filters) -> list[dt.date]:
    """The first day of every day, week or month that the period touches."""
    first = pl.Series([filters.start]).dt.truncate(_STEP[filters.grain])[0]
    days: list[dt.date] = pl.date_range(
        first, filters.end, interval=_STEP[filters.grain], eager=True
    ).to_list()
    return days


def _time_axis(figure: go.Figure, filters: Filters, palette: Palette, *, bars: bool) -> None:
    days = steps(filters)
    half = {"day": dt.timedelta(hours=12), "week": dt.timedelta(hours=84)}.get(
        filters.grain, dt.timedelta(days=15)
    )
    edge = half if bars else dt.timedelta()
    first, last = (dt.datetime.combine(day, dt.time()) for day in (days[0], days[-1]))
    grain = "" if filters.grain == "day" else f", by {filters.grain}"
    figure.update_xaxes(
        type="date",
        range=[(first - edge).isoformat(), (last + edge).isoformat()],
        title={"text": f"UTC{grain}", "font": {"size": 11, "color": palette.quiet}, "standoff": 4},
        hoverformat="%a %-d %b %Y" if filters.grain != "month" else "%B %Y",
        tickformat="%-d %b\n%Y",
        nticks=8,
    )


def _quiet(figure: go.Figure, palette: Palette, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": palette.text},
        hoverlabel={
            "bgcolor": palette.page,
            "bordercolor": palette.line,
            "font": {"family": FONT, "size": 12, "color": palette.text},
        },
        legend={
            "orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "xanchor": "left",
            "traceorder": "normal", "font": {"color": palette.text},
        },
        showlegend=True,
        dragmode=False,
    )  # fmt: skip
    axis = {
        "tickfont": {"color": palette.quiet, "size": 11},
        "automargin": True,
        "fixedrange": True,
    }
    figure.update_xaxes(
        showgrid=False, showline=True, linecolor=palette.line, zeroline=False, ticks="", **axis
    )
    figure.update_yaxes(gridcolor=palette.line, gridwidth=1, zeroline=False, **axis)


def _legend(edges: Sequence[int], palette: Palette) -> dict[str, Any]:
    return {
        "orientation": "h",
        "thickness": 8,
        "len": 0.32,
        "x": 0.01,
        "xanchor": "left",
        "y": 0.03,
        "yanchor": "bottom",
        "outlinewidth": 0,
        "tickmode": "array",
        "tickvals": [place + 0.0 for place in range(len(edges))],
        "ticktext": [words.short(edge) for edge in edges],
        "tickfont": {"size": 11, "color": palette.quiet},
        "ticks": "",
    }


def _round(value: float) -> int:
    """The nearest number that starts with 1, 2 or 5 and goes on with noughts."""
    size: int = 10 ** (len(str(int(value))) - 1)
    return min((step * size for step in (1, 2, 5, 10)), key=lambda edge: abs(edge - value))


def _plain(text: str) -> str:
    """Text that Plotly shows as it is: it reads a few tags, and names come from strangers."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
