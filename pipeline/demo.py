"""Ninety days of demo data, so that a dashboard has something to show before the first download.

The story: Acme is a small company that makes Rocket, a command line tool that ships other people's
programs. It comes as an image, a Python package, an npm package, binaries and a Debian package; an
agent of it runs in clusters. A release is out every three weeks, and every fourth makes the news:
people come from Hacker News for some days, and some of them stay. Engineers try it on their
laptops on weekdays, in their own time zone; their build machines follow and pin what worked;
servers upgrade weeks later; mirrors and crawlers come by as everywhere. A few well-known companies
use it a lot.

The networks are real ones as public data names them; that these companies use Rocket is made up.
Everything made here belongs to packages whose id starts with `pipeline.schema.DEMO_PREFIX`, on
`.example` domains. A day's events and their ids follow from the seed and the day alone, so making
the demo twice adds nothing.
"""

import datetime as dt
import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from pipeline.acme.day import demo_day
from pipeline.acme.people import People
from pipeline.acme.story import FIRST_DAY
from pipeline.lake import Lake, day_folder

DEFAULT_SEED: Final = 20

_DAY: Final = dt.timedelta(days=1)

Progress = Callable[[int, int], None]


def make_demo(
    data: Path,
    *,
    days: int = 90,
    seed: int = DEFAULT_SEED,
    until: dt.date | None = None,
    progress: Progress | None = None,
) -> int:
    """Write raw files for `days` days up to and including `until`; give the number of events.

    Without `until`, the last day is today up to this moment. `progress` is told how many days are
    done, and of how many. The pipeline takes the files from there, as it takes the gateway's.
    """
    now = dt.datetime.now(dt.UTC)
    last = until or now.date()
    first = last - (days - 1) * _DAY
    if days < 1:
        raise ValueError(f"days = {days}: the demo has at least one day")
    if first < FIRST_DAY:
        raise ValueError(f"the demo's story starts on {FIRST_DAY}, and {first} is before it")
    people = People(seed)
    written = 0
    for done in range(days):
        day = first + done * _DAY
        events = demo_day(people, day).filter(pl.col("event_time") <= now)
        if events.height:
            _write(Lake(data).raw, day, events, seed)
            written += events.height
        if progress:
            progress(done + 1, days)
    return written


def _write(raw: Path, day: dt.date, events: pl.DataFrame, seed: int) -> None:
    # Named for its content, so that making the same again replaces it, and a longer today does not.
    content = hashlib.blake2b(f"{seed} {day} {events.height}".encode(), digest_size=16).digest()
    folder = day_folder(raw, day)
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{uuid.UUID(bytes=content)}.parquet"
    partial = final.with_suffix(".tmp")
    events.write_parquet(partial, compression="zstd", statistics=True)
    os.replace(partial, final)  # noqa: PTH105 - a rename that replaces, said by its name
