"""Blows at moments: which process is killed, and what it was doing. Drawn from a seed."""

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.chaos.load import PURGED
from tests.chaos.system import System, kill

_PATIENCE = 1.0  # seconds to wait for a moment, after which the blow falls anyhow

_KEEPER_OR_ALL = ("keeper", "keeper", "everything")
_PIPELINE_OR_ALL = ("pipeline", "pipeline", "everything")

# What to wait for, as patterns in the lake of which one must exist, and whom it then hits.
MOMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "any": ((), ("worker", "worker", "keeper", "supervisor", "pipeline", "gateway", "everything",
                 "restart")),
    "sealed, not shipped": (("journal/*.sealed",), _KEEPER_OR_ALL),
    "being shipped": (("raw/*/.*",), _KEEPER_OR_ALL),
    "shipped, not curated": (("raw/*/*.parquet",), _PIPELINE_OR_ALL),
    "being curated": (("events/*/.*", "events/.*"), _PIPELINE_OR_ALL),
    "curated, being counted": (("daily/*/.*", "daily/.*"), _PIPELINE_OR_ALL),
    "being archived": (("archive/*/.*", "archive/*/*"), _PIPELINE_OR_ALL),
    "being purged": ((), ("purge",)),
}  # fmt: skip


class Storm:
    """Hits one system until the time is over."""

    def __init__(self, system: System, seed: int, tell: Callable[[int], object]) -> None:
        self.blows: Counter[tuple[str, str]] = Counter()  # by moment and victim
        self._tell = tell  # called every minute
        self._system = system
        self._chance = random.Random(f"{seed} storm")

    def rage(self, seconds: float) -> None:
        """Strike again and again."""
        start = time.monotonic()
        end = start + seconds
        minutes = 0
        # Each moment has its turn before any has its second, however short the storm.
        turns: list[str] = []
        while time.monotonic() < end:
            # Every other blow may fall while all is still coming back from the last one.
            if self._chance.random() < 0.5:
                self._system.await_answer()
            self._pause(self._chance.uniform(0, 0.6), end)
            turns = turns or self._chance.sample(list(MOMENTS), len(MOMENTS))
            self.strike(turns.pop())
            self._pause(self._chance.expovariate(4), end)
            if time.monotonic() - start >= 60 * (minutes + 1):
                minutes = int((time.monotonic() - start) // 60)
                self._tell(minutes)

    def strike(self, moment: str) -> None:
        """Wait for a moment and kill."""
        patterns, victims = MOMENTS[moment]
        victim = self._chance.choice(victims)
        seen = _wait_for(self._system.lake, patterns)
        self.blows[moment if seen else "any", victim] += 1
        _BLOWS[victim](self._system, self._chance)

    def _pause(self, seconds: float, end: float) -> None:
        until = min(end, time.monotonic() + seconds)
        while time.monotonic() < until:
            self._system.keep_up()
            time.sleep(0.02)


def _wait_for(lake: Path, patterns: tuple[str, ...]) -> bool:
    give_up = time.monotonic() + _PATIENCE
    while patterns:
        if any(_exists(lake, pattern) for pattern in patterns):
            return True
        if time.monotonic() > give_up:
            return False
        time.sleep(0.0003)
    return True


def _exists(lake: Path, pattern: str) -> bool:
    try:
        return next(lake.glob(pattern), None) is not None
    except FileNotFoundError:  # a folder that went away while it was listed
        return False


def _one(kind: str) -> Callable[[System, random.Random], None]:
    def blow(system: System, chance: random.Random) -> None:
        found = system.children(kind)
        if found:
            kill(chance.choice(found))

    return blow


def _all(system: System, _chance: random.Random) -> None:
    for pid in system.everything():
        kill(pid)


def _gateway(system: System, _chance: random.Random) -> None:
    for pid in (system.supervisor(), *system.children("worker"), *system.children("keeper")):
        kill(pid)


def _purge(system: System, chance: random.Random) -> None:
    purge = system.purge(PURGED)
    with suppress(subprocess.TimeoutExpired):
        # Its start takes most of a second; then it waits for the pipeline, and is at work.
        purge.wait(chance.uniform(0.5, 1.5))
    purge.kill()
    purge.wait()


_BLOWS: dict[str, Callable[[System, random.Random], None]] = {
    "worker": _one("worker"),
    "keeper": _one("keeper"),
    "supervisor": lambda system, _: kill(system.supervisor()),
    "pipeline": lambda system, _: kill(system.pipeline()),
    "gateway": _gateway,
    "purge": _purge,
    "everything": _all,
    "restart": lambda system, _: kill(system.supervisor(), signal.SIGTERM),
}
