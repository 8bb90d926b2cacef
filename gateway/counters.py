"""Counters that every worker writes and the admin port reads: numbers in shared memory, no files.

Each worker has a slot of its own, so that nobody waits for a lock and nothing is counted twice. The
supervisor owns the memory; a worker that comes back goes on counting where its forerunner died.
"""

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator
from typing import Literal, get_args

from gateway.events import RouteType
from gateway.shared import shared_file
from gateway.upstream.notes import CacheOutcome, Note, UpstreamOutcome

# What became of an event. Each but the first two is a loss, by its reason.
Fate = Literal["journaled", "unrecorded", "no-space", "read-only", "descriptors", "disk", "error"]
# Where an answer came from: the gateway's own memory, or another server that was asked.
Way = Literal["memory", "upstream"]

FATES: tuple[Fate, ...] = get_args(Fate)
KEPT_FATES: tuple[Fate, ...] = ("journaled", "unrecorded")
NOTES: tuple[Note, ...] = (*get_args(UpstreamOutcome), *get_args(CacheOutcome))
WAYS: tuple[Way, ...] = get_args(Way)
# Upper bounds of the buckets of a histogram, in seconds; one more has none.
BOUNDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0,
)  # fmt: skip
# "none" is a request that no route took.
ROUTE_TYPES: tuple[str, ...] = (*get_args(RouteType), "none")
_STATUSES = range(100, 600)

_SHED_AT = len(FATES)
_THROTTLED_AT = _SHED_AT + 1
_CLOSED_AT = _THROTTLED_AT + 1
_CONNECTIONS_AT = _CLOSED_AT + 1
_NOTES_AT = _CONNECTIONS_AT + 1
_WAYS_AT = _NOTES_AT + len(NOTES)
_WAY = len(BOUNDS) + 2  # the buckets, the one without a bound, and the sum in microseconds
_REQUESTS_AT = _WAYS_AT + len(WAYS) * _WAY
_SLOT = _REQUESTS_AT + len(ROUTE_TYPES) * len(_STATUSES)
_BYTES = 8


class Counters:
    """One worker's view of the shared memory, or with slot 0 of one slot, a test's own."""

    def __init__(self, fd: int, slots: int, slot: int = 0) -> None:
        self.fd = fd
        self._slots = slots
        self._memory = memoryview(mmap.mmap(fd, slots * _SLOT * _BYTES)).cast("Q")
        self._base = slot * _SLOT
        self._fates = {fate: self._base + index for index, fate in enumerate(FATES)}
        self._notes = {note: self._base + _NOTES_AT + index for index, note in enumerate(NOTES)}
        self._ways = {way: self._base + _WAYS_AT + index * _WAY for index, way in enumerate(WAYS)}
        self._types = {
            route_type: self._base + _REQUESTS_AT + index * len(_STATUSES) - _STATUSES.start
            for index, route_type in enumerate(ROUTE_TYPES)
        }

    @classmethod
    def create(cls, slots: int) -> "Counters":
        """Make the memory. Its descriptor is inheritable, for the workers."""
        fd = shared_file("footfall-counters")
        # Real zeros: a hole in a file on a full disk would end a worker with SIGBUS.
        os.pwrite(fd, bytes(slots * _SLOT * _BYTES), 0)
        return cls(fd, slots)

    def count(self, fate: Fate, events: int = 1) -> None:
        """Count what became of events."""
        self._memory[self._fates[fate]] += events

    def note(self, note: Note) -> None:
        """Count how an upstream answered, or what a cache held."""
        self._memory[self._notes[note]] += 1

    def shed(self) -> None:
        """Count a request that was turned away under overload."""
        self._memory[self._base + _SHED_AT] += 1

    def throttle(self) -> None:
        """Count a request that was turned away because its client had sent too many."""
        self._memory[self._base + _THROTTLED_AT] += 1

    def close_idle(self, connections: int) -> None:
        """Count connections that were closed to make room for others."""
        self._memory[self._base + _CLOSED_AT] += connections

    def hold(self, connections: int) -> None:
        """Say how many connections are open. As of now, unlike all else here."""
        self._memory[self._base + _CONNECTIONS_AT] = connections

    def observe(self, way: Way, seconds: float, answers: int = 1) -> None:
        """Put answers into the histogram of how long they took, each so many seconds."""
        first = self._ways[way]
        self._memory[first + bisect_left(BOUNDS, seconds)] += answers
        self._memory[first + _WAY - 1] += max(0, int(seconds * 1_000_000)) * answers

    def answered(self, route_type: str, status: int) -> None:
        """Count an answer. A status outside of HTTP's range counts as 599."""
        self._memory[self.place(route_type, status)] += 1

    def place(self, route_type: str, status: int) -> int:
        """Find the counter of these answers, for `answered_at`."""
        return self._types[route_type] + (status if status in _STATUSES else 599)

    def answered_at(self, place: int) -> None:
        """Count an answer."""
        self._memory[place] += 1

    def fates(self) -> dict[Fate, int]:
        """Sum up, over all workers, what became of events."""
        return {fate: self._sum(index) for index, fate in enumerate(FATES)}

    def notes(self) -> dict[Note, int]:
        """Sum up, over all workers, what the upstream side noted."""
        return {note: self._sum(_NOTES_AT + index) for index, note in enumerate(NOTES)}

    def sheds(self) -> int:
        """Sum up, over all workers, what was turned away under overload."""
        return self._sum(_SHED_AT)

    def throttles(self) -> int:
        """Sum up, over all workers, what was turned away for its client's limit."""
        return self._sum(_THROTTLED_AT)

    def closed(self) -> int:
        """Sum up, over all workers, the connections closed to make room."""
        return self._sum(_CLOSED_AT)

    def connections(self) -> list[int]:
        """Say how many connections each worker has open."""
        return [self._memory[slot * _SLOT + _CONNECTIONS_AT] for slot in range(self._slots)]

    def durations(self, way: Way) -> tuple[list[int], float]:
        """Sum up a histogram over all workers: its buckets, not cumulated, and its seconds."""
        first = _WAYS_AT + WAYS.index(way) * _WAY
        buckets = [self._sum(first + index) for index in range(len(BOUNDS) + 1)]
        return buckets, self._sum(first + _WAY - 1) / 1_000_000

    def requests(self) -> Iterator[tuple[str, int, int]]:
        """Sum up the answers over all workers, as (route type, status, answers) above zero."""
        for index, route_type in enumerate(ROUTE_TYPES):
            for status in _STATUSES:
                at = _REQUESTS_AT + index * len(_STATUSES) + status - _STATUSES.start
                if answers := self._sum(at):
                    yield route_type, status, answers

    def _sum(self, index: int) -> int:
        return sum(self._memory[slot * _SLOT + index] for slot in range(self._slots))
