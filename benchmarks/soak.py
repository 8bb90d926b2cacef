"""Load held at 80 % of the ceiling: latency, memory and descriptors over time, and no event lost.

    make soak                                  a minute
    python benchmarks/soak.py --minutes 30

The clients are processes of their own, on the gateway's machine, so the ceiling is that of both
together. Slow connections are open all the while. At the end, telemetry floods the gateway, and
redirects must go on.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.load import fast, flood, slow
from benchmarks.load.outcome import DESCRIPTORS, SHARE, Outcome, Sample, describe, report
from benchmarks.load.process import Pipe, client
from benchmarks.load.rows import Rows
from tests.chaos.load import ROUTES
from tests.chaos.system import System

# The gateway closes those that have been slow for too long, which come again.
NEARLY_ALL = 0.97
FLOOD_BODIES = 1000.0  # a second, each of a hundred events
# The rows of the last minute or so, the journal, and whatever else the machine does.
_FREE_BYTES = 4 * 1024**3
_WAIT_SECONDS = 120.0
_MEGABYTE = 1024 * 1024

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much of what."""

    seconds: float  # in which the load is held
    slow: int = 20_000  # connections
    interval: float = 30.0  # seconds of one sample
    # The gateway closes slow connections after twenty seconds: the ceiling is that of when they
    # have begun to come again.
    probe: float = 40.0
    flood: float = 10.0


class Soak:
    """One soak of one system."""

    def __init__(self, system: System, plan: Plan, say: Say) -> None:
        self._system = system
        self._plan = plan
        self._say = say
        self._rows = Rows(system.lake)
        self.outcome = Outcome()

    def run(self) -> None:
        """Do it all, but for what can only be counted once the gateway has ended."""
        outcome, plan, port = self.outcome, self._plan, self._system.port
        before = self._descriptors()
        with client(fast.run, port, first=True) as quick, client(flood.run, port) as sender:
            outcome.alone = _asked(quick, fast.FindCeiling(plan.probe / 2))
            self._say(f"ceiling {outcome.alone:,.0f}/s without slow connections")
            with self._slow(plan.slow) as crowd:
                outcome.ceiling = _asked(quick, fast.FindCeiling(plan.probe))
                self._say(f"ceiling {outcome.ceiling:,.0f}/s with them, held {SHARE:.0%}")
                rate = SHARE * outcome.ceiling
                for measured in _held(quick, fast.Hold(rate, plan.seconds, plan.interval)):
                    self._note(measured, crowd().connections)
                self._flood(quick, sender, rate / 4)
            total: fast.Total = _asked(quick, fast.Finish())
        outcome.acknowledged += total.answers
        outcome.wrong += total.wrong
        outcome.at_rest = self._rested(before)

    def count(self) -> None:
        """Count all rows; to be called when the gateway has ended."""
        self.outcome.rows = self._rows.count(all_of_them=True)

    @contextmanager
    def _slow(self, connections: int) -> Iterator[Callable[[], slow.Crowd]]:
        with ExitStack() as pipes:
            before = sum(self._memory("worker").values())
            # An address each, because one has no more ports than the kernel's range.
            held = [
                pipes.enter_context(client(slow.run, self._system.port, share, f"127.0.0.{n}"))
                for n, share in enumerate(slow.shares(connections), 2)
            ]

            def crowd() -> slow.Crowd:
                return sum((_asked(pipe, slow.Count()) for pipe in held), slow.Crowd(0, 0))

            deadline = time.monotonic() + _WAIT_SECONDS
            while crowd().connections < NEARLY_ALL * connections:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"only {crowd()} of {connections} slow connections")
                time.sleep(0.2)
            grown = sum(self._memory("worker").values()) - before
            self.outcome.slow = connections
            self.outcome.slow_bytes = grown / max(1, connections)
            parts = ", ".join(
                f"{name} has {n} descriptors" for name, n in self._descriptors("worker").items()
            )
            self._say(
                f"{connections:,} slow connections, {self.outcome.slow_bytes:,.0f} bytes each; "
                f"{parts}"
            )
            yield crowd

    def _flood(self, quick: Pipe, sender: Pipe, rate: float) -> None:
        seconds = self._plan.flood
        sender.send(flood.Send(FLOOD_BODIES, seconds))
        # As one interval, which ends a little before the whole does.
        (self.outcome.flooded,) = _held(quick, fast.Hold(rate, seconds, 0.99 * seconds))
        self.outcome.flood = _answer(sender)
        self.outcome.acknowledged += flood.EVENTS * self.outcome.flood[200]
        self._say(f"flooded: {describe(self.outcome.flooded)}")

    def _note(self, measured: fast.Interval, connections: int) -> None:
        sample = Sample(measured, connections, self._memory(), self._descriptors())
        self.outcome.samples.append(sample)
        rows = self._rows.count()
        parts = (
            f"{name} {sample.memory[name] >> 20} MB {sample.descriptors.get(name, 0)} fds"
            for name in sample.memory
        )
        self._say(
            f"{len(self.outcome.samples):4} {describe(measured)}  slow {connections:,}  "
            f"rows {rows:,}  {', '.join(parts)}"
        )

    def _rested(self, before: dict[str, int]) -> dict[str, tuple[int, int]]:
        """Compare descriptors with those before the load, once all connections are closed."""
        deadline = time.monotonic() + _WAIT_SECONDS / 10
        while True:
            after = self._descriptors()
            if time.monotonic() > deadline or all(
                n <= before.get(name, 0) + DESCRIPTORS for name, n in after.items()
            ):
                return {name: (before.get(name, 0), n) for name, n in after.items()}
            time.sleep(0.2)

    def _memory(self, *kinds: str) -> dict[str, int]:
        return {name: _resident(folder) for name, folder in self._processes(*kinds)}

    def _descriptors(self, *kinds: str) -> dict[str, int]:
        return {
            name: sum(1 for _ in (folder / "fd").iterdir())
            for name, folder in self._processes(*kinds)
        }

    def _processes(self, *kinds: str) -> Iterator[tuple[str, Path]]:
        for kind in kinds or ("worker", "keeper"):
            for pid in sorted(self._system.children(kind)):
                yield f"{kind} {pid}", Path(f"/proc/{pid}")


