"""What a soak has measured, and what of it must not be."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.load.fast import Interval

SHARE = 0.8  # of the ceiling that is held
# The median p99 of the last third may be so much above that of the first: others use the machine.
_P99_GROWTH, _P99_SLACK = 1.5, 2.0  # times, and milliseconds
# As far as memory may grow from the second third to the last, for caches that fill.
_GROWTH, _GROWTH_BYTES = 1.10, 12 * 1024 * 1024
DESCRIPTORS = 16  # more than before the load, once it is over
_HELD = 0.9  # of the rate, and of the slow connections
# What fast requests may lose to slow connections, whose clients share the processors.
_CEILING_LEFT = 0.4
FLOOD_P99 = 100.0  # milliseconds of redirects, where the flood's clients share the processors


@dataclass(frozen=True)
class Sample:
    """One interval."""

    fast: Interval
    slow: int  # connections
    memory: dict[str, int]  # bytes of each process
    descriptors: dict[str, int]


@dataclass
class Outcome:
    """What a soak has measured."""

    alone: float = 0  # answers a second that are possible without slow connections
    ceiling: float = 0  # and with them
    slow: int = 0  # connections wanted
    slow_bytes: float = 0  # of the workers' memory for each
    samples: list[Sample] = field(default_factory=list)
    acknowledged: int = 0
    rows: int = 0
    wrong: int = 0  # answers that are no redirect
    flood: Counter[int] = field(default_factory=Counter)  # telemetry by status
    flooded: Interval | None = None  # of redirects meanwhile
    at_rest: dict[str, tuple[int, int]] = field(default_factory=dict)  # descriptors, before, after

    def faults(self) -> list[str]:
        """What must not be."""
        return [*self._lost(), *self._slowed(), *self._grown(), *self._flooded()]

    def _lost(self) -> Iterable[str]:
        if self.acknowledged != self.rows:
            yield f"{self.acknowledged:,} acknowledged, {self.rows:,} rows in the lake"
        if self.wrong:
            yield f"{self.wrong:,} answers are no redirects"

    def _slowed(self) -> Iterable[str]:
        first, _, last = (
            median(sample.fast.p99 for sample in third) for third in _thirds(self.samples)
        )
        if last > first * _P99_GROWTH + _P99_SLACK:
            yield f"the p99 grew from {first:.1f} to {last:.1f} ms"
        held = median(sample.fast.answers for sample in self.samples)
        if held < _HELD * SHARE * self.ceiling:
            yield f"{held:,.0f}/s were held of {SHARE * self.ceiling:,.0f}/s"
        slow = median(sample.slow for sample in self.samples)
        if slow < _HELD * self.slow:
            yield f"{slow:,.0f} of {self.slow:,} slow connections were open"
        if self.ceiling < _CEILING_LEFT * self.alone:
            yield f"slow connections brought {self.alone:,.0f}/s down to {self.ceiling:,.0f}/s"

    def _grown(self) -> Iterable[str]:
        _, second, last = _thirds(self.samples)
        for name in self.samples[-1].memory:
            before, after = (_memory(third, name) for third in (second, last))
            if after > before * _GROWTH + _GROWTH_BYTES:
                yield f"{name} grew from {before / 2**20:.0f} to {after / 2**20:.0f} MB"
        for name, (descriptors, afterwards) in self.at_rest.items():
            if afterwards > descriptors + DESCRIPTORS:
                yield f"{name} kept {afterwards} descriptors open, {descriptors} before"

    def _flooded(self) -> Iterable[str]:
        if others := {*self.flood} - {200, 503}:
            yield f"the flood was answered {sorted(others)}"
        if not self.flood[503]:
            yield "nothing of the flood was turned away"
        if self.flooded is not None and self.flooded.p99 > FLOOD_P99:
            yield f"redirects waited {self.flooded.p99:.0f} ms during the flood"


def report(outcome: Outcome) -> str:
    """Write the outcome for a person."""
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(outcome.flood.items()))
    lines = [
        "",
        f"ceiling {outcome.ceiling:,.0f}/s, {outcome.alone:,.0f}/s without slow connections",
        f"{outcome.slow:,} slow connections, {outcome.slow_bytes:,.0f} bytes of workers each",
        *(
            f"{name} third: {_describe(third)}"
            for name, third in zip(
                ("first", "second", "last"), _thirds(outcome.samples), strict=True
            )
        ),
        f"flood of telemetry: {statuses}",
        f"acknowledged {outcome.acknowledged:,}, rows {outcome.rows:,}, wrong {outcome.wrong:,}",
        "descriptors before and after: "
        + ", ".join(f"{name} {a} {b}" for name, (a, b) in outcome.at_rest.items()),
    ]
    if (during := outcome.flooded) is not None:
        lines.insert(-2, f"redirects meanwhile: {describe(during)}")
    faults = outcome.faults()
    return "\n".join([*lines, *(f"FAULT: {fault}" for fault in faults), *(["ok"] * (not faults))])


def describe(interval: Interval) -> str:
    """Write an interval for a person."""
    return (
        f"{interval.answers:9,.0f}/s  p50 {interval.p50:6.2f} ms  p99 {interval.p99:7.2f} ms  "
        f"client late {interval.late:5.2f} ms"
    )


def _describe(samples: Sequence[Sample]) -> str:
    fast = [sample.fast for sample in samples]
    return describe(
        Interval(
            answers=median(each.answers for each in fast),
            p50=median(each.p50 for each in fast),
            p99=median(each.p99 for each in fast),
            late=median(each.late for each in fast),
        )
    )


def _thirds(samples: Sequence[Sample]) -> tuple[Sequence[Sample], ...]:
    """The first, second and last third; of fewer than three samples, the same one again."""
    third = max(1, len(samples) // 3)
    return samples[:third], samples[-2 * third :][:third], samples[-third:]


def _memory(samples: Sequence[Sample], name: str) -> float:
    """The median of the samples in which the process was there; endless where it was in none."""
    found = [sample.memory[name] for sample in samples if name in sample.memory]
    return float(median(found)) if found else float("inf")
