"""One day at Acme as raw events."""

import datetime as dt
import hashlib
from typing import Any, Final

import numpy as np
import polars as pl

from gateway.events import SCHEMA, VERSION
from pipeline.acme.catalogue import PACKAGES
from pipeline.acme.people import Flags, Floats, Ints, People
from pipeline.acme.story import Release, excitement, interest, releases_until
from pipeline.acme.visits import Package, Visits

# Visits on an ordinary weekday; one makes two requests or so.
_VISITS: Final = 2350
# The shares of machines that try release candidates, and of people who have been here before.
_EARLY_ADOPTERS: Final = 0.05
_REGULARS: Final = 0.75
_RELEASE_HOUR: Final = 6  # UTC


def demo_day(people: People, day: dt.date) -> pl.DataFrame:
    """Make one whole day's raw events, in order of time."""
    random = np.random.default_rng([people.seed, 2, day.toordinal()])
    presence = people.presence(day.weekday(), excitement(day))
    usual = people.presence(0, 1.0)
    requests: list[dict[str, Any]] = []
    for package in PACKAGES:
        visits = _visit(
            people, package, day, weight=_weights(people, package, presence, usual), random=random
        )
        package.requests(visits)
        requests += visits.columns
    return _as_events(people, day, requests, random)


def _weights(people: People, package: Package, presence: Floats, usual: Floats) -> Floats:
    """How much each machine has to do with a package today; 1 in all on an ordinary weekday."""
    weights = np.zeros(people.count)
    for profile, share in package.profiles.items():
        here = people.is_profile(profile)
        weights[here] = share * presence[here] / usual[here].sum()
    return weights


def _visit(
    people: People, package: Package, day: dt.date, *, weight: Floats, random: np.random.Generator
) -> Visits:
    mean = _VISITS * package.share * interest(day) * weight.sum()
    count = random.poisson(mean)
    machine = random.choice(people.count, count, p=weight / weight.sum())
    second = people.second_of_day(random, machine, day.weekday())
    return Visits(
        package=package,
        people=people,
        machine=machine,
        second=second,
        release=_chosen_releases(people, machine, second, day, random),
        day=day,
        random=random,
    )


def _chosen_releases(
    people: People, machine: Ints, second: Floats, day: dt.date, random: np.random.Generator
) -> list[Release]:
    """What each visit is after: the newest release that its machine has got round to."""
    releases = releases_until(day)
    stable = [release for release in releases if not release.candidate]
    out = np.array([release.day.toordinal() + _RELEASE_HOUR / 24 for release in stable])
    lag = people.lag[machine] * random.uniform(0.7, 1.3, len(machine))
    # Who comes for the first time takes what is there; after a launch that is nearly everyone.
    newcomer = random.random(len(machine)) > _REGULARS / excitement(day)
    lag[newcomer & people.is_profile("person")[machine]] = 0
    reached = day.toordinal() + second / 86_400 - lag
    index = np.searchsorted(out, reached, side="right") - 1
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
        "region": _where(known, people.region[machine]),
        "city": _where(known, people.city_name[machine]),
        "latitude": _where(known, people.latitude[machine]),
        "longitude": _where(known, people.longitude[machine]),
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


def _where(known: Flags, values: np.ndarray[Any, Any]) -> list[Any]:
    return [value if k else None for k, value in zip(known, values.tolist(), strict=True)]


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
    hexes = [f"{upper:016x}{lower:016x}" for upper, lower in zip(high, low, strict=True)]
    return [f"{x[:8]}-{x[8:12]}-{x[12:16]}-{x[16:20]}-{x[20:]}" for x in hexes]
