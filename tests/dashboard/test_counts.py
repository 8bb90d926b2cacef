"""The copy of the daily counts: always what the files say, without reading them again."""

import datetime as dt
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dashboard.counts import Counts
from dashboard.filters import Filters
from dashboard.lake import Lake, LakeError
from dashboard.queries import overview, runtimes
from tests.dashboard.conftest import TODAY, event, write_lake

YESTERDAY = TODAY - dt.timedelta(days=1)
BOTH = Filters(YESTERDAY, TODAY)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two events yesterday, one today."""
    return write_lake(tmp_path, [event(YESTERDAY), event(YESTERDAY), event(TODAY)])


def file(root: Path, day: dt.date, table: str = "daily") -> Path:
    return root / table / f"date={day}" / "data.parquet"


def copied(root: Path, settled_seconds: float = 0) -> Lake:
    lake = Lake(root, settled_seconds=settled_seconds)
    assert lake.counts is not None
    lake.counts.copy()
    return lake


def installs(lake: Lake) -> int:
    number: int = overview.totals(lake, BOTH)["installs"][0]
    return number


def damage(root: Path) -> None:
    """Spoil every file in place, which no rename does and no folder shows."""
    for path in (root / "daily").glob("*/data.parquet"):
        path.write_bytes(b"PAR1 half a file")


def replace(root: Path, day: dt.date, rows: int) -> None:
    """Put another day in the old one's place, as the pipeline does."""
    new = write_lake(root / "new", [event(day)] * rows)
    for table in ("events", "daily"):
        file(new, day, table).replace(file(root, day, table))


def test_a_settled_day_is_not_read_again(root: Path) -> None:
    lake = copied(root)
    damage(root)
    assert installs(lake) == 3


def test_a_day_that_may_still_change_is_read_each_time(root: Path) -> None:
    lake = copied(root, settled_seconds=3_600)
    assert installs(lake) == 3
    damage(root)
    with pytest.raises(LakeError, match=r"data\.parquet.*rebuild --data"):
        installs(lake)


def test_questions_begin_the_copying(root: Path) -> None:
    lake = Lake(root, settled_seconds=0)
    assert installs(lake) == 3
    assert lake.counts is not None
    lake.counts.wait()
    damage(root)
    assert installs(lake) == 3


def test_a_copied_day_that_is_replaced_counts_once(root: Path) -> None:
    lake = copied(root)
    replace(root, TODAY, rows=5)
    assert installs(lake) == 7
    assert lake.counts is not None
    lake.counts.wait()
    assert installs(lake) == 7


def test_a_day_that_goes_is_gone_and_may_come_back(root: Path) -> None:
    lake = copied(root)
    for table in ("events", "daily"):
        file(root, TODAY, table).unlink()
        file(root, TODAY, table).parent.rmdir()
    assert installs(lake) == 2
    write_lake(root, [event(TODAY)] * 4)
    assert installs(lake) == 6


def test_the_first_day_is_seen_as_soon_as_it_is_there(tmp_path: Path) -> None:
    lake = copied(tmp_path)
    assert installs(lake) == 0
    write_lake(tmp_path, [event(TODAY)])
    assert installs(lake) == 1


def test_a_damaged_day_is_told_and_ends_no_later_question(root: Path) -> None:
    good = file(root, TODAY).read_bytes()
    file(root, TODAY).write_bytes(b"PAR1 half a file")
    lake = Lake(root, settled_seconds=0)
    for _ in range(2):
        with pytest.raises(LakeError, match=r"data\.parquet"):
            installs(lake)
        assert lake.counts is not None
        lake.counts.wait()
    (root / "good.parquet").write_bytes(good)
    (root / "good.parquet").replace(file(root, TODAY))
    assert installs(lake) == 3


def test_counts_from_before_a_column_was_are_not_taken_for_none(root: Path) -> None:
    old = file(root, YESTERDAY)
    pl.read_parquet(old).filter(pl.col("cube") != "ci").drop("ci").write_parquet(old)
    with pytest.raises(LakeError, match=r"ci.*rebuild --data"):
        runtimes.ci(Lake(root, settled_seconds=0), BOTH)


def test_beyond_so_many_rows_older_days_stay_in_their_files(tmp_path: Path) -> None:
    days = [TODAY - dt.timedelta(days=back) for back in range(200)]
    write_lake(tmp_path, [event(day) for day in days])
    with duckdb.connect() as database:
        counts = Counts(database, tmp_path / "daily", 0, most_rows=1)
        counts.copy()
        found = database.execute(
            "SELECT count(DISTINCT date) FROM counts.daily UNION ALL "
            "SELECT count(DISTINCT date) FROM counts.total"
        ).fetchall()
    [(every,), (held,)] = found
    assert every == 200
    assert 0 < held < 200
