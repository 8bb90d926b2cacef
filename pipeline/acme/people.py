"""Acme's users: machines on real networks, each with its habits, the same ones every day."""

import csv
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.acme.user_agents import SYSTEMS, user_agents

REFERENCE: Final = Path(__file__).parents[2] / "data" / "reference"

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

PROFILES: Final = ("person", "ci", "server", "mirror", "bot")
_MACHINES: Final = {"person": 9000, "ci": 2200, "server": 1100, "mirror": 40, "bot": 90}
_KINDS: Final = ("company", "isp", "cloud", "education", "government")
# Where machines of each profile stand.
_PLACES: Final = {
    "person": {"isp": 0.8, "company": 0.17, "education": 0.027, "government": 0.003},
    "ci": {"cloud": 0.87, "company": 0.12, "education": 0.01},
    "server": {"cloud": 0.7, "company": 0.24, "isp": 0.06},
    "mirror": {"company": 0.6, "cloud": 0.25, "education": 0.15},
    "bot": {"cloud": 1.0},
}
# Linux amd64, Linux arm64, macOS arm64, macOS amd64, Windows.
_SYSTEM_SHARES: Final = {
    "person": (0.29, 0.03, 0.37, 0.06, 0.25),
    "ci": (0.82, 0.08, 0.06, 0.0, 0.04),
    "server": (0.78, 0.22, 0.0, 0.0, 0.0),
    "mirror": (1.0, 0.0, 0.0, 0.0, 0.0),
    "bot": (1.0, 0.0, 0.0, 0.0, 0.0),
}
# How much of an ordinary weekday is left of a Saturday and a Sunday.
_WEEKEND: Final = {"person": 0.62, "ci": 0.4, "server": 0.85, "mirror": 1.0, "bot": 1.0}
_WEEKEND_AT_WORK: Final = 0.12
# The share of a day's work in each local hour.
_WORKDAY: Final = (1, 1, 1, 0, 0, 0, 1, 3, 7, 11, 12, 11, 8, 9, 12, 12, 11, 8, 5, 5, 6, 6, 4, 2)
_FREE_DAY: Final = (2, 1, 1, 0, 0, 0, 1, 1, 2, 4, 6, 7, 7, 7, 8, 8, 8, 7, 6, 6, 7, 7, 6, 4)
_STEADY: Final = (8, 8, 9, 8, 7, 7, 7, 8, 9, 10, 10, 10, 9, 10, 10, 10, 10, 9, 8, 8, 8, 8, 8, 8)


