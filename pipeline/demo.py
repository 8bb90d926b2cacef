"""Ninety days of demo data, so that a dashboard has something to show before the first download.

The story: Acme is a small company that makes Rocket, a command line tool that ships other people's
programs. It comes as an image, a Python package, an npm package, binaries, and a Debian package; an
agent of it runs in clusters. A release is out every three weeks, and every fourth makes the news:
people come from Hacker News for some days, and some of them stay. Engineers try it on their laptops
on weekdays, in their own time zone; their build machines follow and pin what worked; servers upgrade
weeks later; mirrors and crawlers come by as everywhere. A few well-known companies use it a lot.

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
from typing import Any, Final

import numpy as np
import polars as pl

from gateway.events import SCHEMA, VERSION
from pipeline.acme.people import Floats, Ints, People
from pipeline.acme.story import FIRST_DAY, Release, excitement, interest, releases_until
from pipeline.acme.streams import PACKAGES, Package, Visits
from pipeline.lake import Lake, day_folder

DEFAULT_SEED: Final = 20

# Visits on an ordinary weekday; one makes two requests or so.
_VISITS: Final = 2350
_DAY: Final = dt.timedelta(days=1)
_EARLY_ADOPTERS: Final = 0.05

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


def demo_day(people: People, day: dt.date) -> pl.DataFrame:
    """Make one whole day's raw events, in order of time."""
    random = np.random.default_rng([people.seed, 2, day.toordinal()])
    presence = people.presence(day.weekday(), excitement(day))
    usual = people.presence(0, 1.0)
    releases = releases_until(day)
    requests: list[dict[str, Any]] = []
    for package in PACKAGES:
        visits = _visit(people, package, day, releases, presence, usual, random)
        package.requests(visits)
        requests += visits.columns
    return _as_events(people, day, requests, random)


def _visit(
    people: People,
    package: Package,
    day: dt.date,
    releases: list[Release],
    presence: Floats,
    usual: Floats,
    random: np.random.Generator,
) -> Visits:
    weights = np.zeros(people.count)
    expected = 0.0
    for profile, share in package.profiles.items():
        here = people.is_profile(profile)
        weights[here] = share * presence[here] / usual[here].sum()
        expected += weights[here].sum()
    mean = _VISITS * package.share * interest(day) * expected
    machine = random.choice(people.count, random.poisson(mean), p=weights / weights.sum())
    return Visits(
        package=package,
        people=people,
        machine=machine,
        second=people.second_of_day(random, machine, day.weekday()),
        release=_chosen_releases(people, machine, day, releases, random),
        day=day,
        random=random,
    )


def _chosen_releases(
    people: People,
    machine: Ints,
    day: dt.date,
    releases: list[Release],
    random: np.random.Generator,
) -> list[Release]:
    """What each visit is after: the newest release that its machine has got round to."""
    stable = [release for release in releases if not release.candidate]
    out = np.array([release.day.toordinal() for release in stable])
    moved = day.toordinal() - people.lag[machine] * random.uniform(0.7, 1.3, len(machine))
    index = np.searchsorted(out, moved, side="right") - 1
    chosen = [stable[i] for i in index.clip(min=0)]
    newest = releases[-1]
    if newest.candidate:
        eager = people.taste[machine, 0] < _EARLY_ADOPTERS
        chosen = [newest if e else c for e, c in zip(eager, chosen, strict=True)]
    return chosen


def _as_events(
    people: People, day: dt.date, requests: list[dict[str, Any]], random: np.random.Generator
) -> pl.DataFrame:
    made = {
        name: np.concatenate([_repeat(step[name], len(step["machine"])) for step in requests])
        for name in requests[0]
    }
    order = np.argsort(made["second"], kind="stable")
    made = {name: values[order] for name, values in made.items()}
    machine = made.pop("machine").astype(np.int64)
    second = made.pop("second").astype(float)
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    # The last requests of a day end with it.
    time = (second.clip(max=86_399.9) * 1e6).astype(np.int64) + int(
        midnight.timestamp()
    ) * 1_000_000
    endpoint, origin = _identities(people, machine, day, made["user_agent"])
    known = people.city_known[machine]
    columns = {
        **{name: values.tolist() for name, values in made.items()},
        "v": [VERSION] * len(time),
        "event_id": _event_ids(time, random),
        "event_time": time,
        "country": people.country[machine].tolist(),
        "region": np.where(known, people.region[machine], None).tolist(),
        "city": np.where(known, people.city_name[machine], None).tolist(),
        "latitude": np.where(known, people.latitude[machine], None).tolist(),
        "longitude": np.where(known, people.longitude[machine], None).tolist(),
        "asn": people.asn[machine],
        "as_org": people.as_org[machine].tolist(),
        "company": [None] * len(time),
        "company_domain": [None] * len(time),
        "connection_type": [None] * len(time),
        "origin_id": origin,
        "endpoint_id": endpoint,
    }
    return pl.DataFrame(
        [
            pl.Series(name, columns[name], dtype=pl.Int64).cast(dtype)
            if dtype == pl.Datetime
            else pl.Series(name, columns[name], dtype=dtype)
            for name, dtype in SCHEMA.items()
        ]
    ).sort("event_time", maintain_order=True)


def _repeat(value: Any, count: int) -> np.ndarray[Any, Any]:
    if isinstance(value, np.ndarray):
        return value.astype(object)
    array = np.empty(count, dtype=object)
    array[:] = value
    return array


def _identities(
    people: People, machine: Ints, day: dt.date, user_agents: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Endpoint and origin ids: the same all day for one address, unlike on every other day."""
    salt = f"{people.seed} {day}".encode()

    def keyed(value: str) -> int:
        digest = hashlib.blake2b(value.encode(), digest_size=8, key=salt)
        return int.from_bytes(digest.digest())

    address = people.endpoint[machine].tolist()
    pairs = list(zip(address, user_agents.tolist(), strict=True))
    of_address = {value: keyed(str(value)) for value in set(address)}
    of_pair = {pair: keyed(f"{pair[0]} {pair[1]}") for pair in set(pairs)}
    return (
        np.array([of_address[value] for value in address], dtype=np.uint64),
        np.array([of_pair[pair] for pair in pairs], dtype=np.uint64),
    )


def _event_ids(time: Ints, random: np.random.Generator) -> list[str]:
    """UUIDv7s with the events' own times."""
    high = (time // 1000 << 16 | 0x7000 | random.integers(0, 1 << 12, len(time))).tolist()
    low = (random.integers(0, 1 << 62, len(time)) | -(1 << 63)).astype(np.uint64).tolist()
    hexes = [f"{h:016x}{l:016x}" for h, l in zip(high, low, strict=True)]
    return [f"{x[:8]}-{x[8:12]}-{x[12:16]}-{x[16:20]}-{x[20:]}" for x in hexes]


def _write(raw: Path, day: dt.date, events: pl.DataFrame, seed: int) -> None:
    # Named for its content, so that making the same again replaces it, and a longer today does not.
    content = hashlib.blake2b(f"{seed} {day} {events.height}".encode(), digest_size=16).digest()
    folder = day_folder(raw, day)
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{uuid.UUID(bytes=content)}.parquet"
    partial = final.with_suffix(".tmp")
    events.write_parquet(partial, compression="zstd", statistics=True)
    os.replace(partial, final)  # noqa: PTH105 - a rename that replaces, said by its name
