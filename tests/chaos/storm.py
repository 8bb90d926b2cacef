"""Blows at moments: which process is killed, and what it was doing. Drawn from a seed."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.chaos.system import System, kill

_PATIENCE = 1.5  # seconds to wait for a moment, after which the blow falls anyhow

# What to wait for, as patterns in the lake of which one must exist, and whom it then hits.
MOMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "any": ((), ("worker", "worker", "keeper", "supervisor", "pipeline", "gateway", "everything",
                 "restart")),
    "sealed, not shipped": (("journal/*.sealed",), ("keeper", "everything")),
    "being shipped": (("raw/*/.*",), ("keeper", "everything")),
    "shipped, not curated": (("raw/*/*.parquet",), ("pipeline", "everything")),
    "being curated": (("events/*/.*", "events/.*"), ("pipeline", "everything")),
    "curated, being counted": (("daily/*/.*", "daily/.*"), ("pipeline", "everything")),
    "being archived": (("archive/*/.*", "archive/*/*"), ("pipeline", "everything")),
}  # fmt: skip


class Storm:
    """Hits one system until the time is over."""

    def __init__(self, system: System, seed: int) -> None:
        self.blows: Counter[tuple[str, str]] = Counter()  # by moment and victim
        self._system = system
        self._chance = random.Random(f"{seed} storm")

    def rage(self, seconds: float) -> None:
        """Strike again and again, with pauses in which everything may come back."""
        end = time.monotonic() + seconds
        # Each moment has its turn before any has its second, however short the storm.
        turns: list[str] = []
        while time.monotonic() < end:
            self._system.await_answer()
            self._pause(self._chance.uniform(0, 1.5), end)
            turns = turns or self._chance.sample(list(MOMENTS), len(MOMENTS))
            self.strike(turns.pop())
            self._pause(self._chance.expovariate(2), end)

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


_BLOWS: dict[str, Callable[[System, random.Random], None]] = {
    "worker": _one("worker"),
    "keeper": _one("keeper"),
    "supervisor": lambda system, _: kill(system.supervisor()),
    "pipeline": lambda system, _: kill(system.pipeline()),
    "gateway": _gateway,
    "everything": _all,
    "restart": lambda system, _: kill(system.supervisor(), signal.SIGTERM),
}
