"""Event ids: UUIDv7, rising within a process whatever the clock does."""

import os
import time
from collections.abc import Callable

_COUNTER_BITS = 12
_SEED_BITS = 11  # each millisecond's counter starts in the lower half, so it has room to rise
_POOL = 4096


class Uuid7s:
    """Makes the UUIDs of one process. Make it after a fork: two copies would repeat each other."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock  # nanoseconds since the epoch
        self._millisecond = 0
        self._counter = 0
        self._pool = b""
        self._used = 0

    def new(self) -> str:
        """Return a UUID that sorts after every earlier one of this maker."""
        now = self._clock() // 1_000_000
        random = self._random64()
        if now > self._millisecond:
            self._millisecond = now
            self._counter = random >> (64 - _SEED_BITS)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                # The counter is full, or the clock has gone back: borrow from the future.
                self._millisecond += 1
                self._counter = random >> (64 - _SEED_BITS)
        high = self._millisecond << 16 | 0x7000 | self._counter
        low = 0x8000000000000000 | (random & 0x3FFFFFFFFFFFFFFF)
        digits = f"{high:016x}{low:016x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def _random64(self) -> int:
        # One call to the kernel serves many ids.
        if self._used + 8 > len(self._pool):
            self._pool = os.urandom(_POOL)
            self._used = 0
        chunk = self._pool[self._used : self._used + 8]
        self._used += 8
        return int.from_bytes(chunk)
