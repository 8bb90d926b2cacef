"""How many requests with a body one client may send a minute. Downloads have none, nor a limit.

The buckets are in memory that all workers share, so that who asks them in turn has no more of them.
Clients are known there by a hash of their address under a key that is nowhere else, and are
forgotten when they have been quiet for a minute.

Nobody waits for a lock. Two workers that meet in one place may lose one of two requests from the
count, or take the one client for the other until its minute is over: neither harms anybody.
"""

import hashlib
import math
import mmap
import os
import time
from collections.abc import Callable
from typing import Final

from gateway.proxies import parse_address

# A client has its place in one of so many rows, given by its hash, in any column. Where all are
# taken, the one with the least to lose makes room, so that strangers cannot fill the memory.
ROWS: Final = 8192
COLUMNS: Final = 8
# In place of a descriptor: memory of this process alone.
ALONE: Final = -1

_MINUTE: Final = 60.0
# Bytes of an IPv6 address that one client has, who may change the others. IPv4's are fewer.
_NETWORK: Final = 8
_KEY: Final = 32
_WORD: Final = 8
# Less than any pace, and more than what is lost where times are added up.
_TOLERANCE: Final = 1e-6
# Rows that are looked through at a time for who can be forgotten.
_SWEEP: Final = 64


class Rates:
    """A bucket of requests for each client, which fills again at an even pace."""

    def __init__(
        self,
        per_minute: int,
        fd: int = ALONE,
        *,
        rows: int = ROWS,
        clock: Callable[[], float] = time.monotonic,  # the same in every process
    ) -> None:
        self._pace = _MINUTE / per_minute if per_minute else 0.0  # seconds that a request costs
        self._rows = rows
        self._clock = clock
        memory = mmap.mmap(fd, size(rows))
        if fd == ALONE:
            memory[:_KEY] = os.urandom(_KEY)
        self._keyed = hashlib.blake2b(key=memory[:_KEY], digest_size=_WORD, person=b"rates")
        words = memoryview(memory)[_KEY:]
        half = len(words) // 2
        self._clients = words[:half].cast("Q")  # 0: a free place
        self._full_at = words[half:].cast("d")  # when a bucket will be full, if nothing is taken
        self._swept = 0

    def take(self, address: str) -> int:
        """Take one request. 0 is yes; else it is the seconds after which there is one again."""
        parsed = parse_address(address)
        # From loopback comes a front whose word on addresses is not believed: it is everybody.
        if not self._pace or parsed is None or parsed.is_loopback:
            return 0
        hasher = self._keyed.copy()
        hasher.update(parsed.packed[:_NETWORK])
        client = int.from_bytes(hasher.digest()) or 1
        now = self._clock()
        place = self._place(client)
        full_at = self._full_at[place] if self._clients[place] == client else 0.0
        full_at = max(full_at, now) + self._pace
        empty_for = full_at - now - _MINUTE
        if empty_for > _TOLERANCE:
            return math.ceil(empty_for)
        self._full_at[place] = full_at
        self._clients[place] = client
        return 0

    def forget(self) -> None:
        """Forget clients who have sent nothing for a minute; to be called often, as it does a bit.

        Their buckets are full, so it changes no answer.
        """
        now = self._clock()
        until = min(self._swept + _SWEEP, self._rows)
        for place in range(self._swept * COLUMNS, until * COLUMNS):
            if self._clients[place] and self._full_at[place] <= now:
                self._clients[place] = 0
                self._full_at[place] = 0.0
        self._swept = until % self._rows

    def _place(self, client: int) -> int:
        """Find a client's place, or the one that it gets."""
        first = client % self._rows * COLUMNS
        row = range(first, first + COLUMNS)
        for place in row:
            if self._clients[place] == client:
                return place
        return min(row, key=self._full_at.__getitem__)


def size(rows: int = ROWS) -> int:
    """Count the bytes of the memory."""
    return _KEY + 2 * _WORD * rows * COLUMNS


def shared() -> int:
    """Make memory for all workers, with a new key; return its descriptor, which is inheritable.

    Where a system has no files that are nowhere but in memory it is ALONE, and the workers have
    limits of their own: a key on a disk would be worse.
    """
    if not hasattr(os, "memfd_create"):
        return ALONE
    fd = os.memfd_create("footfall-rates", 0)
    # Real zeros, so that all of the memory is there from now on.
    os.pwrite(fd, os.urandom(_KEY) + bytes(size() - _KEY), 0)
    os.set_inheritable(fd, True)
    return fd


def inherited(fd: int) -> tuple[int, ...]:
    """Name the descriptor that a worker needs, if it needs one."""
    return () if fd == ALONE else (fd,)
