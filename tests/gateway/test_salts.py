"""Salts: one a period, shared, private, and destroyed in time."""

import datetime as dt
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import salts
from gateway.config import Rotation

MOMENT = dt.datetime(2026, 11, 23, 13, 14, 15, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("rotation", "name", "start", "end"),
    [
        ("day", "2026-11-23", "2026-11-23", "2026-11-24"),
        ("week", "2026-W48", "2026-11-23", "2026-11-30"),
        ("month", "2026-11", "2026-11-01", "2026-12-01"),
    ],
)
def test_periods(rotation: Rotation, name: str, start: str, end: str) -> None:
    period = salts.period_at(MOMENT, rotation)
    assert (period.name, f"{period.start:%F}", f"{period.end:%F}") == (name, start, end)


@given(
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    st.sampled_from(["day", "week", "month"]),
)
def test_every_moment_is_in_its_period_and_the_next_begins_where_it_ends(
    moment: dt.datetime, rotation: Rotation
) -> None:
    period = salts.period_at(moment, rotation)
    assert period.start <= moment < period.end
    assert salts.period_at(period.end, rotation).start == period.end


def test_a_salt_is_random_private_and_the_same_for_all(tmp_path: Path) -> None:
    folder = tmp_path / "salts"
    period = salts.period_at(MOMENT, "day")
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: salts.obtain(folder, period), range(64)))
    assert len(found) == 1
    assert len(found.pop()) == 32
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert salts.obtain(tmp_path / "other", period) != salts.obtain(folder, period)


def test_half_a_salt_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2026-11-23.salt").write_bytes(b"short")
    with pytest.raises(OSError, match=r"2026-11-23\.salt has 5 bytes"):
        salts.obtain(tmp_path, salts.period_at(MOMENT, "day"))


@pytest.mark.parametrize(
    ("rotation", "last"),
    [
        ("day", dt.datetime(2026, 11, 25, tzinfo=dt.UTC)),  # 48 hours after it was begun
        ("week", dt.datetime(2026, 12, 1, tzinfo=dt.UTC)),
        ("month", dt.datetime(2026, 12, 2, tzinfo=dt.UTC)),
    ],
)
def test_a_salt_is_destroyed_in_time(tmp_path: Path, rotation: Rotation, last: dt.datetime) -> None:
    period = salts.period_at(MOMENT, rotation)
    salts.obtain(tmp_path, period)
    assert salts.destroy_old(tmp_path, last - dt.timedelta(seconds=1)) == []
    assert salts.destroy_old(tmp_path, last) == [period.name]
    assert list(tmp_path.iterdir()) == []


def test_drafts_of_killed_makers_go_and_files_of_others_stay(tmp_path: Path) -> None:
    draft, other = tmp_path / ".2026-11-23.1.abcd", tmp_path / "notes.salt"
    for path in (draft, other):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    salts.destroy_old(tmp_path, MOMENT)
    assert list(tmp_path.iterdir()) == [other]
