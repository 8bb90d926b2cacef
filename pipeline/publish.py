"""The only place that collects and writes tables: under a hidden name, flushed, then renamed."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake import temporary_name

# Small enough that a query for one package skips most of a large day by the statistics, large
# enough to compress well.
ROWS_IN_GROUP = 131_072


def replace(frame: pl.LazyFrame, path: Path, metadata: dict[str, str] | None = None) -> int:
    """Put a table in the place of the file at `path` at once, and say how many rows it has.

    A table without rows is no file: then the old one goes, and its folder with it. `metadata` is
    written to the file's footer.
    """

    def sink(temporary: Path) -> int:
        frame.sink_parquet(
            temporary,
            compression="zstd",
            compression_level=3,
            statistics=True,
            row_group_size=ROWS_IN_GROUP,
            maintain_order=True,
            metadata=metadata,
        )
        return row_count(temporary)

    return write(path, sink)


def write(path: Path, fill: Callable[[Path], int]) -> int:
    """Let `fill` write a table under a hidden name, and put it in place if it has rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        rows = fill(temporary)
        if rows:
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    if not rows:
        remove(path)
    return rows


def collect(frame: pl.LazyFrame) -> pl.DataFrame:
    """Compute a small answer, such as the days that some files hold."""
    return frame.collect(engine="streaming")


def collect_in_memory(frame: pl.LazyFrame) -> pl.DataFrame:
    """Compute what compares neighbours or is few rows: the streaming engine is slow at that."""
    return frame.collect(engine="in-memory")


class NotParquetError(Exception):
    """A file has no footer to count rows by."""


def row_count(path: Path) -> int:
    """The number of rows, from the footer alone."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowInvalid as error:
        raise NotParquetError(f"{path}: {error}") from error


def move(path: Path, to: Path) -> None:
    """Move a file within the lake, so that a power cut leaves it in one of the two places."""
    move_all({path: to})


def move_all(places: Mapping[Path, Path]) -> None:
    """Move files within the lake, as `move` does each; folders are flushed once, after the last."""
    for path, to in places.items():
        to.parent.mkdir(parents=True, exist_ok=True)
        path.replace(to)
    # Where a file goes to comes first: a power cut may show it twice, and never nowhere.
    for folder in {to.parent for to in places.values()}:
        _sync(folder)
    for folder in {path.parent for path in places}:
        _sync(folder)


def remove(path: Path) -> None:
    """Remove a file, and its folder once that is empty."""
    path.unlink(missing_ok=True)
    try:
        path.parent.rmdir()
    except FileNotFoundError:
        return
    except OSError:
        # A gateway may have put its next file here meanwhile; that folder stays.
        if not any(path.parent.iterdir()):
            raise


def write_text(text: str, path: Path) -> None:
    """Write a small text, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    temporary.write_text(text, encoding="utf-8")
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
