"""A package's visits of one day, and the requests made in them."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from pipeline.acme.people import Flags, Floats, Ints, People, Texts
from pipeline.acme.story import Release
from pipeline.acme.user_agents import SYSTEMS
from pipeline.schema import DEMO_PREFIX


@dataclass(frozen=True, slots=True)
class Package:
    """One package, its domain, how many visits it gets and from whom."""

    name: str
    route_type: str
    host: str
    share: float
    profiles: dict[str, float]
    requests: Callable[["Visits"], None]


@dataclass(slots=True)
class Visits:
    """A package's visits of one day, and the requests made in them so far."""

    package: Package
    people: People
    machine: Ints
    second: Floats
    release: list[Release]  # what each visit is after
    day: dt.date
    random: np.random.Generator
    columns: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.machine)

    def draw(self) -> Floats:
        """One number from 0 to 1 for each visit."""
        return self.random.random(len(self))

    def of(self, profile: str) -> Flags:
        """Which visits are by machines of a profile."""
        return self.people.is_profile(profile)[self.machine]

    def user_agent(self, tool: str) -> Texts:
        """Each visit's user agent, were it made with the tool."""
        return self.people.user_agent(tool)[self.machine]

    def request(self, where: Flags, after: float, **values: Any) -> None:
        """Record one request of each visit in `where`, `after` seconds into it.

        A value is one for all, or an array over all visits.
        """
        count = int(where.sum())
        if not count:
            return
        jitter = self.random.random(count) * 0.4
        made = {
            "machine": self.machine[where],
            "second": self.second[where] + after * (1 + jitter) + jitter / 10,
            "event_type": "download",
            "route_type": self.package.route_type,
            "package_id": DEMO_PREFIX + self.package.name,
            "package": self.package.name,
            "host": self.package.host,
            "artifact": "",
            "version": None,
            "reference": None,
            "method": "GET",
            "status": 307,
            "range_start": None,
            "user_agent": "",
            "referrer": None,
            "variables": "{}",
        }
        for name, value in values.items():
            made[name] = value[where] if isinstance(value, np.ndarray) else value
        self.columns.append(made)


def texts(values: list[Any]) -> Texts:
    """An array of texts or nulls, one for each visit."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@cache
def digest(*parts: str) -> str:
    """The digest of what has this name; the same name, the same digest."""
    return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def compact_json(*pairs: tuple[str, str]) -> str:
    """A JSON object as the gateway writes variables."""
    return json.dumps(dict(pairs), separators=(",", ":"))


def platforms(visits: Visits) -> list[tuple[str, str]]:
    """Each visit's operating system and architecture."""
    return [SYSTEMS[system] for system in visits.people.system[visits.machine]]


def pick(visits: Visits, choices: tuple[tuple[float, str | None], ...]) -> Texts:
    """One of the weighted choices for each visit."""
    weights, options = zip(*choices, strict=True)
    share = np.array(weights) / sum(weights)
    return texts(list(options))[visits.random.choice(len(options), len(visits), p=share)]
