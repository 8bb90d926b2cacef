"""Events as bytes: what is read is what was written, by whichever reader."""

from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from pipeline.coded import coded
from pipeline.curate import curate, enrich
from pipeline.encode import encoded, whole
from pipeline.schema import EVENTS
from pipeline.splice import NotSpliceableError, Splicer, beside
from tests.pipeline.conftest import raw_frame, raw_row


def _events(origins: list[int]) -> pl.DataFrame:
    raw = raw_frame(
        [
            raw_row(
                package=f"p{number % 3}", origin_id=origin, city=None if number % 2 else "Ålesund"
            )
            for number, origin in enumerate(origins)
        ]
    )
    return curate(pl.LazyFrame(schema=EVENTS), enrich(raw.lazy())).collect()


def _write(events: pl.DataFrame, rows_in_group: int, path: Path) -> None:
    with path.open("wb") as file:
        splicer = Splicer(file)
        groups = encoded(coded(events.lazy()).collect(), rows_in_group)
        for number in range(len(groups)):
            splicer.copy(groups, number)
        splicer.finish()


@pytest.mark.parametrize(
    ("origins", "encoding"),
    [
        ([2**63 + n for n in range(9)], "DELTA_BINARY_PACKED"),
        ([2**63 + n % 2 for n in range(9)], "RLE_DICTIONARY"),
    ],
    ids=["each its own", "few"],
)
def test_every_reader_reads_what_was_written(
    tmp_path: Path, origins: list[int], encoding: str
) -> None:
    file = tmp_path / "events.parquet"
    events = _events(origins)
    _write(events, 4, file)
    assert pl.read_parquet(file).equals(events)
    assert pl.read_parquet(file).schema == EVENTS
    assert pl.from_arrow(pq.read_table(file)).equals(events)
    assert (
        duckdb.sql(f"SELECT * FROM '{file}'")
        .pl()
        .drop("event_time")
        .equals(events.drop("event_time"))
    )
    group = pq.read_metadata(file).row_group(0)
    columns = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    assert list(columns) == EVENTS.names()
    assert encoding in columns["origin_id"].encodings
    # A query for one package skips row groups by these.
    assert columns["package"].statistics.min == "p0"
    assert columns["event_time"].statistics.has_min_max


def test_nothing_of_numbers_for_texts_shows(tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    _write(_events([1, 2, 3]), 4, file)
    texts = [name for name, dtype in EVENTS.items() if dtype == pl.String]
    assert {str(pq.read_schema(file).field(name).type) for name in texts} == {"large_string"}


def test_no_rows_are_no_row_groups() -> None:
    assert len(encoded(pl.DataFrame(schema=EVENTS), 4)) == 0


def test_parts_that_are_not_the_whole_are_refused() -> None:
    with pytest.raises(NotSpliceableError, match="not the columns"):
        beside([], whole())
