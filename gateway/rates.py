"""How many requests with a body one client may send a minute. Downloads have none, nor a limit.

Clients are known by a hash of their address under a key that never leaves this process, and only in
memory.
"""

import hashlib
import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.proxies import parse_address

# Clients remembered. One who is forgotten begins anew, so that strangers cannot fill the memory.
CLIENTS: Final = 50_000

_MINUTE: Final = 60.0
# Bytes of an IPv6 address that one client has, who may change the others. IPv4's are fewer.
_NETWORK: Final = 8


class Rates:
    """A bucket of requests for each client of one worker, which fills again at an even pace."""

    def __init__(
        self,
        per_minute: int,
        *,
        clients: int = CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute = float(per_minute)
        self._clients = clients
        self._clock = clock
        self._keyed = hashlib.blake2b(key=os.urandom(32), digest_size=8, person=b"rates")
        # What is left in each bucket, and when that was so; who asked last is last.
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int:
        """Take one request. 0 is yes; else it is the seconds after which there is one again."""
        parsed = parse_address(address)
        # From loopback comes a front whose word on addresses is not believed: it is everybody.
        if not self._per_minute or parsed is None or parsed.is_loopback:
            return 0
        hasher = self._keyed.copy()
        hasher.update(parsed.packed[:_NETWORK])
        client = hasher.digest()
        now = self._clock()
        left, at = self._buckets.pop(client, (self._per_minute, now))
        pace = self._per_minute / _MINUTE
        left = min(self._per_minute, left + (now - at) * pace)
        taken = left >= 1
        self._buckets[client] = (left - taken, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return 0 if taken else max(1, math.ceil((1 - left) / pace))
