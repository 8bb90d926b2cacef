"""How numbers, days and ages are said."""

import datetime as dt
import math
from typing import Final

NO_CHANGE: Final = "0 %"
NOTHING: Final = "\N{EN DASH}"

EVENT_WORDS: Final = {True: "Installs", False: "Requests"}
TRAFFIC_WORDS: Final = {
    "person": "people",
    "ci": "CI",
    "mirror": "mirrors",
    "bot": "bots",
    "unknown": "unknown",
}
PRESET_WORDS: Final = {
    "today": "Today",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "365d": "12 months",
    "all": "All time",
}

_SECONDS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_TEN_THOUSAND: Final = 10_000


def count(number: float | None) -> str:
    """A whole number with its thousands apart: 12,345."""
    return NOTHING if number is None else f"{int(number):,}"


def short(number: float) -> str:
    """A number for a tight place: 950, 1,234, 12.3k, 4.5M."""
    if abs(number) < _TEN_THOUSAND:
        return f"{int(number):,}"
    for suffix, size in (("k", 1e3), ("M", 1e6)):
        scaled = number / size
        if abs(scaled) < 999.95:  # noqa: PLR2004  what would round to 1000.0
            return f"{scaled:.1f}{suffix}"
    return f"{number / 1e9:.1f}G"


def percent(part: float, whole: float) -> str:
    """A share in words: 12 %, 0.4 %, or a dash where there is no whole."""
    if not whole:
        return NOTHING
    share = 100 * part / whole
    if 0 < share < 0.1:  # noqa: PLR2004  below what one decimal can say
        return "<0.1 %"
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %"  # noqa: PLR2004


def change(now: float, before: float) -> str | None:
    """How much a number grew. None where there was nothing to grow from."""
    if not before:
        return None
    growth = 100 * (now - before) / before
    if math.isclose(growth, 0, abs_tol=0.05):
        return NO_CHANGE
    sign = "+" if growth > 0 else "-"
    size = abs(growth)
    return f"{sign}{size:,.0f} %" if size >= 10 else f"{sign}{size:.1f} %"  # noqa: PLR2004


def age(seconds: float) -> str:
    """How long ago, in its largest unit: 4 s, 12 minutes, 3 days."""
    whole = max(0, int(seconds))
    for name, size in _SECONDS:
        if whole >= size:
            return plural(whole // size, name)
    return f"{whole} s"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """A count with its noun: 1 day, 2 days."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def day(date: dt.date) -> str:
    """A day as one writes it in a sentence: 3 Nov 2026."""
    return f"{date.day} {date:%b %Y}"


def span(start: dt.date, end: dt.date) -> str:
    """A period, with nothing said twice: 3 to 9 Nov 2026."""
    if start == end:
        return day(start)
    if start.year != end.year:
        return f"{day(start)} to {day(end)}"
    if start.month != end.month:
        return f"{start.day} {start:%b} to {day(end)}"
    return f"{start.day} to {day(end)}"


def listing(words: list[str]) -> str:
    """Words as a sentence joins them: mirrors, bots and CI."""
    if len(words) < 2:  # noqa: PLR2004  one word needs no joining
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
