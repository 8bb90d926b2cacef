import datetime as dt
import json

import polars as pl
import pytest
from click.testing import CliRunner, Result

from pipeline.__main__ import main
from pipeline.lake import Lake
from pipeline.schema import DEMO_PREFIX
from tests.pipeline.conftest import DAY, put_raw, raw_row


def _call(*arguments: str, **options: str) -> Result:
    return CliRunner().invoke(main, arguments, **options)


def test_run_says_what_it_did(lake: Lake) -> None:
    put_raw(lake, [raw_row(), raw_row(status=1)])
    result = _call("run", "--data", str(lake.root))
    assert result.exit_code == 0, result.output
    assert "Curated 1 files into 1 days; 1 rows rejected, 0 files unreadable." in result.output
    assert _call("rebuild", "--data", str(lake.root)).exit_code == 0


def test_a_flag_wins_over_the_environment_and_that_over_the_default(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTFALL_DATA", str(lake.root))
    put_raw(lake, [raw_row()])
    assert json.loads(_call("status", "--json").output)["waiting_rows"] == 1
    other = _call("status", "--json", "--data", str(lake.root / "other"))
    assert json.loads(other.output)["waiting_rows"] == 0


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--raw-retention-days", "-1"), ("--interval", "0"), ("--lock-wait", "soon")],
)
def test_a_bad_value_stops_the_start_with_its_flag(lake: Lake, flag: str, value: str) -> None:
    result = _call("watch", "--data", str(lake.root), flag, value)
    assert result.exit_code == 2
    assert flag in result.output


@pytest.mark.parametrize("command", ["run", "watch", "rebuild", "status", "purge", "demo"])
def test_help_names_every_variable(command: str) -> None:
    assert "FOOTFALL_DATA" in _call(command, "--help").output


def test_status_speaks_to_people_and_machines(lake: Lake) -> None:
    assert "none yet" in _call("status", "--data", str(lake.root)).output
    assert json.loads(_call("status", "--data", str(lake.root), "--json").output)["events"] == 0


def test_a_lake_that_cannot_be_written_is_named(lake: Lake) -> None:
    lake.root.write_text("a file")
    result = _call("run", "--data", str(lake.root / "in"))
    assert result.exit_code == 1
    assert str(lake.root) in result.output


def test_the_demo_comes_and_goes(lake: Lake) -> None:
    result = _call("demo", "--days", "2", "--data", str(lake.root))
    assert result.exit_code == 0, result.output
    assert "purge --demo" in result.output
    events = pl.read_parquet(lake.events / "*" / "data.parquet")
    assert events["package_id"].str.starts_with(DEMO_PREFIX).all()
    assert events["event_time"].max() <= dt.datetime.now(dt.UTC)  # type: ignore[operator] # a time
    assert _call("purge", "--demo", "--data", str(lake.root), input="n\n").exit_code == 1
    assert lake.events.exists()
    gone = _call("purge", "--demo", "--yes", "--data", str(lake.root))
    assert f"{events.height:,} curated events" in gone.output
    assert list(lake.root.rglob("*.parquet")) == []


@pytest.mark.parametrize(
    "what", [[], ["--demo", "--package", "x"], ["--before", "soon"]], ids=["none", "two", "no day"]
)
def test_a_purge_names_one_thing(lake: Lake, what: list[str]) -> None:
    assert _call("purge", "--yes", *what, "--data", str(lake.root)).exit_code == 2


def test_a_purge_by_package_and_by_day(lake: Lake) -> None:
    put_raw(lake, [raw_row(), raw_row(package_id="other")])
    _call("run", "--data", str(lake.root))
    data = ("--yes", "--data", str(lake.root))
    assert "1 curated events" in _call("purge", "--package", "other", *data).output
    assert "1 curated events" in _call("purge", "--before", "2026-03-03", *data).output
    assert not lake.events_file(DAY).exists()
