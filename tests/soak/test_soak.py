"""A short soak: slow connections do not stop the fast ones, nothing is lost, nothing grows."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.soak import Outcome, Sample, report, soak


def test_a_short_soak(tmp_path: Path) -> None:
    outcome = soak(tmp_path, seconds=2, slow=300, interval=0.5)
    assert not outcome.faults(), report(outcome)
    assert outcome.acknowledged > 1000
    assert set(outcome.flood) <= {200, 503}


def steady() -> Outcome:
    sample = Sample(1000.0, 1.0, 2.0, {"worker 1": 100 << 20}, {"worker 1": 20})
    return Outcome(1000, [sample] * 6, 10, 5000, 5000, 0, Counter({200: 3}), 4.0)


def test_a_steady_gateway_has_no_faults() -> None:
    assert not steady().faults()
    assert "FAULT" not in report(steady())


@pytest.mark.parametrize(
    ("memory", "descriptors", "rows", "wrong", "words"),
    [
        (200 << 20, 20, 5000, 0, "grew from 100 to 200 MB"),
        (100 << 20, 90, 5000, 0, "opened 90 descriptors"),
        (100 << 20, 20, 4999, 0, "5,000 acknowledged, 4,999 rows"),
        (100 << 20, 20, 5000, 3, "3 answers are no redirects"),
    ],
    ids=["memory", "descriptors", "lost", "wrong"],
)
def test_what_is_wrong_is_told(
    memory: int, descriptors: int, rows: int, wrong: int, words: str
) -> None:
    outcome = steady()
    outcome.rows, outcome.wrong = rows, wrong
    last = Sample(1000.0, 1.0, 2.0, {"worker 1": memory}, {"worker 1": descriptors})
    outcome.samples = [*outcome.samples, last]
    (fault,) = outcome.faults()
    assert words in fault
