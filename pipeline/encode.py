"""Curated events as Parquet row groups, each column in the encoding that suits what is in it.

Every reader of Parquet knows these encodings; only how many bytes an event takes depends on them.
"""

import io
import math
from functools import cache
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from pipeline.schema import EVENTS
from pipeline.splice import Groups, beside

# Half of an event is hexadecimal digits by chance, which higher levels only take longer over.
_LEVEL: Final = 2
# Room for a dictionary of all the ids of a row group; beyond it a column would change its encoding.
_DICTIONARY_BYTES: Final = 16 * 1024 * 1024

_IDS: Final = ("event_id", "event_time", "origin_id", "endpoint_id")
_HASHES: Final = ("origin_id", "endpoint_id")


def encoded(events: pl.DataFrame, rows_in_group: int) -> Groups:
    """Rows of the events table as row groups in memory.

    Polars writes texts that are numbers as dictionaries, without looking at one row's text. But it
    knows no delta encodings, which the ids need, so Arrow writes those.
    """
    if not events.height:
        return whole()
    texts = _by_polars(events.drop(_IDS), rows_in_group)
    # Some readers take the first column's place for the row group's.
    return beside([_by_arrow(events.select(_IDS), rows_in_group), texts], whole())


@cache
def whole() -> Groups:
    """An events file without rows: what the columns of every file written here are."""
    return _by_polars(pl.DataFrame(schema=EVENTS), None)


def _by_polars(rows: pl.DataFrame, rows_in_group: int | None) -> Groups:
    out = io.BytesIO()
    rows.write_parquet(
        out,
        compression="zstd",
        compression_level=_LEVEL,
        statistics=True,
        row_group_size=rows_in_group,
    )
    return Groups(out)


def _by_arrow(ids: pl.DataFrame, rows_in_group: int) -> Groups:
    repeating = [name for name in _HASHES if _repeats(ids[name])]
    # Ids of one package follow each other in time, and begin with it.
    deltas = {"event_id": "DELTA_BYTE_ARRAY"} | {
        name: "DELTA_BINARY_PACKED" for name in _IDS[1:] if name not in repeating
    }
    out = io.BytesIO()
    pq.write_table(
        ids.to_arrow(),
        out,
        row_group_size=rows_in_group,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=repeating,
        column_encoding=deltas,
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
    )
    return Groups(out)


def _repeats(ids: pl.Series) -> bool:
    """Whether ids, each written once, and numbers for them take fewer bits than the ids."""
    distinct = ids.n_unique()
    bits = int(ids.max() or 0).bit_length()  # type: ignore[arg-type]  # a whole number
    return distinct / ids.len() * bits + math.log2(distinct) < bits
