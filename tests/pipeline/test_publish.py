from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline import publish

ROWS = pl.LazyFrame({"n": [1, 2, 3]})


def test_a_table_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "date=2026-03-02" / "data.parquet"
    assert publish.replace(ROWS, file) == 3
    assert publish.replace(ROWS.head(1), file) == 1
    assert pl.read_parquet(file).height == 1
    assert [path.name for path in file.parent.iterdir()] == ["data.parquet"]


def test_a_table_without_rows_is_no_file(tmp_path: Path) -> None:
    file = tmp_path / "date=2026-03-02" / "data.parquet"
    assert publish.replace(ROWS.head(0), file) == 0
    assert not file.parent.exists()
    publish.replace(ROWS, file)
    assert publish.replace(ROWS.head(0), file) == 0
    assert not file.parent.exists()


def test_a_failure_leaves_the_old_table(tmp_path: Path) -> None:
    file = tmp_path / "data.parquet"
    publish.replace(ROWS, file)
    broken = ROWS.with_columns(m=pl.lit("x").cast(pl.Int64, strict=True))
    with pytest.raises(pl.exceptions.PolarsError):
        publish.replace(broken, file)
    assert pl.read_parquet(file).columns == ["n"]
    assert [path.name for path in tmp_path.iterdir()] == ["data.parquet"]


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    frame = pl.LazyFrame({"n": range(400_000)}).with_columns(s=pl.col("n").cast(pl.String))
    publish.replace(frame, tmp_path / "a.parquet")
    publish.replace(frame, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_row_groups_carry_statistics(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    publish.replace(pl.LazyFrame({"n": range(publish.ROWS_IN_GROUP + 1)}), file)
    footer = pq.read_metadata(file)
    assert footer.num_row_groups == 2
    assert footer.row_group(1).column(0).statistics.min == publish.ROWS_IN_GROUP


def test_a_folder_in_use_stays(tmp_path: Path) -> None:
    file = tmp_path / "day" / "a.parquet"
    publish.replace(ROWS, file)
    (tmp_path / "day" / "next.parquet").touch()
    publish.remove(file)
    assert [path.name for path in (tmp_path / "day").iterdir()] == ["next.parquet"]


def test_what_is_no_parquet_has_no_row_count(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with pytest.raises(publish.NotParquetError, match="x"):
        publish.row_count(tmp_path / "x")
