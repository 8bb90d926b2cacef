"""Slow connections, held open by the thousand: they say nothing, or a byte now and then.

Of four, one never sends a byte, one has had an answer and is kept, and two send a request byte by
byte. One that the gateway closes is opened again.
"""

import asyncio
import resource
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from benchmarks.load.process import Pipe, told

HERE = "127.0.0.1"
BYTE_SECONDS = 10.0  # between two bytes of one connection
_TICK = 0.02
# More than the gateway closes, and no storm; together after a pause, but not all at once.
_OPENED_A_SECOND = 1000.0
_OPENED_TOGETHER = 100
_RESERVE = 200  # descriptors for all else
# No route takes it, so that there is no event.
_ASK = b"GET /no/such HTTP/1.1\r\nHost: x\r\n\r\n"
_TRICKLE = b"GET /no/such HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 3600


@dataclass(frozen=True)
class Count:
    """Answered with a `Crowd`."""


@dataclass(frozen=True)
class Crowd:
    """What is held."""

    connections: int
    opened: int  # since the start

    def __add__(self, other: "Crowd") -> "Crowd":
        return Crowd(self.connections + other.connections, self.opened + other.opened)


def shares(connections: int) -> list[int]:
    """Part connections among so many processes that each may open its share."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = connections if hard == resource.RLIM_INFINITY else hard - _RESERVE
    # Two at least, where there are many, so that opening them is nobody's bottleneck.
    processes = max(2 if connections > 1000 else 1, -(-connections // room))
    return [connections // processes + (n < connections % processes) for n in range(processes)]


async def run(pipe: Pipe, port: int, connections: int, source: str) -> None:
    """Hold them until the pipe ends, and say how many there are when asked."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    slow = Slow(port, source)
    holding = asyncio.create_task(slow.hold(connections))
    try:
        while True:
            await told(pipe)
            pipe.send(slow.crowd())
    finally:
        holding.cancel()


class _Connection(asyncio.Protocol):
    """One connection. `sent` counts the bytes of one that trickles."""

    def __init__(self, slow: "Slow", number: int) -> None:
        self._slow = slow
        self.number = number
        self.sent = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._slow.made(self)
        if self.number % 4 == 1:
            self.transport.write(_ASK)

    def trickle(self) -> None:
        self.transport.write(_TRICKLE[self.sent : self.sent + 1])
        self.sent += 1

    def connection_lost(self, _error: Exception | None) -> None:
        self._slow.lost(self)


class Slow:
    """All connections of this process."""

    def __init__(self, port: int, source: str) -> None:
        self._port = port
        self._source = source
        self._open: dict[int, _Connection] = {}
        self._missing: deque[int] = deque()
        self._opened = 0

    def crowd(self) -> Crowd:
        return Crowd(len(self._open), self._opened)

    def made(self, connection: _Connection) -> None:
        self._open[connection.number] = connection
        self._opened += 1

    def lost(self, connection: _Connection) -> None:
        del self._open[connection.number]
        self._missing.append(connection.number)

    async def hold(self, connections: int) -> None:
        self._missing.extend(range(connections))
        trickling: deque[int] = deque(n for n in range(connections) if n % 4 >= 2)
        a_second = len(trickling) / BYTE_SECONDS
        start = looked = time.perf_counter()
        sent = 0
        while True:
            before, looked = looked, time.perf_counter()
            may = min(_OPENED_TOGETHER, int(_OPENED_A_SECOND * (looked - before)) + 1)
            numbers = [self._missing.popleft() for _ in range(min(may, len(self._missing)))]
            await asyncio.gather(*(self._connect(number) for number in numbers))
            while sent < a_second * (time.perf_counter() - start):
                sent += 1
                trickling.rotate(-1)
                if connection := self._open.get(trickling[0]):
                    connection.trickle()
            await asyncio.sleep(_TICK)

    async def _connect(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: _Connection(self, number), HERE, self._port, local_addr=(self._source, 0)
            )
        except OSError:
            self._missing.append(number)