class People:
    """All machines as parallel arrays. Made once; the same seed gives the same people."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        random = np.random.default_rng([seed, 1])
        networks = _read("demo_networks.csv")
        cities = _read("demo_cities.csv")
        self.count = sum(_MACHINES.values())
        self.profile: Ints = np.repeat(np.arange(len(PROFILES)), list(_MACHINES.values()))
        self.network: Ints = np.concatenate(
            [_choose_networks(random, networks, name, n) for name, n in _MACHINES.items()]
        )
        self.city: Ints = _choose_cities(random, networks, cities, self.network)
        self.system: Ints = np.concatenate(
            [random.choice(5, n, p=_SYSTEM_SHARES[name]) for name, n in _MACHINES.items()]
        )
        self.kind: Ints = np.array([_KINDS.index(row["kind"]) for row in networks])[self.network]
        self.country: Texts = _column(networks, "country")[self.network]
        self.asn: Ints = _column(networks, "asn")[self.network].astype(np.int64)
        self.as_org: Texts = _column(networks, "as_org")[self.network]
        self.city_name: Texts = _column(cities, "city")[self.city]
        self.region: Texts = _column(cities, "region")[self.city]
        self.latitude: Floats = _column(cities, "latitude")[self.city].astype(float)
        self.longitude: Floats = _column(cities, "longitude")[self.city].astype(float)
        # IP data knows the city of most lines, and of few data centres.
        self.city_known: Flags = random.random(self.count) < np.where(self._is("cloud"), 0.3, 0.8)
        self.utc_offset: Floats = _column(cities, "utc_offset")[self.city].astype(float)
        # Few machines do most of the work.
        self.activity: Floats = random.lognormal(0.0, 0.9, self.count)
        self.lag: Floats = self._lags(random)
        self.taste: Floats = random.random((self.count, 8))
        self.endpoint: Ints = self._endpoints()
        self._user_agents: dict[str, Texts] = {}

    def is_profile(self, name: str) -> Flags:
        """Which machines have a profile."""
        return np.equal(self.profile, PROFILES.index(name))

    def user_agent(self, tool: str) -> Texts:
        """Each machine's user agent, were it to use the tool."""
        if tool not in self._user_agents:
            chosen = np.empty(self.count, dtype=object)
            taste = self.taste[:, sum(tool.encode()) % self.taste.shape[1]]
            for system in range(len(SYSTEMS)):
                for ci in (False, True):
                    here = (self.system == system) & (self.is_profile("ci") == ci)
                    weights, texts = zip(*user_agents(tool, system, ci=ci), strict=True)
                    steps = np.cumsum(weights) / sum(weights)
                    index = np.searchsorted(steps, taste[here]).clip(max=len(texts) - 1)
                    chosen[here] = np.array(texts, dtype=object)[index]
            self._user_agents[tool] = chosen
        return self._user_agents[tool]

    def presence(self, weekday: int, excitement: float) -> Floats:
        """How much each machine has to do with Acme today."""
        presence = self.activity.copy()
        if weekday >= 5:  # noqa: PLR2004 - Saturday
            left = np.array([_WEEKEND[name] for name in PROFILES])[self.profile]
            at_work = self._is("company") & (self.is_profile("person") | self.is_profile("ci"))
            presence *= np.where(at_work, _WEEKEND_AT_WORK, left)
        news = np.array([1.0, 0.25, 0.05, 0.0, 0.3])[self.profile]
        return presence * (1 + (excitement - 1) * news)

    def second_of_day(self, random: np.random.Generator, machines: Ints, weekday: int) -> Floats:
        """When in the UTC day each machine comes, by its own clock's habits."""
        human = self.is_profile("person")[machines]
        ci = self.is_profile("ci")[machines]
        day = _WORKDAY if weekday < 5 else _FREE_DAY  # noqa: PLR2004 - Saturday
        hour = np.where(human, _hours(random, day, machines), 0)
        hour = np.where(ci, _hours(random, day, machines) * 0.8 + random.random(len(ci)) * 4, hour)
        hour = np.where(human | ci, hour, _hours(random, _STEADY, machines))
        second = (hour - self.utc_offset[machines]) % 24 * 3600
        # Builds on a schedule start at the full hour.
        scheduled = ~human & (random.random(len(machines)) < 0.2)  # noqa: PLR2004 - a fifth
        late = random.exponential(25, len(machines))
        return np.where(scheduled, second // 3600 * 3600 + late, second) % 86_390

    def _is(self, kind: str) -> Flags:
        return np.equal(self.kind, _KINDS.index(kind))

    def _lags(self, random: np.random.Generator) -> Floats:
        # Days from a release to its use. Builds take the latest, or are pinned and forgotten.
        lag = random.lognormal(1.6, 1.1, self.count)
        pinned = random.uniform(20, 150, self.count)
        draw = random.random(self.count)
        lag = np.where(self.is_profile("ci"), np.where(draw < 0.55, draw * 2, pinned), lag)  # noqa: PLR2004
        lag = np.where(self.is_profile("server"), random.lognormal(2.6, 0.8, self.count), lag)
        return np.where(self.is_profile("mirror"), draw, lag)

    def _endpoints(self) -> Ints:
        # A company's offices share few addresses; everybody else has one of their own.
        own = np.arange(self.count)
        shared = self.count + self.network * 8 + own % 4
        in_office = (self._is("company") | self._is("education")) & self.is_profile("person")
        return np.where(in_office, shared, own)


@cache
def _read(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _column(rows: list[dict[str, str]], name: str) -> Texts:
    return np.array([row[name] for row in rows], dtype=object)


def _choose_networks(
    random: np.random.Generator, networks: list[dict[str, str]], profile: str, count: int
) -> Ints:
    shares = _PLACES[profile]
    total = {
        kind: sum(float(row["weight"]) for row in networks if row["kind"] == kind)
        for kind in shares
    }
    weights = [
        shares[row["kind"]] * float(row["weight"]) / total[row["kind"]]
        if row["kind"] in shares
        else 0.0
        for row in networks
    ]
    return random.choice(len(networks), count, p=np.array(weights) / sum(weights))


def _choose_cities(
    random: np.random.Generator,
    networks: list[dict[str, str]],
    cities: list[dict[str, str]],
    network: Ints,
) -> Ints:
    chosen = np.zeros(len(network), dtype=np.int64)
    country = _column(networks, "country")[network]
    for name in sorted(set(country)):
        here = country == name
        index = [i for i, row in enumerate(cities) if row["country"] == name]
        weights = np.array([float(cities[i]["weight"]) for i in index])
        chosen[here] = random.choice(index, int(here.sum()), p=weights / weights.sum())
    return chosen


def _hours(random: np.random.Generator, shares: tuple[int, ...], machines: Ints) -> Floats:
    hours = random.choice(24, len(machines), p=np.array(shares) / sum(shares))
    return hours + random.random(len(machines))
