"""Parquet files put together from row groups and columns, moved as the bytes they are.

To decode and encode ten million rows for the sake of a thousand takes ten seconds; to copy their
bytes takes a fifth of one. Only the footer has to be made anew, since it says where each column
lies. No library does this, so it is done here, on three numbers of Parquet's own description.
"""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

from pipeline import thrift
from pipeline.thrift import I64, LIST, STRUCT, Struct

_MAGIC: Final = b"PAR1"
_TAIL: Final = 8  # the footer's length and the magic

# Fields of SchemaElement, FileMetaData, RowGroup, ColumnChunk and ColumnMetaData.
_TYPE: Final = 1
_REPETITION: Final = 3
_NAME: Final = 4
_SCHEMA: Final = 2
_NUM_ROWS: Final = 3
_ROW_GROUPS: Final = 4
_COLUMNS: Final = 1
_GROUP_BYTES: Final = 2
_GROUP_ROWS: Final = 3
_GROUP_OFFSET: Final = 5
_GROUP_COMPRESSED: Final = 6
_GROUP_ORDINAL: Final = 7
_CHUNK_OFFSET: Final = 2
_CHUNK_META: Final = 3
# Page indexes lie elsewhere in the file and are left behind; readers do without.
_CHUNK_INDEXES: Final = (4, 5, 6, 7)
_PATH: Final = 3
_TOTAL_PLAIN: Final = 6
_TOTAL_COMPRESSED: Final = 7
_DATA_PAGE: Final = 9
_DICTIONARY_PAGE: Final = 11
_BLOOM: Final = (14, 15)


class NotSpliceableError(Exception):
    """A file whose row groups cannot be moved as bytes; it has to be decoded."""


class Groups:
    """The row groups of one file, by its footer."""

    def __init__(self, file: BinaryIO, footer: Struct | None = None) -> None:
        self._file = file
        self.footer = thrift.decode(read_footer(file)) if footer is None else footer
        self._groups: list[Struct] = self.footer[_ROW_GROUPS][1][1]

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def schema(self) -> Any:
        """Names and types of the columns, in a form that can be compared."""
        return self.footer[_SCHEMA]

    @property
    def columns(self) -> dict[bytes, tuple[Any, Any]]:
        """The columns by name, each with how its values are stored."""
        # The first element is the table itself.
        elements: list[Struct] = self.footer[_SCHEMA][1][1][1:]
        return {
            element[_NAME][1]: (element[_TYPE][1], element[_REPETITION][1]) for element in elements
        }

    @property
    def rows(self) -> list[int]:
        """The number of rows of each group."""
        return [group[_GROUP_ROWS][1] for group in self._groups]

    def take(self, number: int) -> tuple[BinaryIO, int, int, Struct]:
        """The file, where the group's bytes start, how many they are, and what says so."""
        group = self._groups[number]
        starts, size = [], 0
        for chunk in group[_COLUMNS][1][1]:
            meta: Struct = chunk[_CHUNK_META][1]
            starts.append(_first_page(meta))
            size += meta[_TOTAL_COMPRESSED][1]
        start = min(starts)
        end = max(
            at + chunk[_CHUNK_META][1][_TOTAL_COMPRESSED][1]
            for at, chunk in zip(starts, group[_COLUMNS][1][1], strict=True)
        )
        return self._file, start, end - start, group


