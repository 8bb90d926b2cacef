import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coded import TEXT
from pipeline.order import ORDER, in_order, without_duplicates
from tests.pipeline.conftest import NOON

_rows = st.lists(
    st.fixed_dictionaries(
        {
            # Ten packages sort otherwise as text than as numbers.
            "package": st.sampled_from(["b", "a", "acme/10", "acme/9", "Ä", ""]),
            "event_time": st.integers(-2, 2).map(lambda n: NOON + dt.timedelta(microseconds=n)),
            "event_id": st.sampled_from("abcd"),
        }
    ),
    max_size=40,
)


@pytest.mark.parametrize("text", [pl.String, TEXT], ids=str)
@given(_rows)
def test_the_order_is_that_of_a_stable_sort(text: pl.DataType, rows: list[dict[str, Any]]) -> None:
    frame = _frame(rows).with_row_index("arrived")
    wanted = frame.sort(ORDER, maintain_order=True)
    found = in_order(frame.with_columns(pl.col("package").cast(text)))
    assert found.cast({"package": pl.String}).equals(wanted)


def test_times_too_far_apart_for_one_number_are_sorted_all_the_same() -> None:
    times = [dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (9999, 1, 2026)]
    rows = [
        {"package": f"p{number}", "event_time": time, "event_id": "a"}
        for number in range(100)
        for time in times
    ]
    frame = _frame(rows)
    assert in_order(frame).equals(frame.sort(ORDER))


def test_of_rows_with_one_id_the_earlier_stays() -> None:
    row = {"package": "a", "event_time": NOON, "event_id": "x"}
    frame = _frame([row, row | {"event_id": "w"}, row]).with_row_index("arrived")
    once = without_duplicates(in_order(frame).lazy()).collect()
    assert once["arrived"].to_list() == [1, 0]


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    time = pl.Datetime("us", "UTC")
    schema = {"package": pl.String, "event_time": time, "event_id": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")
