"""Frames of rows in, bytes of CSV, NDJSON or Parquet out, piece by piece."""

import io
from collections.abc import Iterable, Iterator
from typing import Final, Literal, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

Format = Literal["csv", "ndjson", "parquet"]

MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}

# UTC, microseconds, always the same width: sorts as text and reads as a timestamp everywhere.
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"

# A spreadsheet runs a cell that begins with one of these as a formula, in full width as well. The
# apostrophe is among them so that the mark is undone without doubt: drop one leading apostrophe.
FORMULA_STARTS: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20'")

# Rows gathered into one Parquet row group: enough to compress well, little enough to hold.
ROW_GROUP_ROWS: Final = 131_072


def encode(frames: Iterable[pl.DataFrame], schema: pl.Schema, output: Format) -> Iterator[bytes]:
    """Yield the file's bytes, one piece a frame. Pieces may be empty: a frame need not fill one.

    The first frame is taken before the first piece is made, so that data that cannot be read fails
    before anything was sent.
    """
    encoder = _ENCODERS[output](schema)
    opening = encoder.open()
    for frame in frames:
        yield opening + encoder.add(frame)
        opening = b""
    yield opening + encoder.close()


class _Encoder(Protocol):
    def __init__(self, schema: pl.Schema) -> None: ...
    def open(self) -> bytes: ...
    def add(self, frame: pl.DataFrame) -> bytes: ...
    def close(self) -> bytes: ...


class _Csv:
    """Empty is null, a quoted nothing is the empty text, and no cell is a formula."""

    def __init__(self, schema: pl.Schema) -> None:
        self._schema = schema

    def open(self) -> bytes:
        return self._write(pl.DataFrame(schema=self._schema), header=True)

    def add(self, frame: pl.DataFrame) -> bytes:
        text = pl.col(pl.String)
        defused = pl.when(text.str.head(1).is_in(FORMULA_STARTS)).then("'" + text).otherwise(text)
        return self._write(frame.with_columns(defused.name.keep()), header=False)

    def close(self) -> bytes:
        return b""

    @staticmethod
    def _write(frame: pl.DataFrame, *, header: bool) -> bytes:
        out = io.BytesIO()
        frame.write_csv(out, include_header=header, datetime_format=TIME_FORMAT)
        return out.getvalue()


class _Ndjson:
    """64-bit ids are text: most JSON readers round a number beyond 2^53."""

    def __init__(self, schema: pl.Schema) -> None:
        self._schema = schema

    def open(self) -> bytes:
        return b""

    def add(self, frame: pl.DataFrame) -> bytes:
        out = io.BytesIO()
        frame.with_columns(
            pl.col(pl.UInt64).cast(pl.String),
            pl.col(pl.Datetime("us", "UTC")).dt.strftime(TIME_FORMAT),
        ).write_ndjson(out)
        return out.getvalue()

    def close(self) -> bytes:
        return b""


class _Parquet:
    """Row groups as large as ROW_GROUP_ROWS; a file without rows still has its schema."""

    def __init__(self, schema: pl.Schema) -> None:
        self._arrow = pl.DataFrame(schema=schema).to_arrow().schema
        self._drain = _Drain()
        self._gathered: list[pa.Table] = []

    def open(self) -> bytes:
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._drain, mode="w"), self._arrow, compression="zstd"
        )
        return self._drain.take()

    def add(self, frame: pl.DataFrame) -> bytes:
        self._gathered.append(frame.to_arrow().cast(self._arrow))
        if sum(table.num_rows for table in self._gathered) >= ROW_GROUP_ROWS:
            self._flush()
        return self._drain.take()

    def close(self) -> bytes:
        self._flush()
        self._writer.close()
        return self._drain.take()

    def _flush(self) -> None:
        if self._gathered:
            self._writer.write_table(pa.concat_tables(self._gathered), ROW_GROUP_ROWS)
            self._gathered.clear()


class _Drain(io.RawIOBase):
    """A file that keeps only what was written since the last look."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]  # Arrow hands its own buffers
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


_ENCODERS: Final[dict[Format, type[_Encoder]]] = {
    "csv": _Csv,
    "ndjson": _Ndjson,
    "parquet": _Parquet,
}
