"""Whether a worker has more to do than it can: then requests with a body are turned away.

Nobody downloads with a body. Telemetry and install reports have one, are sent again or missed by
nobody, and cost a hundred times what a redirect costs; so redirects go on while these wait.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

# A beat of the event loop that comes so late means that everything else waits as long.
LATE_SECONDS: Final = 0.1
# Bodies being read or worked on at once, in one worker.
BODIES: Final = 512
SHARE: Final = 0.5  # of a worker's time that requests with a body may take,
WINDOW: Final = 1.0  # looked at over so many seconds
RETRY_AFTER: Final = 5  # seconds that a client who is turned away is asked to wait

_ALLOWED = SHARE * WINDOW
# One that took long, such as one that asked an upstream, turns others away for a window at most.
_LONGEST_DEBT = 2 * _ALLOWED


class Overload:
    """Judges one worker by its event loop, and by the bodies that it has in hand."""

    def __init__(
        self,
        beat_seconds: float,
        *,
        bodies: int = BODIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._beat_seconds = beat_seconds
        self._bodies = bodies
        self._clock = clock
        self._last_beat: float | None = None
        self._late = False
        self._held = 0
        # Seconds spent on bodies beyond their share of the time until `_spent_at`.
        self._spent, self._spent_at = 0.0, clock()
        self._turn_is_taken = False
        self._line: deque[asyncio.Future[None]] = deque()  # who waits for a turn

    def beat(self) -> None:
        """Say that the event loop came round; to be called every `beat_seconds`."""
        now = self._clock()
        if self._last_beat is not None:
            self._late = now - self._last_beat - self._beat_seconds > LATE_SECONDS
        self._last_beat = now

    @property
    def takes_bodies(self) -> bool:
        """Whether there is room for one more request with a body."""
        if self._late or self._held >= self._bodies:
            return False
        return self._owed(self._clock()) < _ALLOWED

    @contextmanager
    def body(self) -> Iterator[None]:
        """Hold a place while a body is read and answered."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    async def turn(self) -> None:
        """Wait for a turn of the event loop in which no other body is worked on.

        Whatever else has come meanwhile is answered between two bodies, however many are here.
        """
        loop = asyncio.get_running_loop()
        if self._turn_is_taken:
            waiting = loop.create_future()
            self._line.append(waiting)
            await waiting
        else:
            self._turn_is_taken = True
            loop.call_soon(self._next_turn, loop)

    def _next_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._line:
            waiting = self._line.popleft()
            if not waiting.done():  # its connection was not lost
                waiting.set_result(None)
                loop.call_soon(self._next_turn, loop)
                return
        self._turn_is_taken = False

    @contextmanager
    def work(self) -> Iterator[None]:
        """Measure what a body costs once it is here."""
        began = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            self._spent = min(_LONGEST_DEBT, self._owed(now) + now - began)
            self._spent_at = now

    def _owed(self, now: float) -> float:
        return max(0.0, self._spent - SHARE * (now - self._spent_at))
