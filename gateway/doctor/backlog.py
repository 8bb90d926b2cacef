"""Whether what was recorded goes on: from the journal to `raw/`, from there to `events/`."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.doctor.finding import Finding, broken, ok, warning

_SHIPPED_WITHIN = 120.0
_CURATED_WITHIN = 600.0
_FUTURE = 120.0


class Waiting(msgspec.Struct, frozen=True):
    """What waits at the lake's doors, in seconds since it was written."""

    journal: tuple[float, ...]  # sealed segments
    raw: tuple[float, ...]  # files
    newest_day: dt.date | None  # with curated events


def look(lake: Path, now: float) -> Waiting:
    """See what waits."""
    days = sorted(lake.glob("events/date=*"))
    return Waiting(
        journal=tuple(_ages(lake, "journal/*.sealed", now)),
        raw=tuple(_ages(lake, "raw/*/*.parquet", now)),
        newest_day=_day(days[-1].name) if days else None,
    )


def judge(waiting: Waiting) -> Iterator[Finding]:
    """Say who does not do their work."""
    oldest = max(waiting.journal, default=0.0)
    if oldest > _SHIPPED_WITHIN:
        yield broken(
            "journal", f"{len(waiting.journal)} segments wait, the oldest for {oldest:.0f} s",
            "start the gateway, or see what /readyz says of shipping",
        )  # fmt: skip
    else:
        yield ok("journal", "nothing waits for long")
    oldest = max(waiting.raw, default=0.0)
    newest = waiting.newest_day or "none"
    if oldest > _CURATED_WITHIN:
        yield broken(
            "pipeline",
            f"{len(waiting.raw)} raw files wait, the oldest for {oldest:.0f} s; "
            f"newest curated day: {newest}",
            "start it: python -m pipeline watch --data ...",
        )
    else:
        yield ok("pipeline", f"nothing waits for long, newest day {newest}")
    if any(age < -_FUTURE for age in (*waiting.journal, *waiting.raw)):
        yield warning(
            "clock", "files were written in the future", "set the clock, and keep it with NTP"
        )


def _ages(lake: Path, pattern: str, now: float) -> Iterator[float]:
    for path in lake.glob(pattern):
        try:
            yield now - path.stat().st_mtime
        except FileNotFoundError:  # taken meanwhile
            continue


def _day(folder: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(folder.removeprefix("date="))
    except ValueError:
        return None
