"""A day changed by its changed rows is the day curated from scratch."""

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import day, read
from pipeline.curate import curate, enrich
from pipeline.lake import Lake
from pipeline.rollup import rollup
from pipeline.schema import EVENTS
from tests.pipeline.conftest import DAY, NOON, raw_frame, raw_row

ROWS_AT_ONCE = 20


@pytest.fixture(scope="module", autouse=True)
def _small_groups() -> Iterator[None]:
    """Row groups of a few rows, so that small days have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(day, "ROWS_IN_GROUP", 4)
        yield


_rows = st.lists(
    st.fixed_dictionaries(
        {
            "package": st.sampled_from("abc"),
            "seconds": st.integers(0, 90),
            "origin_id": st.integers(1, 4),
            "image": st.sampled_from(["HEAD", "GET", None]),
            "reference": st.sampled_from(["1.0", "sha256:a", "sha256:b"]),
            "variables": st.sampled_from(
                ["{}", '{"digest":"sha256:a"}', '{"index":"sha256:a","platform":"linux/arm64"}']
            ),
            "client": st.sampled_from(["curl/8.5.0", "containerd/1.6.20"]),
        }
    ),
    max_size=30,
)


def _raw(rows: list[dict[str, Any]]) -> pl.DataFrame:
    def one(row: dict[str, Any]) -> dict[str, Any]:
        image = {
            "event_type": "pull",
            "route_type": "docker",
            "method": row["image"],
            "status": 200,
            "reference": row["reference"],
            "version": row["reference"],
        }
        return raw_row(
            event_time=NOON + dt.timedelta(seconds=row["seconds"]),
            package=row["package"],
            package_id=row["package"],
            origin_id=row["origin_id"],
            variables=row["variables"],
            user_agent=row["client"],
            **(image if row["image"] else {}),
        )

    return raw_frame([one(row) for row in rows])


@settings(max_examples=25, deadline=None)
@given(_rows, st.lists(st.integers(0, 30), max_size=3), st.integers(0, 3))
def test_in_however_many_batches_rows_arrive_the_day_is_the_same(
    rows: list[dict[str, Any]], cuts: list[int], again: int
) -> None:
    raw = _raw(rows)
    bounds = [0, *sorted(min(cut, raw.height) for cut in cuts), raw.height]
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        for start, stop in itertools.pairwise(bounds):
            # A few rows of the batch before come twice.
            batch = raw[max(0, start - again) : stop]
            day.replace_day(lake, DAY, batch, rows_at_once=ROWS_AT_ONCE)
        found = read.events(lake, DAY).collect()
        wanted = curate(pl.LazyFrame(schema=EVENTS), enrich(raw.lazy())).collect()
        assert found.equals(wanted)
        if rows:
            daily = read.daily(lake, DAY).collect()
            assert daily.equals(rollup(wanted.lazy()).collect())


@settings(max_examples=8, deadline=None)
@given(_rows)
def test_a_day_judged_again_stays_as_it_is(rows: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        day.replace_day(lake, DAY, _raw(rows), rows_at_once=ROWS_AT_ONCE)
        before = read.events(lake, DAY).collect()
        day.replace_day(lake, DAY, rows_at_once=ROWS_AT_ONCE, again=True)
        assert read.events(lake, DAY).collect().equals(before)


@settings(max_examples=25, deadline=None)
@given(_rows)
def test_rows_that_go_leave_the_day_that_never_had_them(rows: list[dict[str, Any]]) -> None:
    raw = _raw(rows)
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        day.replace_day(lake, DAY, raw, rows_at_once=ROWS_AT_ONCE)
        day.replace_day(lake, DAY, rows_at_once=ROWS_AT_ONCE, going=pl.col("package_id") == "b")
        stayed = raw.filter(pl.col("package_id") != "b")
        wanted = curate(pl.LazyFrame(schema=EVENTS), enrich(stayed.lazy())).collect()
        assert read.events(lake, DAY).collect().equals(wanted)
        assert lake.daily_file(DAY).exists() == bool(stayed.height)


def test_row_groups_that_nothing_happened_to_keep_their_bytes(lake: Lake) -> None:
    old = [raw_row(package=package, package_id=package) for package in "abcdefgh" for _ in range(4)]
    day.replace_day(lake, DAY, raw_frame(old), rows_at_once=1_000)
    before = _groups(lake.events_file(DAY))
    assert len(before) == 8
    new = raw_row(package="c", package_id="c", event_time=NOON + dt.timedelta(hours=1))
    day.replace_day(lake, DAY, raw_frame([new]), rows_at_once=1_000)
    after = _groups(lake.events_file(DAY))
    assert len(set(before) - set(after)) == 1
    assert read.events(lake, DAY).collect().height == 33


def test_counts_of_another_state_of_the_events_are_made_anew(lake: Lake) -> None:
    day.replace_day(lake, DAY, raw_frame([raw_row()]), rows_at_once=1_000)
    stale = lake.daily_file(DAY).read_bytes()
    day.replace_day(lake, DAY, raw_frame([raw_row()]), rows_at_once=1_000)
    # As a kill between the two files leaves them.
    lake.daily_file(DAY).write_bytes(stale)
    day.replace_day(lake, DAY, raw_frame([raw_row()]), rows_at_once=1_000)
    daily = read.daily(lake, DAY).filter(pl.col("cube") == "total").collect()
    assert daily["events"].sum() == 3


def _groups(file: Path) -> list[str]:
    content = file.read_bytes()
    footer = pq.read_metadata(file)
    digests = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        columns = [group.column(n) for n in range(group.num_columns)]
        first = columns[0].dictionary_page_offset or columns[0].data_page_offset
        size = sum(column.total_compressed_size for column in columns)
        digests.append(hashlib.sha256(content[first : first + size]).hexdigest())
    return digests
