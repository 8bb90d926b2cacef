"""The salts of the ids: 32 random bytes a UTC period, shared by the workers, destroyed soon after.

A salt is a file of its own, named for its period, in a folder outside the lake. Whoever needs it
first makes it; a hard link lets the first maker win and shows nobody half a file.
"""

import datetime as dt
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from gateway.config import Rotation

SIZE = 32
_SUFFIX = ".salt"
# A salt outlives its period by a day, for clocks that differ. A day's salt is so never older than
# 48 hours.
KEPT_AFTER = dt.timedelta(hours=24)


class Period(msgspec.Struct, frozen=True):
    """A span of time with one salt."""

    name: str  # such as 2026-11-23, 2026-W48 or 2026-11
    start: dt.datetime
    end: dt.datetime  # the first moment that is no longer in it

    @property
    def destroyed_at(self) -> dt.datetime:
        """When its salt goes."""
        return self.end + KEPT_AFTER


def period_at(moment: dt.datetime, rotation: Rotation) -> Period:
    """Name the period that a moment (UTC) lies in."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    match rotation:
        case "day":
            return Period(f"{day:%Y-%m-%d}", day, day + dt.timedelta(days=1))
        case "week":
            monday = day - dt.timedelta(days=day.weekday())
            return Period(f"{day:%G-W%V}", monday, monday + dt.timedelta(days=7))
        case "month":
            first = day.replace(day=1)
            return Period(f"{day:%Y-%m}", first, (first + dt.timedelta(days=31)).replace(day=1))


def obtain(directory: Path, period: Period) -> bytes:
    """Read the period's salt, making it where there is none yet. Raises OSError."""
    path = directory / (period.name + _SUFFIX)
    with suppress(FileNotFoundError):
        return _read(path)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = directory / f".{period.name}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(SIZE))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another worker was first, and its salt is everyone's
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)


def kept(directory: Path) -> list[Period]:
    """Name the periods whose salts exist, in no order."""
    periods = (_period_named(path.stem) for path in directory.glob(f"*{_SUFFIX}"))
    return [period for period in periods if period is not None]


def destroy_old(directory: Path, now: dt.datetime) -> list[str]:
    """Destroy every salt whose time is over; return their periods' names."""
    destroyed = []
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        period = _period_named(path.stem)
        if period is not None and now >= period.destroyed_at:
            _destroy(path)
            destroyed.append(period.name)
    # A maker that was killed leaves its draft; after a minute nobody is writing it.
    for draft in directory.glob(".*"):
        with suppress(FileNotFoundError):
            if now.timestamp() - draft.stat().st_mtime > 60:  # noqa: PLR2004
                _destroy(draft)
    return destroyed


def _read(path: Path) -> bytes:
    salt = path.read_bytes()
    if len(salt) != SIZE:
        raise OSError(f"{path} has {len(salt)} bytes, and a salt has {SIZE}; delete it")
    return salt


def _destroy(path: Path) -> None:
    # Overwriting first is worth little on flash or a copying file system, and costs nothing.
    with path.open("r+b") as file:
        file.write(bytes(SIZE))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _period_named(name: str) -> Period | None:
    """Read a period back from its name; None for a file that is not ours."""
    spellings: tuple[tuple[str, str, Rotation], ...] = (
        ("%Y-%m-%d", name, "day"),
        ("%G-W%V-%u", f"{name}-1", "week"),
        ("%Y-%m-%d", f"{name}-01", "month"),
    )
    for pattern, text, rotation in spellings:
        with suppress(ValueError):
            start = dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC)
            period = period_at(start, rotation)
            if period.name == name:
                return period
    return None
