"""Whether a worker has more to do than it can: then requests with a body are turned away.

Nobody downloads with a body. Telemetry and install reports have one, are sent again or missed by
nobody, and cost a hundred times what a redirect costs; so redirects go on while these wait.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

# A beat of the event loop that comes so late means that everything else waits as long.
LATE_SECONDS: Final = 0.1
# Bodies being read or worked on at once, in one worker.
BODIES: Final = 512
RETRY_AFTER: Final = 5  # seconds that a client who is turned away is asked to wait


class Overload:
    """Judges one worker by the regularity of its event loop and the bodies it has in hand."""

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

    def beat(self) -> None:
        """Say that the event loop came round; to be called every `beat_seconds`."""
        now = self._clock()
        if self._last_beat is not None:
            self._late = now - self._last_beat - self._beat_seconds > LATE_SECONDS
        self._last_beat = now

    @property
    def takes_bodies(self) -> bool:
        """Whether there is room for one more request with a body."""
        return not self._late and self._held < self._bodies

    @contextmanager
    def body(self) -> Iterator[None]:
        """Hold a place while a body is read and answered."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
