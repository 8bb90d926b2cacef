"""A short storm, and proof that the account would tell a loss."""

from pathlib import Path

import polars as pl
import pytest

from tests.chaos.__main__ import report
from tests.chaos.chaos import chaos
from tests.chaos.ledger import account


def test_a_short_storm_loses_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = chaos(tmp_path, seconds=5, seed=4, rate=500, backlog=3_000_000)
    assert outcome.account.is_right, report(outcome)
    assert outcome.account.acknowledged > outcome.backlog > 1000
    assert outcome.blows


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for table, columns in (
        ("events", {"variables": [f'{{"mark":"m{mark}"}}' for mark in (1, 2, 2, 3)]}),
        ("daily", {"cube": ["total", "total", "country"], "events": [1, 3, 4]}),
    ):
        frame = pl.DataFrame(columns).with_columns(package_id=pl.lit("tool"))
        folder = tmp_path / table / "date=2026-11-23"
        folder.mkdir(parents=True)
        frame.write_parquet(folder / "data.parquet")
    return tmp_path


def test_the_account_names_what_is_lost_and_doubled(lake: Path) -> None:
    found = account(lake, [1, 2, 4, 5])
    assert (found.lost, found.doubled, found.miscounted) == ((4, 5), (2,), 0)
    assert not found.is_right


def test_rows_that_nobody_was_told_of_are_no_fault(lake: Path) -> None:
    assert account(lake, [1, 3]).lost == ()


def test_the_account_names_what_was_not_taken_further(lake: Path) -> None:
    (lake / "raw/date=2026-11-23").mkdir(parents=True)
    (lake / "raw/date=2026-11-23/a.parquet").touch()
    assert account(lake, [1]).left_over == ("raw/date=2026-11-23/a.parquet",)


def test_the_account_tells_what_a_purge_has_left(lake: Path) -> None:
    assert account(lake, [1], "tool").unpurged == 7
    assert account(lake, [1], "other").unpurged == 0


def test_an_empty_lake_has_lost_everything(tmp_path: Path) -> None:
    assert account(tmp_path, [7]).lost == (7,)
