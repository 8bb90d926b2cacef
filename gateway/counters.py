"""Counters that every worker writes and the admin port reads: numbers in shared memory, no files.

Each worker has a slot of its own, so that nobody waits for a lock and nothing is counted twice. The
supervisor owns the memory; a worker that comes back goes on counting where its forerunner died.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator
from typing import Literal, get_args

from gateway.events import RouteType

# What became of an event. Each but the first two is a loss, by its reason.
Fate = Literal["journaled", "unrecorded", "no-space", "read-only", "disk", "error"]

FATES: tuple[Fate, ...] = get_args(Fate)
# "none" is a request that no route took.
ROUTE_TYPES: tuple[str, ...] = (*get_args(RouteType), "none")
_STATUSES = range(100, 600)

_REQUESTS_AT = len(FATES)
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
        self._types = {
            route_type: self._base + _REQUESTS_AT + index * len(_STATUSES) - _STATUSES.start
            for index, route_type in enumerate(ROUTE_TYPES)
        }

    @classmethod
    def create(cls, slots: int) -> "Counters":
        """Make the memory. Its descriptor is inheritable, for the workers."""
        if hasattr(os, "memfd_create"):
            fd = os.memfd_create("footfall-counters", 0)
        else:
            with tempfile.TemporaryFile() as file:
                fd = os.dup(file.fileno())
        # Real zeros: a hole in a file on a full disk would end a worker with SIGBUS.
        os.pwrite(fd, bytes(slots * _SLOT * _BYTES), 0)
        os.set_inheritable(fd, True)
        return cls(fd, slots)

    def count(self, fate: Fate, events: int = 1) -> None:
        """Count what became of events."""
        self._memory[self._fates[fate]] += events

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

    def requests(self) -> Iterator[tuple[str, int, int]]:
        """Sum up the answers over all workers, as (route type, status, answers) above zero."""
        for index, route_type in enumerate(ROUTE_TYPES):
            for status in _STATUSES:
                at = _REQUESTS_AT + index * len(_STATUSES) + status - _STATUSES.start
                if answers := self._sum(at):
                    yield route_type, status, answers

    def _sum(self, index: int) -> int:
        return sum(self._memory[slot * _SLOT + index] for slot in range(self._slots))
