from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.count import with_firsts
from pipeline.rollup import rollup
from pipeline.schema import CUBES, DAILY, DAILY_KEYS, EVENTS, MEASURES

_events = st.lists(
    st.fixed_dictionaries(
        {
            "package": st.sampled_from(["a", "b"]),
            "event_type": st.sampled_from(["download", "view"]),
            "traffic": st.sampled_from(["person", "ci"]),
            "counted": st.booleans(),
            "country": st.sampled_from(["SE", None]),
            "version": st.sampled_from(["1.0", None]),
            "client": st.sampled_from(["pip", None]),
            "referrer_domain": st.sampled_from(["news.example", None]),
            "origin_id": st.integers(1, 3),
        }
    ),
    max_size=20,
)


def _table(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    rows = [row | {"package_id": row["package"], "route_type": "file"} for row in rows]
    return with_firsts(pl.LazyFrame(rows, schema=EVENTS))


@settings(max_examples=50)
@given(_events)
def test_every_cube_counts_every_event_once(rows: list[dict[str, Any]]) -> None:
    events = _table(rows).collect()
    daily = rollup(events.lazy()).collect()
    assert daily.schema == DAILY
    for cube in CUBES:
        found = daily.filter(pl.col("cube") == cube)
        assert found["events"].sum() == len(rows)
        for flag in MEASURES[1:]:
            assert found[flag].sum() == events[flag].sum()


@pytest.mark.parametrize("cube", CUBES)
def test_a_cube_s_other_dimensions_are_null(cube: str) -> None:
    full = {name: "x" for name, dtype in EVENTS.items() if dtype == pl.String}
    numbers = {"version_major": 1, "version_minor": 2, "latitude": 52.5, "longitude": 13.4}
    events = with_firsts(
        pl.LazyFrame(
            [full | {"counted": True, "prerelease": True} | numbers],
            schema=EVENTS,
        )
    )
    (row,) = rollup(events).filter(pl.col("cube") == cube).collect().to_dicts()
    filled = {name for name, value in row.items() if value is not None}
    assert filled == {"cube", *DAILY_KEYS, *CUBES[cube], *MEASURES}


def test_the_table_is_sorted_by_cube_and_package() -> None:
    rows = [
        {"package": package, "event_type": "view", "traffic": "ci", "counted": False}
        for package in "cab"
    ]
    daily = rollup(_table(rows)).collect()
    assert daily.select("cube", "package").equals(
        daily.select("cube", "package").sort("cube", "package")
    )


def test_no_events_make_no_rows() -> None:
    assert rollup(pl.LazyFrame(schema=EVENTS)).collect().is_empty()
