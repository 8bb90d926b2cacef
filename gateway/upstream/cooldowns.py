"""Registries that are left alone for a while: they asked for it, or they just gave no answer."""

import datetime as dt
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import msgspec

from gateway.upstream.bounded import Bounded
from gateway.upstream.trouble import Trouble, host_of

_TOO_MANY_REQUESTS = 429
# A registry that names no time gets this one, and none is believed for longer than the other: a
# limit is often over before its time, and only asking tells.
_UNTOLD_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
# How long a registry that gave no answer is passed over for its fallbacks and for what is known.
_DOWN_SECONDS = 10.0
_REMEMBERED = 10_000


class Limited(Trouble):
    """The upstream limits how often we ask, and said so a moment ago; it is not asked now."""

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(_TOO_MANY_REQUESTS, f"{host_of(url)} limits how often it is asked")
        self.seconds = seconds


class Limit(msgspec.Struct, frozen=True):
    """What a registry limits: it may refuse manifests and still hand out blobs, or count GETs."""

    registry: str
    authorization: str | None
    endpoint: str
    method: str


class Cooldowns:
    """Remembers until when to ask nothing of whom."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limited: Bounded[Limit, float] = Bounded(_REMEMBERED)
        self._down: Bounded[str, float] = Bounded(_REMEMBERED)

    def limited(self, limit: Limit) -> float:
        """How many seconds a limit still holds; 0: none does."""
        until = self._limited.get(limit)
        return 0.0 if until is None else max(0.0, until - self._clock())

    def note_limit(self, limit: Limit, retry_after: str) -> None:
        """Take note of a 429 and of its Retry-After header, "" where it has none."""
        self._limited.put(limit, self._clock() + _seconds(retry_after))

    def is_down(self, registry: str) -> bool:
        """Whether a registry gave no answer a moment ago."""
        until = self._down.get(registry)
        return until is not None and self._clock() < until

    def note_down(self, registry: str) -> None:
        """Take note that a registry gave no answer."""
        self._down.put(registry, self._clock() + _DOWN_SECONDS)

    def note_up(self, registry: str) -> None:
        """Take note that a registry answers."""
        self._down.drop(registry)


def _seconds(retry_after: str) -> float:
    """Read Retry-After, a number of seconds or a date. Total."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # Cut first: a header may hold more digits than a number can.
        return min(float(text[:9]), _LONGEST_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return _UNTOLD_SECONDS
    if date.tzinfo is None:
        date = date.replace(tzinfo=dt.UTC)
    left = (date - dt.datetime.now(dt.UTC)).total_seconds()
    return min(max(left, 0.0), _LONGEST_SECONDS)
