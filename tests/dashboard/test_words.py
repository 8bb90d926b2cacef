"""Numbers, days and ages as the pages say them."""

import datetime as dt

import pytest

from dashboard import words


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (9_999, "9,999"), (12_345, "12.3k"), (999_960, "1.0M"),
     (4_500_000, "4.5M"), (2_000_000_000, "2.0G")],
)  # fmt: skip
def test_short(number: int, said: str) -> None:
    assert words.short(number) == said


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [(120, 100, "+20 %"), (99, 100, "-1.0 %"), (100, 100, "0 %"), (5, 0, None), (0, 40, "-100 %"),
     (123_400, 100, "+123,300 %")],
)  # fmt: skip
def test_change(now: int, before: int, said: str | None) -> None:
    assert words.change(now, before) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(1, 2, "50 %"), (1, 30, "3.3 %"), (1, 100_000, "<0.1 %"), (0, 9, "0 %"), (1, 0, "–")],  # noqa: RUF001  the dash is meant
)
def test_percent(part: int, whole: int, said: str) -> None:
    assert words.percent(part, whole) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (4.9, "4 s"), (60, "1 minute"), (7_200, "2 hours"), (200_000, "2 days")],
)
def test_age(seconds: float, said: str) -> None:
    assert words.age(seconds) == said


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ((2026, 3, 1), (2026, 3, 1), "1 Mar 2026"),
        ((2026, 3, 1), (2026, 3, 9), "1 to 9 Mar 2026"),
        ((2026, 2, 27), (2026, 3, 9), "27 Feb to 9 Mar 2026"),
        ((2025, 12, 30), (2026, 1, 2), "30 Dec 2025 to 2 Jan 2026"),
    ],
)
def test_span(start: tuple[int, int, int], end: tuple[int, int, int], said: str) -> None:
    assert words.span(dt.date(*start), dt.date(*end)) == said


def test_listing() -> None:
    assert words.listing([]) == ""
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
