"""The gateway's salts, looked at from outside: their names, ages and modes, never their bytes."""

import datetime as dt
import re
from pathlib import Path
from typing import Final

import msgspec

SUFFIX: Final = ".salt"
# A salt goes a day after its period; the gateway looks once a minute.
_KEPT_AFTER: Final = dt.timedelta(hours=24)
_LATE: Final = dt.timedelta(minutes=10)


class Salt(msgspec.Struct, frozen=True):
    """One file of the salts' folder."""

    period: str  # such as 2026-11-23, 2026-W48 or 2026-11
    hours: float  # since it was made
    mode: str  # such as 0600
    destroyed_at: dt.datetime | None  # None: the name is no period's
    overdue: bool


def look(directory: Path, now: dt.datetime) -> list[Salt]:
    """Every salt in a folder, oldest period first. Raises OSError, but not for one that is gone."""
    found = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        end = period_end(path.stem)
        goes = end + _KEPT_AFTER if end is not None else None
        found.append(
            Salt(
                period=path.stem,
                hours=round((now.timestamp() - state.st_mtime) / 3600, 1),
                mode=f"{state.st_mode & 0o7777:04o}",
                destroyed_at=goes,
                overdue=goes is not None and now > goes + _LATE,
            )
        )
    return found


def period_end(name: str) -> dt.datetime | None:
    """The first moment after a period; None where the name is no period's."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
            return _midnight(dt.date.fromisoformat(name) + dt.timedelta(days=1))
        if week := re.fullmatch(r"(\d{4})-W(\d{2})", name):
            monday = dt.date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return _midnight(monday + dt.timedelta(days=7))
        if month := re.fullmatch(r"(\d{4})-(\d{2})", name):
            first = dt.date(int(month[1]), int(month[2]), 1)
            return _midnight((first + dt.timedelta(days=31)).replace(day=1))
    except (ValueError, OverflowError):
        return None
    return None


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
