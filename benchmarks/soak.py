"""Load held at 80 % of the ceiling: latency, memory and descriptors over time, and no event lost.

    make soak                                  a minute
    python benchmarks/soak.py --minutes 30

Client and gateway share the machine, so the ceiling is that of both together. Connections that are
idle or send a byte a second are open all the while. Latency counts from when a request was due, so
that a gateway which stops cannot hide it. At the end, telemetry floods the gateway, and redirects
must go on.
"""

import asyncio
import json
import resource
import shutil
import sys
import tempfile
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import polars as pl
import uvloop

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.chaos.load import DOMAIN, ROUTES
from tests.chaos.system import System

HERE = "127.0.0.1"
CONNECTIONS = 64
SHARE = 0.8
CEILING_SECONDS = 3.0
FLOOD_SECONDS = 3.0
_REDIRECTED = b"HTTP/1.1 307"
# As far as memory may move after the first third, for caches that fill.
_GROWTH, _GROWTH_BYTES = 1.10, 12 * 1024 * 1024
_DESCRIPTORS = 16


@dataclass
class Sample:
    """One interval."""

    answers: float  # a second
    p50: float  # milliseconds
    p99: float
    memory: dict[str, int]  # bytes of each process
    descriptors: dict[str, int]


@dataclass
class Outcome:
    """What a soak has measured."""

    ceiling: float = 0  # answers a second
    samples: list[Sample] = field(default_factory=list)
    slow: int = 0  # connections held open
    acknowledged: int = 0
    rows: int = 0
    wrong: int = 0  # answers that are no redirect
    flood: Counter[int] = field(default_factory=Counter)  # telemetry by status
    flood_p99: float = 0  # of redirects meanwhile, milliseconds

    def faults(self) -> list[str]:
        """What must not be."""
        found = []
        if self.acknowledged != self.rows:
            found.append(f"{self.acknowledged:,} acknowledged, {self.rows:,} rows in the lake")
        if self.wrong:
            found.append(f"{self.wrong:,} answers are no redirects")
        third, last = self.samples[len(self.samples) // 3], self.samples[-1]
        for name, before in third.memory.items():
            if last.memory[name] > before * _GROWTH + _GROWTH_BYTES:
                found.append(f"{name} grew from {before >> 20} to {last.memory[name] >> 20} MB")
            if last.descriptors[name] > third.descriptors[name] + _DESCRIPTORS:
                found.append(f"{name} opened {last.descriptors[name]} descriptors")
        return found


class Asker(asyncio.Protocol):
    """One connection that asks when it is told to, and notes how long the answer took."""

    def __init__(self, requests: Sequence[bytes], on_answer: Callable[["Asker"], None]) -> None:
        self._requests = requests
        self._next = 0
        self._due = 0.0
        self._closed = False
        self.on_answer = on_answer
        self.latencies = array("d")
        self.answers = self.wrong = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, due: float) -> None:
        self._due = due
        self._next = (self._next + 1) % len(self._requests)
        self._transport.write(self._requests[self._next])  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        # A redirect has no body, and comes in one piece.
        self.latencies.append(time.perf_counter() - self._due)
        self.answers += 1
        self.wrong += not data.startswith(_REDIRECTED)
        self.on_answer(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.wrong += not self._closed  # the gateway has no reason to

    def close(self) -> None:
        self._closed = True
        self._transport.close()


class Soak:
    """One soak of one system."""

    def __init__(self, system: System, outcome: Outcome) -> None:
        self._system = system
        self._outcome = outcome
        self._askers: list[Asker] = []
        self._idle: deque[Asker] = deque()

    async def run(self, seconds: float, slow: int, interval: float) -> None:
        await self._connect()
        slow_ones = [asyncio.create_task(self._slow(number)) for number in range(slow)]
        self._outcome.slow = slow
        self._outcome.ceiling = await self._measure_ceiling(
            min(60.0, max(CEILING_SECONDS, seconds / 4))
        )
        rate = SHARE * self._outcome.ceiling
        self._taken()
        paced = asyncio.create_task(self._pace(rate, seconds))
        while not paced.done():
            before = self._answers()
            await asyncio.wait([paced], timeout=interval)
            latencies = self._taken()
            if not paced.done() or not self._outcome.samples:
                answers = (self._answers() - before) / interval
                self._outcome.samples.append(self._sample(answers, latencies))
        await paced
        await self._flood(rate / 4)
        for task in slow_ones:
            task.cancel()
        await asyncio.gather(*slow_ones, return_exceptions=True)
        self._outcome.acknowledged += self._answers()
        self._outcome.wrong += sum(asker.wrong for asker in self._askers)
        for asker in self._askers:
            asker.close()
        await asyncio.sleep(0.1)  # until they are closed

    def _answers(self) -> int:
        return sum(asker.answers for asker in self._askers)

    def _taken(self) -> "array[float]":
        """Take the latencies since the last time."""
        latencies = array("d")
        for asker in self._askers:
            latencies += asker.latencies
            asker.latencies = array("d")
        return latencies

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        for number in range(CONNECTIONS):
            requests = [
                f"GET /tool/1.{number}/m{n} HTTP/1.1\r\nHost: {DOMAIN}\r\nUser-Agent: curl/8\r\n"
                "\r\n".encode()
                for n in range(50)
            ]
            _, asker = await loop.create_connection(
                lambda requests=requests: Asker(requests, self._idle.append),
                HERE,
                self._system.port,
            )
            self._askers.append(asker)
            self._idle.append(asker)

    async def _measure_ceiling(self, seconds: float) -> float:
        """Ask again at every answer, in rounds; the slowest is what can be held.

        Long enough for the shipping of what was journaled to take its part.
        """

        def again(asker: Asker) -> None:
            if time.perf_counter() < end:
                asker.ask(time.perf_counter())
            else:
                self._idle.append(asker)

        rounds = []
        for asker in self._askers:
            asker.on_answer = again
        for _ in range(4):
            before, started = self._answers(), time.perf_counter()
            end = started + seconds / 4
            while self._idle:
                self._idle.popleft().ask(time.perf_counter())
            await self._all_idle()
            rounds.append((self._answers() - before) / (time.perf_counter() - started))
        return min(rounds[1:])  # by the second both sides are warm

    async def _pace(self, rate: float, seconds: float) -> None:
        """Ask so often, whether or not the gateway keeps up."""
        start, asked, total = time.perf_counter(), 0, int(rate * seconds)

        def ask_or_wait(asker: Asker) -> None:
            nonlocal asked
            if asked < min(total, rate * (time.perf_counter() - start)):
                asker.ask(start + asked / rate)
                asked += 1
            else:
                self._idle.append(asker)

        for asker in self._askers:
            asker.on_answer = ask_or_wait
        while asked < total:
            for _ in range(len(self._idle)):
                ask_or_wait(self._idle.popleft())
            await asyncio.sleep(0.001)
        await self._all_idle()

    async def _all_idle(self) -> None:
        while len(self._idle) < len(self._askers):  # noqa: ASYNC110 events cost
            await asyncio.sleep(0.001)

    async def _slow(self, number: int) -> None:
        """Hold a connection: every other one idle, the rest a byte a second."""
        while True:
            try:
                reader, writer = await asyncio.open_connection(HERE, self._system.port)
                try:
                    if number % 2:
                        await reader.read(1)
                    for byte in b"GET /tool/1.0/slow HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 3600:
                        writer.write(bytes((byte,)))
                        await writer.drain()
                        await asyncio.sleep(1)
                finally:
                    writer.close()
            except OSError:
                await asyncio.sleep(0.2)

    async def _flood(self, rate: float) -> None:
        """Send telemetry from as many connections, without a pause, while redirects go on."""
        events = b"".join(json.dumps({"n": n, "text": "x" * 60}).encode() for n in range(100))
        head = (
            f"POST /telemetry HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {len(events)}\r\n\r\n"
        )
        end = time.perf_counter() + FLOOD_SECONDS

        async def send() -> None:
            while time.perf_counter() < end:
                reader, writer = await asyncio.open_connection(HERE, self._system.port)
                try:
                    while time.perf_counter() < end:
                        writer.write(head.encode() + events)
                        answer = await reader.readuntil(b"\r\n\r\n")
                        length = answer.lower().partition(b"content-length:")[2].split()[0]
                        await reader.readexactly(int(length))
                        status = int(answer.split()[1])
                        self._outcome.flood[status] += 1
                        self._outcome.acknowledged += 100 * (status == 200)
                except (OSError, EOFError):
                    pass  # turned away, which closes the connection
                finally:
                    writer.close()

        self._taken()
        await asyncio.gather(self._pace(rate, FLOOD_SECONDS), *(send() for _ in range(CONNECTIONS)))
        self._outcome.flood_p99 = _quantile(sorted(self._taken()), 0.99)

    def _sample(self, answers: float, latencies: "array[float]") -> Sample:
        ordered = sorted(latencies)
        processes = {
            f"{kind} {pid}": pid
            for kind in ("worker", "keeper")
            for pid in self._system.children(kind)
        }
        return Sample(
            answers=answers,
            p50=_quantile(ordered, 0.5),
            p99=_quantile(ordered, 0.99),
            memory={name: _memory(pid) for name, pid in processes.items()},
            descriptors={
                name: len(list(Path(f"/proc/{pid}/fd").iterdir()))
                for name, pid in processes.items()
            },
        )


def soak(home: Path, *, seconds: float, slow: int, interval: float) -> Outcome:
    """Soak a gateway on a lake in `home`, and count its rows in the end."""
    _raise_limit(slow + 1000)
    system = System(home, ROUTES, pipeline=False)
    outcome = Outcome()
    try:
        system.await_answer()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(Soak(system, outcome).run(seconds, slow, interval))
        system.stop("gateway")
    finally:
        system.destroy()
    files = sorted(system.lake.glob("raw/*/*.parquet"))
    rows = pl.scan_parquet(files, hive_partitioning=False).select(pl.len()).collect()
    outcome.rows = rows.item()
    return outcome


def report(outcome: Outcome) -> str:
    """Write the outcome for a person."""
    names = list(outcome.samples[0].memory)
    lines = [
        f"ceiling {outcome.ceiling:,.0f}/s, held {SHARE:.0%}, {outcome.slow:,} slow connections",
        f"{'':4}{'answers/s':>10}{'p50 ms':>10}{'p99 ms':>10}  "
        + "".join(f"{name:>22}" for name in names),
    ]
    for number, sample in enumerate(outcome.samples, 1):
        parts = (
            f"{sample.memory[name] >> 20} MB {sample.descriptors[name]} fds".rjust(22)
            for name in names
        )
        lines.append(
            f"{number:4}{sample.answers:10,.0f}{sample.p50:10.2f}{sample.p99:10.2f}  "
            + "".join(parts)
        )
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(outcome.flood.items()))
    lines += [
        f"flood of telemetry: {statuses}; redirects meanwhile: p99 {outcome.flood_p99:.1f} ms",
        f"acknowledged {outcome.acknowledged:,}, rows {outcome.rows:,}, wrong {outcome.wrong:,}",
        *(f"FAULT: {fault}" for fault in outcome.faults()),
    ]
    return "\n".join(lines)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def _raise_limit(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="How long to hold the load.")
@click.option("--slow", default=4000, show_default=True, help="Slow connections held open.")
def main(*, minutes: float, slow: int) -> None:
    """Report; the status is 1 when something leaks, is lost or is refused."""
    home = Path(tempfile.mkdtemp(prefix="footfall-soak-"))
    seconds = 60 * minutes
    outcome = soak(home, seconds=seconds, slow=slow, interval=max(2.0, seconds / 15))
    click.echo(report(outcome))
    shutil.rmtree(home)
    sys.exit(1 if outcome.faults() else 0)


if __name__ == "__main__":
    main()
