"""Reads the journal back: segments that nobody writes to any more, records that are whole."""

import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from gateway.events import RawEvent
from gateway.journal import OPEN, SEALED

_DRAFT_SECONDS = 60.0
_decoder = msgspec.json.Decoder(RawEvent)


class BadRecord(msgspec.Struct, frozen=True):
    """A line that is no event, and why."""

    offset: int  # of its first byte in the segment; -1: not known
    reason: str
    line: bytes


class Contents(msgspec.Struct, frozen=True):
    """What a segment holds."""

    events: list[bytes]  # each the JSON of one whole event
    times: list[int]  # of each, microseconds since the epoch
    bad: list[BadRecord]
    torn: int  # bytes of an unfinished last record, whose request was never answered


def sealed(directory: Path) -> Iterator[Path]:
    """Find the segments that are ready, adopting those that dead processes left. Oldest first."""
    for path in sorted(directory.glob(f"*{OPEN}")):
        _adopt(path)
    for draft in directory.glob(".*.new"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _DRAFT_SECONDS:
                draft.unlink()
    yield from sorted(directory.glob(f"*{SEALED}"), key=_modified)


def is_being_written(directory: Path) -> bool:
    """Say whether any segment is still open."""
    return any(True for _ in directory.glob(f"*{OPEN}"))


def read(path: Path) -> Contents:
    """Read a segment up to its last whole record, setting aside what is damaged before it."""
    data = path.read_bytes()
    contents = Contents([], [], [], 0)
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        line = data[start:end]
        reason = _judge(line, contents)
        if reason:
            contents.bad.append(BadRecord(start, reason, line))
        start = end + 1
    return msgspec.structs.replace(contents, torn=len(data) - start)


def _judge(line: bytes, contents: Contents) -> str:
    """Add a whole event to the contents, or say what is wrong with the line."""
    body = line[9:]
    if line[8:9] != b" " or line[:8] != b"%08x" % zlib.crc32(body):
        return "the checksum does not fit"
    try:
        event = _decoder.decode(body)
    except (ValueError, RecursionError) as error:  # no JSON, none in UTF-8, or none of an event
        return f"is no raw event: {error}"
    contents.events.append(body)
    contents.times.append(event.event_time)
    return ""


def _adopt(path: Path) -> None:
    """Seal a segment whose writer is dead: only then can its lock be had."""
    with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The writer may have sealed it between our two calls; then the name is gone, or another's.
        if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
            path.rename(path.with_suffix(SEALED))


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
