"""Counts of durations, so that millions need no memory of their own."""

from array import array
from bisect import bisect_left
from itertools import accumulate

_STEPS = 100_000  # a second, so that one is ten microseconds
_LONGEST = 10  # seconds; what is longer counts as this


class Durations:
    """How often each duration was met."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * (_STEPS * _LONGEST + 1)))
        self._highest = 0

    def note(self, seconds: float) -> None:
        """Count one."""
        step = min(max(0, int(seconds * _STEPS)), _STEPS * _LONGEST)
        self._counts[step] += 1
        self._highest = max(self._highest, step)

    def quantile(self, share: float) -> float:
        """Milliseconds within which that share of them lies; 0 where there are none."""
        used = self._counts[: self._highest + 1]
        wanted = share * sum(used)
        if not wanted:
            return 0.0
        step = bisect_left(list(accumulate(used)), wanted)
        return 1000 * (step + 1) / _STEPS

    def clear(self) -> None:
        """Begin anew."""
        self._counts[: self._highest + 1] = array("Q", bytes(8 * (self._highest + 1)))
        self._highest = 0
