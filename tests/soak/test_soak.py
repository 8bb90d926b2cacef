"""A short soak: slow connections do not stop the fast ones, nothing is lost, nothing leaks.

Nothing here asks how fast: that is for `make soak`, on a machine that does nothing else.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from benchmarks.load.durations import Durations
from benchmarks.load.fast import Interval
from benchmarks.load.outcome import Outcome, Sample, report
from benchmarks.load.rows import Rows
from benchmarks.soak import Plan, soak


def test_a_short_soak(tmp_path: Path) -> None:
    said: list[str] = []
    plan = Plan(2, slow=400, interval=0.5, probe=1, flood=2)
    outcome = soak(tmp_path, plan, said.append)
    found = report(outcome)
    assert outcome.acknowledged == outcome.rows > 1000, found
    assert outcome.wrong == 0, found
    assert min(sample.slow for sample in outcome.samples) > 350, found
    assert outcome.flooded is not None
    assert outcome.flooded.answers > 0, found
    assert set(outcome.flood) <= {200, 503}, found
    assert not any("descriptors open" in fault for fault in outcome.faults()), found
    assert len(said) >= 4 + len(outcome.samples)


def steady(p99: float = 2.0, memory: int = 100 << 20, slow: int = 10) -> Sample:
    return Sample(Interval(800.0, 1.0, p99, 0.5), slow, {"worker 1": memory}, {"worker 1": 20})


def good() -> Outcome:
    return Outcome(
        alone=1200,
        ceiling=1000,
        slow=10,
        slow_bytes=5000.0,
        samples=[steady()] * 9,
        acknowledged=5000,
        rows=5000,
        wrong=0,
        flood=Counter({200: 3, 503: 4}),
        flooded=Interval(200.0, 1.0, 4.0, 0.5),
        at_rest={"worker 1": (20, 23)},
    )


def test_a_steady_gateway_has_no_faults() -> None:
    assert not good().faults()
    assert report(good()).endswith("\nok")


def test_one_bad_interval_is_no_fault() -> None:
    # Others use the machine.
    outcome = good()
    outcome.samples[7] = steady(p99=900.0)
    assert not outcome.faults()


Change = Callable[[Outcome], Outcome]
CHANGES: dict[str, tuple[Change, str]] = {
    "lost": (lambda o: replace(o, rows=4999), "5,000 acknowledged, 4,999 rows"),
    "doubled": (lambda o: replace(o, rows=5001), "5,000 acknowledged, 5,001 rows"),
    "wrong": (lambda o: replace(o, wrong=3), "3 answers are no redirects"),
    "slower": (
        lambda o: replace(o, samples=[*o.samples[:6], *[steady(p99=9.0)] * 3]),
        "the p99 grew from 2.0 to 9.0 ms",
    ),
    "memory": (
        lambda o: replace(o, samples=[*o.samples[:6], *[steady(memory=200 << 20)] * 3]),
        "worker 1 grew from 100 to 200 MB",
    ),
    "descriptors": (
        lambda o: replace(o, at_rest={"worker 1": (20, 90)}),
        "worker 1 kept 90 descriptors open, 20 before",
    ),
    "slow ones turned away": (
        lambda o: replace(o, samples=[steady(slow=5)] * 9),
        "5 of 10 slow connections were open",
    ),
    "stopped by slow ones": (
        lambda o: replace(o, alone=4000),
        "slow connections brought 4,000/s down to 1,000/s",
    ),
    "fell behind": (lambda o: replace(o, ceiling=2000), "800/s were held of 1,600/s"),
    "flood let in": (lambda o: replace(o, flood=Counter({200: 9})), "nothing of the flood"),
    "flood broken": (
        lambda o: replace(o, flood=Counter({200: 9, 500: 1, 503: 1})),
        "the flood was answered [500]",
    ),
    "redirects wait": (
        lambda o: replace(o, flooded=Interval(200.0, 1.0, 400.0, 0.5)),
        "redirects waited 400 ms",
    ),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_what_is_wrong_is_told(change: Change, words: str) -> None:
    outcome = change(good())
    (fault,) = outcome.faults()
    assert words in fault
    assert f"FAULT: {fault}" in report(outcome)


def test_durations_tell_their_quantiles() -> None:
    durations = Durations()
    assert durations.quantile(0.99) == 0
    for number in range(1000):
        durations.note(number / 1000)
    assert durations.quantile(0.5) == pytest.approx(500, abs=2)
    assert durations.quantile(0.99) == pytest.approx(990, abs=2)
    durations.note(3600)
    assert durations.quantile(1) == pytest.approx(10_000, abs=1)
    durations.clear()
    durations.note(0.002)
    assert durations.quantile(0.99) == pytest.approx(2, abs=0.1)


def test_rows_are_counted_once_and_settled_files_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "raw/dt=2026-01-01"
    folder.mkdir(parents=True)
    pl.DataFrame({"n": range(5)}).write_parquet(folder / "new.parquet")
    rows = Rows(tmp_path)
    assert rows.count() == 0
    assert rows.count(all_of_them=True) == 5
    assert not list(folder.iterdir())
    assert rows.count(all_of_them=True) == 5
