import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events import SCHEMA
from pipeline.clean import BROKEN, rules, split, with_verdict
from tests.pipeline.conftest import NOON, NOW, raw_frame, raw_row

BREAKING: dict[str, dict[str, Any]] = {
    "event_id_present": {"event_id": ""},
    "event_time_present": {"event_time": None},
    "event_time_after_1999": {"event_time": NOON.replace(year=1999)},
    "event_time_not_ahead": {"event_time": NOW + dt.timedelta(days=1, seconds=1)},
    "event_type_known": {"event_type": "guess"},
    "route_type_known": {"route_type": None},
    "package_id_present": {"package_id": ""},
    "package_named": {"package": ""},
    "method_present": {"method": ""},
    "status_is_http": {"status": 99},
    "range_start_not_negative": {"range_start": -1},
    "variables_are_an_object": {"variables": "[1]"},
    "country_is_alpha_2": {"country": "SWE"},
    "place_on_earth": {"latitude": 91.0},
    "origin_present": {"origin_id": None},
    "endpoint_present": {"endpoint_id": None},
}


def test_every_rule_has_its_case() -> None:
    assert list(BREAKING) == list(rules(NOW))


@pytest.mark.parametrize("rule", BREAKING)
def test_a_row_that_breaks_a_rule_is_told_which(rule: str) -> None:
    _, rejected = _split(raw_frame([raw_row(**BREAKING[rule])]))
    (row,) = rejected.to_dicts()
    assert row[BROKEN] == [rule]


@pytest.mark.parametrize(
    "given_row",
    [{}, {"country": None}, {"event_time": NOW + dt.timedelta(days=1)}, {"version": None}],
    ids=str,
)
def test_a_clean_row_stays_as_it_is(given_row: dict[str, Any]) -> None:
    frame = raw_frame([raw_row(**given_row)])
    clean, rejected = _split(frame)
    assert clean.equals(frame)
    assert rejected.is_empty()


def _value(dtype: pl.DataType) -> st.SearchStrategy[Any]:
    if dtype == pl.String:
        return st.sampled_from(["", "{}", "GET", "pull", "docker", "SE", "x"])
    if isinstance(dtype, pl.Datetime):
        return st.datetimes(timezones=st.just(dt.UTC))
    if dtype.is_float():
        return st.floats(width=32)
    return st.integers(0, 127)


_rows = st.lists(
    st.fixed_dictionaries({name: st.none() | _value(dtype) for name, dtype in SCHEMA.items()}),
    max_size=5,
)


@given(_rows)
def test_every_row_is_kept_or_rejected(rows: list[dict[str, Any]]) -> None:
    clean, rejected = _split(raw_frame(rows))
    assert clean.height + rejected.height == len(rows)
    assert all(rejected[BROKEN].list.len() > 0)


def _split(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    return split(with_verdict(raw.lazy(), NOW).collect(), NOW)
