import datetime as dt

from pipeline import run
from pipeline.config import PipelineConfig
from pipeline.lake import Lake
from pipeline.status import as_text, status
from tests.pipeline.conftest import DAY, NOON, NOW, put_raw, raw_row


def test_an_empty_lake(lake: Lake) -> None:
    found = status(lake)
    assert (found.days, found.events, found.newest_event, found.waiting_files) == (0, 0, None, 0)
    assert "none yet" in as_text(found)


def test_a_lake_at_work(lake: Lake, config: PipelineConfig) -> None:
    put_raw(lake, [raw_row(), raw_row(status=9, package=""), raw_row(status=1)])
    put_raw(lake, [raw_row()], name="torn").write_bytes(b"PAR1")
    next_day = NOON + dt.timedelta(days=1)
    put_raw(lake, [raw_row(event_time=next_day)], day=next_day.date())
    run.run(config, NOW)
    put_raw(lake, [raw_row(), raw_row()])
    found = status(lake)
    assert (found.waiting_files, found.waiting_rows) == (1, 2)
    assert (found.events, found.days, found.first_day, found.last_day) == (
        2,
        2,
        DAY,
        next_day.date(),
    )
    assert found.newest_event == next_day
    assert found.rejected == 2
    assert found.rejected_by_rule == {"package_named": 1, "status_is_http": 2}
    assert found.unreadable_files == 1
    assert set(found.bytes) == {"raw", "archive", "events", "daily", "quarantine"}
    assert all(found.bytes.values())
    text = as_text(found)
    assert "2 rows in 1 files" in text
    assert "status_is_http: 2" in text
