"""The countries and the map."""

import csv
import importlib.util
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

REFERENCE = Path(__file__).parents[2] / "data" / "reference"

specification = importlib.util.spec_from_file_location("build_world", REFERENCE / "build_world.py")
assert specification
assert specification.loader
build_world = importlib.util.module_from_spec(specification)
specification.loader.exec_module(build_world)


@pytest.fixture(scope="module")
def countries() -> list[dict[str, str]]:
    with (REFERENCE / "countries.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    text = (REFERENCE / "world.geojson").read_text(encoding="utf-8")
    assert len(text) <= 300_000
    content: dict[str, Any] = json.loads(text)
    return content


def test_every_country_is_there_once(countries: list[dict[str, str]]) -> None:
    assert len(countries) == 250  # ISO 3166-1 names 249; Kosovo goes by XK
    for column in ("alpha2", "alpha3", "name"):
        assert len({row[column] for row in countries}) == 250
    assert {len(row["alpha2"]) for row in countries} == {2}
    assert [row["alpha2"] for row in countries] == sorted(row["alpha2"] for row in countries)
    assert all(row["continent"] for row in countries)


def test_centres_are_on_earth_and_in_their_country(countries: list[dict[str, str]]) -> None:
    centres = {r["alpha2"]: (float(r["latitude"]), float(r["longitude"])) for r in countries}
    assert all(abs(latitude) <= 90 and abs(lon) <= 180 for latitude, lon in centres.values())
    for code, (south, west, north, east) in {
        "DE": (47, 6, 55, 15),
        "US": (25, -125, 49, -67),
        "RU": (50, 60, 72, 130),
        "NZ": (-47, 166, -34, 179),
        "FJ": (-19, 176, -16, 180),
    }.items():
        latitude, longitude = centres[code]
        assert south < latitude < north, code
        assert west < longitude < east, code


def test_the_map_knows_the_countries_and_no_others(
    countries: list[dict[str, str]], world: dict[str, Any]
) -> None:
    drawn = [feature["id"] for feature in world["features"]]
    assert len(drawn) == len(set(drawn))
    known = {row["alpha2"] for row in countries}
    assert known - set(drawn) == {"AQ", "BV", "CC", "GI", "TK", "TV", "UM"}
    assert set(drawn) <= known


def test_every_ring_is_closed_and_on_earth(world: dict[str, Any]) -> None:
    for feature in world["features"]:
        assert feature["geometry"]["coordinates"], feature["id"]
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                assert len(ring) >= 4, feature["id"]
                assert ring[0] == ring[-1], feature["id"]
                assert all(abs(x) <= 180 and abs(y) <= 90 for x, y in ring), feature["id"]


@pytest.mark.parametrize("code", ["BR", "DE", "IN", "AU", "SG", "MC"])
def test_land_is_to_the_right(world: dict[str, Any], code: str) -> None:
    """Plotly would fill the rest of the world instead."""
    (shape,) = (f for f in world["features"] if f["id"] == code)
    outline = max((polygon[0] for polygon in shape["geometry"]["coordinates"]), key=len)
    assert sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(outline)) < 0


points = st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=2, max_size=40)


@given(points)
def test_simplifying_keeps_the_ends_and_the_order(points: list[tuple[float, float]]) -> None:
    kept = build_world.simplified(points, 0.5)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    rest = iter(points)
    assert all(point in rest for point in kept)
    assert build_world.simplified(points, 0.0) == points
