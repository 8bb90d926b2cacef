"""When things happen: releases, launches, growth. Functions of the calendar day alone.

Nothing here depends on the day the demo is made, so making it again tomorrow tells the same story
with one more day, and every event keeps its id.
"""

import datetime as dt
import math
from typing import Final, NamedTuple

_LAUNCH: Final = dt.date(2026, 10, 20)  # a Tuesday: 2.0.0
_RELEASE_EVERY: Final = 21
_LAUNCH_EVERY: Final = 84  # days, so that every ninety hold at least one
_MINORS: Final = 16  # of a major
_FIRST_RELEASE: Final = -31  # 0.1.0, counted from 2.0.0

FIRST_DAY: Final = _LAUNCH + dt.timedelta(days=_RELEASE_EVERY * (_FIRST_RELEASE + 1))


class Release(NamedTuple):
    """One version of everything that Acme ships, on the day it came out."""

    day: dt.date
    numbers: str  # 2.0.0
    candidate: int  # 0: a release; else the number of the release candidate

    @property
    def semantic(self) -> str:
        """As image tag, npm version and file name."""
        return f"{self.numbers}-rc.{self.candidate}" if self.candidate else self.numbers

    @property
    def pythonic(self) -> str:
        """As Python spells it."""
        return f"{self.numbers}rc{self.candidate}" if self.candidate else self.numbers

    @property
    def debian(self) -> str:
        """As Debian spells it."""
        return f"{self.numbers}~rc{self.candidate}-1" if self.candidate else f"{self.numbers}-1"


def releases_until(day: dt.date) -> list[Release]:
    """Every release up to a day, in order of their days."""
    found = []
    last = (day - _LAUNCH).days // _RELEASE_EVERY + 1
    for number in range(_FIRST_RELEASE, last + 1):
        out = _LAUNCH + dt.timedelta(days=number * _RELEASE_EVERY)
        name = f"{2 + number // _MINORS}.{number % _MINORS}"
        if number * _RELEASE_EVERY % _LAUNCH_EVERY == 0:
            found.append(Release(out - dt.timedelta(days=8), f"{name}.0", 1))
            found.append(Release(out - dt.timedelta(days=4), f"{name}.0", 2))
        found.append(Release(out, f"{name}.0", 0))
        found.append(Release(out + dt.timedelta(days=3), f"{name}.1", 0))
        found.append(Release(out + dt.timedelta(days=11), f"{name}.2", 0))
    return sorted(release for release in found if release.day <= day)


def days_since_launch(day: dt.date) -> int:
    """How long ago the latest launch was; 0 on the day itself."""
    return (day - _LAUNCH).days % _LAUNCH_EVERY


def interest(day: dt.date) -> float:
    """How much is going on, 1 on an ordinary weekday of autumn 2026.

    Years of slow growth that levels off, word of mouth between launches, and what a launch leaves.
    """
    since = days_since_launch(day)
    adoption = 0.6 + 0.65 / (1 + math.exp(-(day - _LAUNCH).days / 40))
    return adoption * (0.9 + 0.3 * since / _LAUNCH_EVERY + 0.3 * math.exp(-since / 12))


def excitement(day: dt.date) -> float:
    """How many times as many people as usual come: a launch makes the news for some days."""
    return 1 + 3.2 * math.exp(-days_since_launch(day) / 1.6)
