"""A journal that waited long: valid segments, as a gateway leaves them that shipped nothing."""

import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import msgspec

from gateway.events import VERSION, RawEvent
from gateway.journal import SEALED, encode
from gateway.uuid7 import Uuid7s

SEGMENT = 32 * 1024 * 1024
FIRST_MARK = 10**12  # beyond what any load reaches

_EVENT = RawEvent(
    v=VERSION,
    event_id="",
    event_time=0,
    event_type="download",
    route_type="file",
    package_id="tool",
    package="tool",
    host="get.acme.example",
    artifact="tool.tar.gz",
    version="1.0",
    method="GET",
    status=307,
    user_agent="curl/8",
    variables="{}",
    country="DE",
    asn=64496,
    as_org="Example Networks",
    origin_id=1,
    endpoint_id=2,
)


def write(journal: Path, size: int) -> Sequence[int]:
    """Fill a journal with so many bytes of sealed segments; return the marks of the events."""
    journal.mkdir(parents=True, exist_ok=True)
    ids, marks = Uuid7s(), count(FIRST_MARK)
    # Of the last minutes: an event from the future would rightly be rejected.
    moment = time.time_ns() // 1000 - 600_000_000
    written = 0
    mark = FIRST_MARK
    while written < size:
        records, length = [], 0
        while length < min(SEGMENT, size - written):
            mark = next(marks)
            records.append(encode(event(mark, moment + mark - FIRST_MARK, ids)))
            length += len(records[-1])
        (journal / f"{mark:032x}{SEALED}").write_bytes(b"".join(records))
        written += length
    return range(FIRST_MARK, mark + 1)


def event(mark: int, moment: int, ids: Uuid7s, **fields: object) -> RawEvent:
    """Make an event of a moment, in microseconds, that bears a mark."""
    changes = {"variables": f'{{"mark":"m{mark}"}}', **fields}
    return msgspec.structs.replace(_EVENT, event_id=ids.new(), event_time=moment, **changes)
