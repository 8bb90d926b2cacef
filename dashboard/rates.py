"""How much one client of the API may ask: requests a minute, and exports at once.

Clients with a token are known by its name, others by a hash of their address under a key that never
leaves this process. Nothing of it is logged or stored.
"""

import hashlib
import math
import os
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

# Clients remembered. One who is forgotten begins anew, so that strangers cannot fill the memory.
CLIENTS: Final = 10_000
# Each holds a file and a thread, at its client's pace.
EXPORTS: Final = 4
EXPORTS_RETRY_AFTER: Final = 5  # seconds

MINUTE: Final = 60.0


class TooManyExportsError(Exception):
    """The client has as many exports under way as it may have."""


class Rates:
    """A bucket of requests for each client, which fills again at an even pace."""

    def __init__(
        self,
        per_minute: int,
        *,
        clients: int = CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute = per_minute
        self._clients = clients
        self._clock = clock
        self._key = os.urandom(32)
        # What is left in each bucket, and when that was so; who asked last is last.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._exports: Counter[str] = Counter()

    def client(self, token: str | None, address: str) -> str:
        """Name a client by its token's name, else by its address, hashed."""
        if token is not None:
            return f"token {token}"
        return hashlib.blake2b(address.encode(), key=self._key, digest_size=16).hexdigest()

    def take(self, client: str) -> int:
        """Take one request. 0 is yes; else it is the seconds after which there is one again."""
        if self._per_minute == 0:
            return 0
        now = self._clock()
        left, at = self._buckets.pop(client, (float(self._per_minute), now))
        pace = self._per_minute / MINUTE
        left = min(float(self._per_minute), left + (now - at) * pace)
        taken = left >= 1
        self._buckets[client] = (left - taken, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return 0 if taken else max(1, math.ceil((1 - left) / pace))

    @contextmanager
    def export(self, client: str) -> Iterator[None]:
        """Hold a place for an export. Raises TooManyExportsError where there is none."""
        if self._exports[client] >= EXPORTS:
            raise TooManyExportsError
        self._exports[client] += 1
        try:
            yield
        finally:
            self._exports[client] -= 1
            if self._exports[client] == 0:
                del self._exports[client]
