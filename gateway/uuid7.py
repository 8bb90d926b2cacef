"""Event ids: UUIDv7, rising within a process whatever the clock does."""

import os
import time
from collections.abc import Callable

_VERSION = 0x7000  # before the counter's 12 bits, which rise to:
_FULL = 0x7FFF
_SEED = 0x7FF  # each millisecond's counter starts in the lower half, so it has room to rise
_POOL = 4096
# Of a first digit's four random bits, two are left beside the variant.
_VARIANT = {digit: "89ab"[number % 4] for number, digit in enumerate("0123456789abcdef")}


class Uuid7s:
    """Makes the UUIDs of one process. Make it after a fork: two copies would repeat each other."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock  # nanoseconds since the epoch
        self._tails: list[str] = []
        self._begin(0)  # so that a clock that starts before the epoch is one that went back

    def new(self) -> str:
        """Return a UUID that sorts after every earlier one of this maker."""
        now = self._clock() // 1_000_000
        if now > self._millisecond:
            self._begin(now)
        elif self._counter == _FULL:
            # The counter is full, or the clock has gone back: borrow from the future.
            self._begin(self._millisecond + 1)
        else:
            self._counter += 1
        return f"{self._head}{self._counter:x}-{self._tail()}"

    def _begin(self, millisecond: int) -> None:
        self._millisecond = millisecond
        digits = f"{millisecond:012x}"
        self._head = f"{digits[:8]}-{digits[8:]}-"  # the millisecond in digits
        self._counter = _VERSION | int(self._tail()[-3:], 16) & _SEED

    def _tail(self) -> str:
        """The random end of a UUID. One call to the kernel serves many."""
        if not self._tails:
            texts = os.urandom(_POOL).hex("-", 8).split("-")
            self._tails = [f"{_VARIANT[text[0]]}{text[1:4]}-{text[4:]}" for text in texts]
        return self._tails.pop()
