from pathlib import Path

import polars as pl
import pytest

from gateway.events import SCHEMA
from pipeline import read
from pipeline.lake import Lake
from tests.pipeline.conftest import DAY, put_raw, raw_frame, raw_row


def test_files_of_several_writers_are_one_table(lake: Lake) -> None:
    whole = put_raw(lake, [raw_row()])
    short = put_raw(lake, [raw_row()])
    raw_frame([raw_row()]).drop("latitude", "variables").write_parquet(short)
    wide = put_raw(lake, [raw_row()])
    raw_frame([raw_row()]).with_columns(
        pl.col("status").cast(pl.Int64), later=pl.lit(1)
    ).write_parquet(wide)
    rows = read.raw([whole, short, wide]).collect()
    assert rows.schema == SCHEMA
    assert rows.height == 3
    assert rows["variables"].to_list() == ["{}"] * 3


def test_no_files_are_no_rows() -> None:
    assert read.raw([]).collect().equals(pl.DataFrame(schema=SCHEMA))


@pytest.mark.parametrize("column", sorted(read.REQUIRED))
def test_a_file_without_a_required_column_is_unreadable(lake: Lake, column: str) -> None:
    file = put_raw(lake, [raw_row()])
    raw_frame([raw_row()]).drop(column).write_parquet(file)
    with pytest.raises(read.UnreadableFileError, match=f"has no column {column}") as caught:
        read.raw([file])
    assert caught.value.path == file


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ("status", pl.String),
        ("event_time", pl.Datetime("us")),
        ("event_time", pl.Int64),
        ("package", pl.Int32),
        ("latitude", pl.String),
    ],
    ids=str,
)
def test_a_column_of_another_kind_is_unreadable(
    lake: Lake, column: str, dtype: pl.DataType
) -> None:
    file = put_raw(lake, [raw_row()])
    other = raw_frame([raw_row()]).with_columns(pl.lit(None, dtype).alias(column))
    other.write_parquet(file)
    with pytest.raises(read.UnreadableFileError, match=f"column {column} is "):
        read.raw_schema(file)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all", b"PAR1" * 9])
def test_no_parquet_is_unreadable(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.parquet"
    file.write_bytes(content)
    with pytest.raises(read.UnreadableFileError):
        read.raw_schema(file)


def test_events_of_an_older_table_are_filled_with_null(lake: Lake) -> None:
    file = lake.events_file(DAY)
    file.parent.mkdir(parents=True)
    pl.DataFrame({"event_id": ["a"], "package": ["b"], "gone": [1]}).write_parquet(file)
    (event,) = read.events(lake, DAY).collect().to_dicts()
    assert (event["event_id"], event["counted"]) == ("a", None)
    assert "gone" not in event


def test_a_day_without_events_is_an_empty_table(lake: Lake) -> None:
    assert read.events(lake, DAY).collect().is_empty()
