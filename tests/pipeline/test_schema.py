import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline.schema import CUBES, DAILY, DAILY_KEYS, EVENTS, MEASURES


def test_curation_drops_the_user_agent_and_the_version_of_the_record_alone() -> None:
    assert RAW.keys() - EVENTS.keys() == {"v", "user_agent"}


def test_what_raw_and_events_share_has_one_type() -> None:
    shared = RAW.keys() & EVENTS.keys()
    assert {name: RAW[name] for name in shared} == {name: EVENTS[name] for name in shared}


def test_the_daily_table_has_every_key_dimension_and_measure_once() -> None:
    dimensions = {name for names in CUBES.values() for name in names}
    assert set(DAILY) == {"cube", *DAILY_KEYS, *dimensions, *MEASURES}
    assert all(DAILY[name] == EVENTS[name] for name in (*DAILY_KEYS, *dimensions))
    assert all(DAILY[name] == pl.Int64 for name in MEASURES)