class Splicer:
    """Writes one Parquet file, row group by row group."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._footer: Struct | None = None
        self._groups: list[Struct] = []
        self._out.write(_MAGIC)
        self.rows = 0

    def copy(self, groups: Groups, number: int) -> None:
        """Move a row group as it is."""
        if self._footer is None:
            self._footer = groups.footer
        elif self._footer[_SCHEMA] != groups.schema:
            raise NotSpliceableError("the files have different columns")
        source, start, size, group = groups.take(number)
        at = self._out.tell()
        _copy(source, start, size, self._out)
        self._groups.append(_moved(group, at - start, len(self._groups)))
        self.rows += group[_GROUP_ROWS][1]

    def finish(self) -> None:
        """Write the footer. A file without a row group has none, and is no Parquet file."""
        if self._footer is None:
            return
        footer = thrift.encode(
            self._footer
            | {
                _NUM_ROWS: (I64, self.rows),
                _ROW_GROUPS: (LIST, (STRUCT, self._groups)),
            }
        )
        self._out.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)


@contextmanager
def opened(path: Path) -> Iterator[Groups]:
    """The row groups of a file on disk."""
    with path.open("rb") as file:
        yield Groups(file)


def beside(parts: Sequence[Groups], whole: Groups) -> Groups:
    """Put tables of the same rows side by side, with the columns and the footer of `whole`."""
    found = {name: stored for part in parts for name, stored in part.columns.items()}
    if found != whole.columns:
        raise NotSpliceableError("the parts are not the columns of the whole")
    # A page at place zero would be taken for none.
    out = io.BytesIO(_MAGIC)
    out.seek(0, os.SEEK_END)
    groups = [
        _beside([part.take(number) for part in parts], list(whole.columns), out)
        for number in range(len(parts[0]))
    ]
    return Groups(out, whole.footer | {_ROW_GROUPS: (LIST, (STRUCT, groups))})


def _beside(
    taken: Sequence[tuple[BinaryIO, int, int, Struct]], names: Sequence[bytes], out: BinaryIO
) -> Struct:
    if len({group[_GROUP_ROWS][1] for *_, group in taken}) > 1:
        raise NotSpliceableError("the parts have different rows")
    chunks: dict[bytes, Struct] = {}
    at = out.tell()
    for source, start, size, group in taken:
        by = out.tell() - start
        _copy(source, start, size, out)
        for chunk in group[_COLUMNS][1][1]:
            moved = _moved_chunk(chunk, by)
            chunks[moved[_CHUNK_META][1][_PATH][1][1][0]] = moved
    metas = [chunk[_CHUNK_META][1] for chunk in chunks.values()]
    return {
        _COLUMNS: (LIST, (STRUCT, [chunks[name] for name in names])),
        _GROUP_BYTES: (I64, sum(meta[_TOTAL_PLAIN][1] for meta in metas)),
        _GROUP_ROWS: taken[0][3][_GROUP_ROWS],
        _GROUP_OFFSET: (I64, at),
        _GROUP_COMPRESSED: (I64, sum(meta[_TOTAL_COMPRESSED][1] for meta in metas)),
    }


def digest(path: Path) -> str:
    """The digest of a file's footer, which names each page's size: of another content, another."""
    with path.open("rb") as file:
        return blake2b(read_footer(file), digest_size=16).hexdigest()


def read_footer(file: BinaryIO) -> bytes:
    """The footer's bytes."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL))
    tail = file.read(_TAIL)
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or size > end - _TAIL:
        raise NotSpliceableError("the file has no plain Parquet footer")
    file.seek(end - _TAIL - size)
    return file.read(size)


def _first_page(meta: Struct) -> int:
    data: int = meta[_DATA_PAGE][1]
    dictionary: int = meta.get(_DICTIONARY_PAGE, (I64, 0))[1]
    # Some writers leave the dictionary's place at zero where there is none.
    return min(data, dictionary) if dictionary else data


def _moved(group: Struct, by: int, ordinal: int) -> Struct:
    kind, chunks = group[_COLUMNS][1]
    moved = group | {_COLUMNS: (LIST, (kind, [_moved_chunk(chunk, by) for chunk in chunks]))}
    if _GROUP_OFFSET in group:
        moved[_GROUP_OFFSET] = (I64, group[_GROUP_OFFSET][1] + by)
    if _GROUP_ORDINAL in group:
        moved[_GROUP_ORDINAL] = (group[_GROUP_ORDINAL][0], ordinal)
    return moved


def _moved_chunk(chunk: Struct, by: int) -> Struct:
    meta: Struct = {k: v for k, v in chunk[_CHUNK_META][1].items() if k not in _BLOOM}
    meta[_DATA_PAGE] = (I64, meta[_DATA_PAGE][1] + by)
    if meta.get(_DICTIONARY_PAGE, (I64, 0))[1]:
        meta[_DICTIONARY_PAGE] = (I64, meta[_DICTIONARY_PAGE][1] + by)
    kept = {k: v for k, v in chunk.items() if k not in _CHUNK_INDEXES}
    return kept | {
        _CHUNK_OFFSET: (I64, max(0, chunk[_CHUNK_OFFSET][1] + by)),
        _CHUNK_META: (STRUCT, meta),
    }


def _copy(source: BinaryIO, start: int, size: int, out: BinaryIO) -> None:
    source.seek(start)
    while size:
        content = source.read(min(size, 4 * 1024 * 1024))
        if not content:
            raise NotSpliceableError("the file ends before its row group does")
        out.write(content)
        size -= len(content)
