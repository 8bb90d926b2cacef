"""Fast connections: as many redirects as there can be, or so many a second.

Latency counts from when a request was due, so that a gateway which stops cannot hide it. How late
this process itself comes round is reported beside it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.load.durations import Durations
from benchmarks.load.process import Pipe, told
from tests.chaos.load import DOMAIN

HERE = "127.0.0.1"
CONNECTIONS = 64
_REDIRECTED = b"HTTP/1.1 307"
_ROUNDS = 4
_PULSE = 0.001  # seconds between two looks at what is due
_LAST_ANSWERS_SECONDS = 20.0


@dataclass(frozen=True)
class FindCeiling:
    """Ask again at every answer; answered with answers a second."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Ask so often; answered with an `Interval` each, and at the end with None."""

    rate: float
    seconds: float
    interval: float


@dataclass(frozen=True)
class Finish:
    """Answered with a `Total`."""


@dataclass(frozen=True)
class Interval:
    """What was measured since the last one."""

    answers: float  # a second
    p50: float  # milliseconds
    p99: float
    late: float  # 99th percentile of how late the client came round, milliseconds


@dataclass(frozen=True)
class Total:
    """All there was."""

    answers: int
    wrong: int  # answers that are no redirect, and connections that ended


async def run(pipe: Pipe, port: int) -> None:
    """Do as told until told to finish."""
    fast = Fast()
    await fast.connect(port)
    while True:
        match await told(pipe):
            case FindCeiling(seconds):
                pipe.send(await fast.ceiling(seconds))
            case Hold() as hold:
                await fast.hold(hold, pipe.send)
                pipe.send(None)
            case Finish():
                pipe.send(fast.finish())
                return


class _Asker(asyncio.Protocol):
    """One connection that asks when it is told to."""

    def __init__(
        self, requests: Sequence[bytes], on_answer: Callable[["_Asker", float, bool], None]
    ) -> None:
        self._requests = requests
        self._next = 0
        self._due = 0.0
        self._on_answer = on_answer
        self.is_lost = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self, due: float) -> None:
        self._due = due
        self._next = (self._next + 1) % len(self._requests)
        self.transport.write(self._requests[self._next])

    def data_received(self, data: bytes) -> None:
        # A redirect has no body, and comes in one piece.
        self._on_answer(self, time.perf_counter() - self._due, data.startswith(_REDIRECTED))

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_lost = True


class Fast:
    """All connections."""

    def __init__(self) -> None:
        self._askers: list[_Asker] = []
        self._idle: deque[_Asker] = deque()
        self._again: Callable[[_Asker], None] = self._idle.append
        self._latencies = Durations()
        self._lateness = Durations()
        self._answers = self._wrong = 0

    async def connect(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(CONNECTIONS):
            requests = [
                f"GET /tool/1.{number}/m{n} HTTP/1.1\r\nHost: {DOMAIN}\r\nUser-Agent: curl/8\r\n"
                "\r\n".encode()
                for n in range(50)
            ]
            _, asker = await loop.create_connection(
                partial(_Asker, requests, self._answered), HERE, port
            )
            self._askers.append(asker)
            self._idle.append(asker)

    def finish(self) -> Total:
        # The gateway has no reason to end any of them, or to leave one without its answer.
        lost = sum(asker.is_lost for asker in self._askers)
        silent = len(self._askers) - len(self._idle)
        return Total(self._answers, self._wrong + max(lost, silent))

    async def ceiling(self, seconds: float) -> float:
        """Return the slowest of some rounds, which is what can be held.

        Long enough for the shipping of what was journaled to take its part.
        """

        def again(asker: _Asker) -> None:
            if time.perf_counter() < end:
                asker.ask(time.perf_counter())
            else:
                self._idle.append(asker)

        rounds = []
        self._again = again
        for _ in range(_ROUNDS):
            before, started = self._answers, time.perf_counter()
            end = started + seconds / _ROUNDS
            for _ in range(len(self._idle)):
                self._idle.popleft().ask(time.perf_counter())
            await self._all_idle()
            rounds.append((self._answers - before) / (time.perf_counter() - started))
        return min(rounds[1:])  # by the second both sides are warm

    async def hold(self, hold: Hold, report: Callable[[Interval], None]) -> None:
        """Ask so often, whether or not the gateway keeps up."""
        asked = 0
        answers = self._answers
        self._latencies.clear()
        self._lateness.clear()
        start = now = time.perf_counter()
        next_report = start + hold.interval

        def ask_or_wait(asker: _Asker) -> None:
            nonlocal asked
            if asked < hold.rate * min(time.perf_counter() - start, hold.seconds):
                asker.ask(start + asked / hold.rate)
                asked += 1
            else:
                self._idle.append(asker)

        self._again = ask_or_wait
        while now < start + hold.seconds:
            for _ in range(len(self._idle)):
                ask_or_wait(self._idle.popleft())
            await asyncio.sleep(_PULSE)
            before, now = now, time.perf_counter()
            self._lateness.note(now - before - _PULSE)
            if now >= next_report:
                next_report += hold.interval
                report(self._interval((self._answers - answers) / hold.interval))
                answers = self._answers
                now = time.perf_counter()  # adding up takes its time, which is not lateness
        await self._all_idle()

    def _interval(self, rate: float) -> Interval:
        interval = Interval(
            answers=rate,
            p50=self._latencies.quantile(0.5),
            p99=self._latencies.quantile(0.99),
            late=self._lateness.quantile(0.99),
        )
        self._latencies.clear()
        self._lateness.clear()
        return interval

    def _answered(self, asker: _Asker, seconds: float, is_redirect: bool) -> None:  # noqa: FBT001 a callback
        self._latencies.note(seconds)
        self._answers += 1
        self._wrong += not is_redirect
        self._again(asker)

    async def _all_idle(self) -> None:
        deadline = time.perf_counter() + _LAST_ANSWERS_SECONDS
        while len(self._idle) < len(self._askers) and time.perf_counter() < deadline:  # noqa: ASYNC110 events cost
            await asyncio.sleep(_PULSE)
