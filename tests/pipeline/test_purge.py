import datetime as dt
from collections.abc import Callable

import polars as pl

from pipeline import run
from pipeline.config import PipelineConfig
from pipeline.lake import Lake, days_of
from pipeline.purge import Purged, demo, package, purge, purge_before
from pipeline.schema import DEMO_PREFIX
from tests.pipeline.conftest import DAY, NOON, NOW, Row, put_raw, raw_row

Events = Callable[..., pl.DataFrame]
BEFORE = NOON - dt.timedelta(days=1)


def _demo(**given: object) -> Row:
    return raw_row(package_id=f"{DEMO_PREFIX}tool", package="a tool", **given)


def _fill(lake: Lake, config: PipelineConfig) -> None:
    """Demo rows everywhere; the day before has nothing else."""
    put_raw(lake, [raw_row(origin_id=1), _demo(origin_id=1), _demo(status=9), raw_row(status=9)])
    put_raw(lake, [_demo(event_time=BEFORE)], day=BEFORE.date())
    run.run(config, NOW)
    put_raw(lake, [raw_row(), _demo()])
    put_raw(lake, [raw_row()], name="torn").write_bytes(b"PAR1")


def test_the_demo_leaves_no_trace(lake: Lake, config: PipelineConfig, events_of: Events) -> None:
    _fill(lake, config)
    assert purge(config, demo()) == Purged(events=2, raw=4, rejected=1)
    for file in lake.root.glob("*/date=*/*.parquet"):
        if file.stem != "torn":
            ids = pl.read_parquet(file)["package_id"]
            assert not ids.str.starts_with(DEMO_PREFIX).any(), file
    assert days_of(lake.events) == days_of(lake.daily) == [DAY]
    # The flag that rested on a demo row is another row's now.
    assert events_of()["first_of_type"].to_list() == [True]
    daily = pl.read_parquet(lake.daily_file(DAY)).filter(pl.col("cube") == "total")
    assert daily["first_of_type"].sum() == 1
    assert run.rebuild(config, NOW).days == (DAY,)
    assert events_of()["package_id"].unique().to_list() == ["acme/tool"]
    assert purge(config, demo()) == Purged()


def test_one_package(lake: Lake, config: PipelineConfig, events_of: Events) -> None:
    put_raw(lake, [raw_row(), raw_row(package_id="other")])
    run.run(config, NOW)
    assert purge(config, package("acme/tool")).events == 1
    assert events_of()["package_id"].to_list() == ["other"]


def test_days_before_a_day(lake: Lake, config: PipelineConfig, events_of: Events) -> None:
    _fill(lake, config)
    # In the folder of another day than its own.
    put_raw(lake, [raw_row(event_time=BEFORE)])
    found = purge_before(config, DAY)
    assert found == Purged(events=1, raw=2)
    run.run(config, NOW)
    assert days_of(lake.events) == days_of(lake.daily) == [DAY]
    assert events_of().height == 4


def test_everything(lake: Lake, config: PipelineConfig) -> None:
    _fill(lake, config)
    run.run(config, NOW)
    assert purge_before(config, NOW.date()) == Purged(
        events=5, raw=7, rejected=2, unreadable_files=1
    )
    assert list(lake.root.rglob("*.parquet")) == []
