"""What was of use lately is remembered, and the memory for it stays bounded."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.recent import Recent, Sightings


@given(st.lists(st.integers(0, 50), max_size=200))
def test_no_more_is_held_than_twice_the_limit(keys: list[int]) -> None:
    recent: Recent[int, int] = Recent(10)
    for key in keys:
        if recent.get(key) is None:
            recent.put(key, -key - 1, weight=1)
        assert recent.get(key) == -key - 1
    assert sum(recent.get(key) is not None for key in range(51)) <= 20


def test_what_is_used_stays_and_what_is_not_goes() -> None:
    recent: Recent[str, int] = Recent(10)
    recent.put("used", 1, weight=1)
    recent.put("unused", 2, weight=1)
    for number in range(100):
        recent.put(f"other {number}", number, weight=1)
        recent.get("used")
    assert (recent.get("used"), recent.get("unused")) == (1, None)


def test_a_sighting_is_one_at_the_second_time_until_its_place_is_taken() -> None:
    seen = Sightings(8)
    assert [seen.again(mark) for mark in (3, 3, -3, -3)] == [False, True, False, True]
    # 11 has the place of 3.
    assert [seen.again(mark) for mark in (11, 3, 3)] == [False, False, True]
