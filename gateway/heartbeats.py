"""Signs of life: a process whose event loop comes round says so, in memory that all share.

A process that hangs is worse than one that is dead: it keeps the connections that it has accepted,
and nobody starts it again. So the supervisor looks whether each has beaten since its last look.
"""

import asyncio
import mmap
import os
from typing import Final, Literal, NoReturn, get_args

from gateway.shared import shared_file

End = Literal["died", "hung"]

ENDS: Final[tuple[End, ...]] = get_args(End)
LOOKS: Final = 6  # in a row without a beat, after which a process counts as hung
LOOKS_AT_START: Final = 60  # the same before its first beat, because starting may take long
_BEAT_SECONDS: Final = 0.5
_SLOT: Final = 1 + len(ENDS)
_BYTES: Final = 8


class Heartbeats:
    """The beats of some processes, each in a slot of its own, and how often each came to an end."""

    def __init__(self, fd: int, slots: int) -> None:
        self.fd = fd
        self.slots = slots
        self._memory = memoryview(mmap.mmap(fd, slots * _SLOT * _BYTES)).cast("Q")

    @classmethod
    def create(cls, slots: int) -> "Heartbeats":
        """Make the memory. Its descriptor is inheritable."""
        fd = shared_file("footfall-heartbeats")
        # Real zeros: a hole in a file on a full disk would end a process with SIGBUS.
        os.pwrite(fd, bytes(slots * _SLOT * _BYTES), 0)
        return cls(fd, slots)

    async def beat(self, slot: int) -> NoReturn:
        """Beat for as long as the event loop comes round."""
        while True:
            self._memory[slot * _SLOT] += 1
            await asyncio.sleep(_BEAT_SECONDS)

    def beats(self, slot: int) -> int:
        """Say how often a process and its forerunners have beaten."""
        return self._memory[slot * _SLOT]

    def ended(self, slot: int, end: End) -> None:
        """Count that a process came to an end that nobody asked for."""
        self._memory[slot * _SLOT + 1 + ENDS.index(end)] += 1

    def ends(self, slot: int, end: End) -> int:
        """Say how often a process came to such an end."""
        return self._memory[slot * _SLOT + 1 + ENDS.index(end)]


class Silence:
    """How long one process has been silent, measured in looks at it and not by a clock.

    Looks are some time apart, and one that comes late counts once: a machine that slept, or a group
    of processes that was stopped, has been silent for one look.
    """

    def __init__(self, seconds: float, beats: int, now: float) -> None:
        self.every = seconds / LOOKS
        self._beats = beats
        self._looked_at = now
        self._looks = 0
        self._has_begun = False

    def look(self, beats: int, now: float) -> bool:
        """Say whether the process hangs."""
        if beats != self._beats:
            self._beats, self._looks, self._has_begun = beats, 0, True
            self._looked_at = now
        elif now - self._looked_at >= self.every:
            self._looked_at = now
            self._looks += 1
        return self._looks >= (LOOKS if self._has_begun else LOOKS_AT_START)

    @property
    def seconds(self) -> float:
        """How long it has been silent at least."""
        return self._looks * self.every
