"""What the reader chose to look at, and how the address bar says it.

The address is the only place where a choice lives, so a link reproduces the view. Whatever it
holds, `parse` makes a valid choice of it: a link from an older version or with a typing error shows
the defaults for the part that makes no sense.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.schema import TRAFFIC

# Days that a preset looks back, today included. "all" starts at the lake's first day.
PRESETS: Final = {"today": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365, "all": 0}
DEFAULT_PRESET: Final = "30d"
# Mirrors and bots fetch everything that exists; nobody decided to install anything.
DEFAULT_TRAFFIC: Final = ("person", "ci", "unknown")

KEYS: Final = ("period", "from", "to", "package", "counted", "traffic")

# A link may name packages that are long gone, but not so many that a query drowns in them.
MAX_PACKAGES: Final = 200
# Beyond these lengths, days become weeks and weeks become months, so that a bar stays a bar.
DAYS_AS_DAYS: Final = 120
DAYS_AS_WEEKS: Final = 800


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days there are: the UTC day it is now, and the first day that the lake holds."""

    today: dt.date
    earliest: dt.date


@dataclass(frozen=True, slots=True)
class Filters:
    """One choice, resolved to days. Both ends are included."""

    start: dt.date
    end: dt.date
    preset: str | None = None  # None: the days were picked by hand
    packages: tuple[str, ...] = ()  # package ids; (): all
    counted: bool = True
    traffic: tuple[str, ...] = DEFAULT_TRAFFIC  # in the order of TRAFFIC, never empty

    @property
    def length(self) -> int:
        """How many days the period has."""
        return (self.end - self.start).days + 1

    @property
    def grain(self) -> str:
        """The step of a chart over time: day, week or month."""
        if self.length <= DAYS_AS_DAYS:
            return "day"
        return "week" if self.length <= DAYS_AS_WEEKS else "month"

    @property
    def hidden(self) -> tuple[str, ...]:
        """The kinds of traffic that are not shown."""
        return tuple(kind for kind in TRAFFIC if kind not in self.traffic)


def parse(address: Mapping[str, Sequence[str]], calendar: Calendar) -> Filters:
    """Make a choice of an address. Total: nonsense gives the default of its part."""
    start, end, preset = _period(address, calendar)
    packages = dict.fromkeys(name for name in address.get("package", ()) if name)
    named = {kind for part in address.get("traffic", ()) for kind in part.split(",")}
    return Filters(
        start=start,
        end=end,
        preset=preset,
        packages=tuple(packages)[:MAX_PACKAGES],
        counted=_last(address, "counted") != "all",
        traffic=tuple(kind for kind in TRAFFIC if kind in named) or DEFAULT_TRAFFIC,
    )


def format_address(filters: Filters) -> dict[str, list[str]]:
    """Say a choice in an address. Defaults are left out, so that a plain link stays plain."""
    address: dict[str, list[str]] = {}
    if filters.preset is None:
        address |= {"from": [filters.start.isoformat()], "to": [filters.end.isoformat()]}
    elif filters.preset != DEFAULT_PRESET:
        address["period"] = [filters.preset]
    if filters.packages:
        address["package"] = list(filters.packages)
    if not filters.counted:
        address["counted"] = ["all"]
    if filters.traffic != DEFAULT_TRAFFIC:
        address["traffic"] = [",".join(filters.traffic)]
    return address


def preset_days(preset: str, calendar: Calendar) -> tuple[dt.date, dt.date]:
    """The first and the last day of a preset."""
    if preset == "all":
        return min(calendar.earliest, calendar.today), calendar.today
    return calendar.today - dt.timedelta(days=PRESETS[preset] - 1), calendar.today


def previous(filters: Filters) -> Filters | None:
    """The period of equal length just before; None where there is nothing before."""
    if filters.preset == "all":
        return None
    try:
        end = filters.start - dt.timedelta(days=1)
        start = filters.start - dt.timedelta(days=filters.length)
    except OverflowError:
        return None
    return replace(filters, start=start, end=end, preset=None)


def _period(
    address: Mapping[str, Sequence[str]], calendar: Calendar
) -> tuple[dt.date, dt.date, str | None]:
    start, end = _day(address, "from"), _day(address, "to")
    if start or end:
        start, end = start or end or calendar.today, end or calendar.today
        # Days in the wrong order are a slip, and what was meant is plain.
        return min(start, end), max(start, end), None
    preset = _last(address, "period")
    if preset not in PRESETS:
        preset = DEFAULT_PRESET
    return *preset_days(preset, calendar), preset


def _day(address: Mapping[str, Sequence[str]], key: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(_last(address, key))
    except ValueError:
        return None


def _last(address: Mapping[str, Sequence[str]], key: str) -> str:
    values = address.get(key, ())
    return values[-1] if values else ""