def soak(home: Path, plan: Plan, say: Say = lambda _line: None) -> Outcome:
    """Soak a gateway on a lake in `home`, and count its rows in the end."""
    system = System(home, ROUTES, pipeline=False)
    soaking = Soak(system, plan, say)
    try:
        system.await_answer()
        soaking.run()
        system.stop("gateway")
        soaking.count()
    finally:
        system.destroy()
    return soaking.outcome


def _resident(process: Path) -> int:
    status = (process / "status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def _held(pipe: Pipe, hold: fast.Hold) -> Iterator[fast.Interval]:
    pipe.send(hold)
    while (measured := _answer(pipe, hold.interval)) is not None:
        yield measured


def _asked(pipe: Pipe, order: object) -> Any:
    pipe.send(order)
    return _answer(pipe)


def _answer(pipe: Pipe, seconds: float = 0) -> Any:
    """Wait for an answer. Raises TimeoutError for a client that has none, EOFError when it died."""
    if not pipe.poll(_WAIT_SECONDS + seconds):
        raise TimeoutError("a client of the soak does not answer")
    return pipe.recv()


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="How long to hold the load.")
@click.option("--slow", default=20_000, show_default=True, help="Slow connections held open.")
@click.option("--home", default=None, type=click.Path(path_type=Path), help="Folder of the lake.")
def main(*, minutes: float, slow: int, home: Path | None) -> None:
    """Report; the status is 1 when something leaks, slows down, is lost or is refused."""
    folder = Path(tempfile.mkdtemp(prefix="footfall-soak-", dir=home))
    try:
        if (free := shutil.disk_usage(folder).free) < _FREE_BYTES:
            raise click.ClickException(
                f"{folder} has {free // _MEGABYTE} MB free, {_FREE_BYTES // _MEGABYTE} are needed; "
                "name another folder with --home"
            )
        seconds = 60 * minutes
        plan = Plan(seconds, slow, interval=min(30.0, max(1.0, seconds / 60)))
        # Flushed, so that a pipe shows it as it comes.
        outcome = soak(folder, plan, lambda line: print(line, flush=True))
    finally:
        shutil.rmtree(folder)
    print(report(outcome), flush=True)
    sys.exit(1 if outcome.faults() else 0)


if __name__ == "__main__":
    main()
