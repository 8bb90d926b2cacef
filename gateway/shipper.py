"""Ships sealed segments: each becomes one Parquet file in `raw/` for every day in it.

A raw file's name is made of its segment's name and its day, so that shipping a segment again,
after a crash in between, replaces the file instead of doubling it.
"""

import datetime as dt
import io
import logging
import os
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import NAMESPACE_URL, uuid5

import msgspec
import polars as pl

from gateway import segments
from gateway.events import SCHEMA

# Takes a name within the lake and the whole content; it must appear there whole or not at all.
Put = Callable[[str, bytes], None]

log = logging.getLogger(__name__)

_DAY = 86_400_000_000
_EPOCH = dt.date(1970, 1, 1)
# Polars' NDJSON reader knows no small integers and no microseconds: it reads wide and is cast down.
_WIDE = pl.Schema(
    {
        name: pl.Int64 if kind in (pl.Int8, pl.Int16, pl.Int32) or kind.is_temporal() else
        pl.Float64 if kind == pl.Float32 else kind
        for name, kind in SCHEMA.items()
    }
)  # fmt: skip


class Shipment(msgspec.Struct, frozen=True):
    """What one pass has shipped."""

    segments: int = 0
    events: int = 0
    bad: int = 0


def ship(journal: Path, put: Put, is_late: Callable[[], bool] = lambda: False) -> Shipment:
    """Ship every segment that is ready, until it is too late to begin another.

    Raises OSError where the lake cannot be written; the segments then wait for the next pass.
    """
    shipped = events = bad = 0
    for path in segments.sealed(journal):
        if is_late():
            log.info("what is left in the journal is shipped at the next start")
            break
        try:
            contents = segments.read(path)
        except FileNotFoundError:
            continue  # another gateway on the same lake was faster
        except OSError as error:
            log.warning("a journal segment cannot be read, and stays where it is: %s", error)
            continue
        done = _ship_segment(path.stem, contents, put)
        path.unlink(missing_ok=True)
        shipped, events, bad = shipped + 1, events + done.events, bad + done.bad
    return Shipment(shipped, events, bad)


def _ship_segment(name: str, contents: segments.Contents, put: Put) -> Shipment:
    events, bad = 0, list(contents.bad)
    for day, records in _by_day(contents).items():
        try:
            table = _parquet(records)
        except pl.exceptions.PolarsError as error:
            reason = f"does not fit the raw table: {error}"
            bad.extend(segments.BadRecord(-1, reason, body) for body in records)
            continue
        put(f"raw/date={day}/{uuid5(NAMESPACE_URL, f'{name}/{day}')}.parquet", table)
        events += len(records)
    if bad:
        put(f"quarantine/journal-{name}.ndjson", _quarantined(bad))
        log.warning(
            "journal segment %s: %d bad records in quarantine, %d shipped", name, len(bad), events
        )
    if contents.torn:
        log.info("journal segment %s: a torn end of %d bytes cut off", name, contents.torn)
    return Shipment(1, events, len(bad))


def into_folder(lake: Path) -> Put:
    """Put files into a local folder."""

    def put(name: str, content: bytes) -> None:
        path = lake / name
        # No reader's *.parquet sees this name. It is made of the file's own, so a crash leaves one
        # at most, and the next try replaces it.
        draft = path.with_name(f".tmp-{path.stem}")
        try:
            with _created(draft) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    return put


def _created(draft: Path) -> BinaryIO:
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        return draft.open("wb")
    except FileNotFoundError:
        # A pipeline that tidies up took the empty folder away in between. It holds a file next.
        draft.parent.mkdir(parents=True, exist_ok=True)
        return draft.open("wb")


def _by_day(contents: segments.Contents) -> dict[dt.date, list[bytes]]:
    days: dict[dt.date, list[bytes]] = defaultdict(list)
    for time, body in zip(contents.times, contents.events, strict=True):
        days[_EPOCH + dt.timedelta(days=time // _DAY)].append(body)
    return days


def _parquet(records: list[bytes]) -> bytes:
    frame = pl.read_ndjson(io.BytesIO(b"\n".join(records)), schema=_WIDE).cast(SCHEMA)
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _quarantined(bad: list[segments.BadRecord]) -> bytes:
    """Set damaged records aside as lines of JSON, readable whatever bytes they are made of."""
    return b"".join(
        msgspec.json.encode(
            {
                "reason": record.reason,
                "offset": record.offset,
                "record": record.line.decode(errors="backslashreplace"),
            }
        )
        + b"\n"
        for record in bad
    )


def _sync_folder(path: Path) -> None:
    """Make a rename survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
