"""A clock that jumps, by the seams that take one: no id repeats, and a period keeps its salt."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import salts
from gateway.ipdata import IpData
from gateway.uuid7 import Uuid7s
from gateway.visitor import Visitors

DAY = 86_400.0
NOON = 20_000.5 * DAY


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.integers(-(10**15), 2**47 * 1_000_000), min_size=1, max_size=50))
@example([0])
@example([-1])
def test_event_ids_rise_whatever_the_clock_does(times: list[int]) -> None:
    moments = iter(times)
    ids = Uuid7s(lambda: next(moments))
    made = [ids.new() for _ in times]
    assert made == sorted(set(made))


@pytest.mark.parametrize(
    "jump", [DAY, -DAY, 40 * DAY, -40 * DAY], ids=lambda j: f"{j / DAY:+.0f} d"
)
def test_a_clock_that_jumps_and_returns_finds_the_same_ids(tmp_path: Path, jump: float) -> None:
    clock = Clock(NOON)
    visitors = Visitors(IpData([], []), tmp_path, clock=clock)
    before = visitors.visitor("198.51.100.7", "curl/8")
    clock.now += jump
    meanwhile = visitors.visitor("198.51.100.7", "curl/8")
    assert meanwhile.origin_id != before.origin_id
    clock.now -= jump
    assert visitors.visitor("198.51.100.7", "curl/8") == before


def test_the_salts_of_a_clock_that_was_behind_are_destroyed_when_it_is_right(
    tmp_path: Path,
) -> None:
    clock = Clock(NOON - 40 * DAY)
    visitors = Visitors(IpData([], []), tmp_path, clock=clock)
    visitors.visitor("198.51.100.7", "curl/8")
    (wrong,) = salts.kept(tmp_path)
    clock.now = NOON
    visitors.visitor("198.51.100.7", "curl/8")
    now = salts.period_at(wrong.start, "day").destroyed_at
    assert salts.destroy_old(tmp_path, now) == [wrong.name]
    assert len(salts.kept(tmp_path)) == 1
