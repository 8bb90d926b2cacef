"""Figures show the frame they were given: its numbers, its names, its colours."""

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import charts
from dashboard.filters import Filters
from dashboard.palette import DARK, LIGHT, OTHER

TODAY = dt.date(2026, 3, 31)
WEEK = Filters(TODAY - dt.timedelta(days=6), TODAY)


def over_time(**series: list[int]) -> pl.DataFrame:
    """Installs of the last days by name; a nought has no row."""
    rows = [
        (TODAY - dt.timedelta(days=len(numbers) - 1 - at), name, number)
        for name, numbers in series.items()
        for at, number in enumerate(numbers)
        if number
    ]
    return pl.DataFrame(
        rows, {"day": pl.Date, "name": pl.String, "installs": pl.Int64}, orient="row"
    )


def traces(figure: Any) -> dict[str, Any]:
    return {trace["name"]: trace for trace in figure.to_plotly_json()["data"]}


def test_bars_stack_the_largest_first_and_other_last() -> None:
    frame = over_time(small=[1, 0], big=[5, 6], other=[90, 90])
    figure = charts.bars(frame, WEEK, LIGHT, {"big": "#111111"})
    assert [trace.name for trace in figure.data] == ["big", "small", OTHER]
    big = traces(figure)["big"]
    assert list(big["y"]) == [5, 6]
    assert list(big["x"]) == [TODAY - dt.timedelta(days=1), TODAY]
    assert big["marker"]["color"] == "#111111"
    assert figure.layout.barmode == "stack"


def test_the_axis_names_its_zone_and_shows_the_whole_period() -> None:
    figure = charts.bars(over_time(a=[1]), WEEK, LIGHT, {})
    assert figure.layout.xaxis.title.text == "UTC"
    first, last = (dt.datetime.fromisoformat(end).date() for end in figure.layout.xaxis.range)
    assert first <= WEEK.start
    assert last >= WEEK.end
    long = Filters(TODAY - dt.timedelta(days=300), TODAY)
    assert charts.bars(over_time(a=[1]), long, LIGHT, {}).layout.xaxis.title.text == "UTC, by week"


def test_lead_sums_up_what_does_not_fit() -> None:
    frame = over_time(**{f"p{at}": [at + 1, 1] for at in range(10)})
    shown = charts.lead(frame, limit=3)
    assert set(shown["name"]) == {"p9", "p8", "p7", OTHER}
    assert shown["installs"].sum() == frame["installs"].sum()


def test_two_packages_of_one_name_stay_apart_by_id() -> None:
    frame = over_time(x=[5], y=[3]).with_columns(id=pl.col("name"), name=pl.lit("same"))
    assert sorted(charts.lead(frame)["installs"]) == [3, 5]


def test_shares_add_up_and_are_labelled_where_there_is_room() -> None:
    frame = over_time(old=[8, 2, 1], new=[0, 2, 98], rare=[0, 0, 1])
    figure = charts.shares(frame, WEEK, LIGHT, {}, order=["old", "new", "rare"])
    assert [trace.name for trace in figure.data] == ["old", "new", "rare"]
    columns = list(zip(*(trace.y for trace in figure.data), strict=True))
    assert columns[:4] == [(None, None, None)] * 4  # days without any install have no share
    assert all(sum(column) == pytest.approx(100) for column in columns[4:])
    assert columns[5] == (50, 50, 0)
    assert [label.text for label in figure.layout.annotations] == ["new"]


def test_a_chart_of_nothing_is_still_a_chart() -> None:
    empty = over_time()
    assert not charts.bars(empty, WEEK, LIGHT, {}).data
    assert not charts.shares(empty, WEEK, DARK, {}, order=[]).data


def world(*installs: int) -> Any:
    codes = ["DE", "FR", "US", "BR"][: len(installs)]
    countries = pl.DataFrame(
        {"country": [*codes, None], "name": [*codes, "Unknown"], "installs": [*installs, 7]},
        schema_overrides={"country": pl.String},
    )
    cities = pl.DataFrame(
        {"city": ["Berlin"], "latitude": [52.5], "longitude": [13.4], "installs": [3]}
    )
    shapes = {
        "type": "FeatureCollection",
        "features": [{"id": code} for code in ["DE", "FR", "US", "BR", "IT"]],
    }
    return charts.world(countries, cities, shapes, LIGHT)


def test_the_world_needs_no_outlines_of_plotly() -> None:
    figure = world(1, 50, 1000)
    assert figure.layout.geo.visible is False
    assert {trace.type for trace in figure.data} == {"choropleth", "scattergeo"}
    for trace in figure.data:
        if trace.type == "choropleth":
            assert trace.geojson is not None
    assert charts.CONFIG["topojsonURL"].startswith("app/static/")


def test_the_world_shades_more_installs_darker() -> None:
    land, shaded, cities = world(1, 50, 1000).data
    assert list(land.locations) == ["BR", "IT"]
    assert list(shaded.locations) == ["DE", "FR", "US"]
    assert list(shaded.z) == sorted(shaded.z)
    assert list(shaded.customdata[2]) == ["US", 1000]
    assert list(cities.lat) == [52.5]


def test_a_world_without_installs_is_drawn() -> None:
    assert len(world().data) == 3


@given(st.lists(st.integers(1, 10**9), min_size=1), st.integers(2, 8))
def test_every_value_falls_into_the_band_that_its_edges_say(values: list[int], count: int) -> None:
    edges = charts.bands(values, count)
    assert edges == sorted(set(edges))
    assert edges[0] == 1
    for value in values:
        place = charts.band(value, edges)
        assert edges[place] <= value
        assert place + 1 == len(edges) or value < edges[place + 1]


@pytest.mark.parametrize(
    ("frame", "kinds"),
    [
        ({"day": [TODAY, TODAY], "n": [1, 2]}, ["scatter"]),
        ({"name": ["a", "b"], "n": [1, 2], "m": [3, 4]}, ["bar", "bar"]),
        ({"name": ["a"], "n": [1]}, None),
        ({"n": [1, 2]}, None),
        ({"name": ["a", "b"]}, None),
    ],
    ids=["time", "names", "one row", "numbers alone", "names alone"],
)
def test_a_quick_chart_where_the_columns_suggest_one(
    frame: dict[str, Any], kinds: list[str] | None
) -> None:
    figure = charts.quick(pl.DataFrame(frame), LIGHT)
    assert (figure and [trace.type for trace in figure.data]) == kinds


@settings(max_examples=20)  # figures are slow to make
@given(st.text(min_size=1))
def test_names_of_strangers_are_no_markup(name: str) -> None:
    figure = charts.bars(over_time(**{name: [1]}), WEEK, LIGHT, {})
    shares = charts.shares(over_time(**{name: [1]}), WEEK, LIGHT, {}, order=[name])
    for said in (
        figure.data[0].hovertemplate.replace("<extra>", "").replace("</extra>", ""),
        shares.layout.annotations[0].text,
        json.loads(figure.to_json())["data"][0]["name"],
    ):
        assert "<" not in said
        assert ">" not in said
