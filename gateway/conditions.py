"""The conditions of a target, made ready to be asked of a request."""

import datetime as dt
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from gateway import agents
from gateway.circumstances import Circumstances
from gateway.continents import CONTINENTS
from gateway.destinations import Names, When

_WHOLE: Final = 2**64


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What conditions are asked of."""

    user_agent: str
    variables: Mapping[str, str]  # of the path and the query
    circumstances: Circumstances


class Condition(msgspec.Struct, frozen=True):
    """One condition: what it says, whether it holds, and how things are for a request."""

    words: str  # such as: country is DE or FR
    holds: Callable[[Facts], bool]
    found: Callable[[Facts], str]  # such as: country is US


def names(given: Names) -> tuple[str, ...]:
    """One name or a list of them, as a list."""
    return (given,) if isinstance(given, str) else given


def compile_when(when: When, among: tuple[float, float], seed: str) -> tuple[Condition, ...]:
    """Every condition given. `among` is the target's part of 0 to 100, `seed` what draws it."""
    conditions: list[Condition] = []
    if when.client:
        conditions.append(_client(frozenset(map(str.lower, names(when.client)))))
    if when.os:
        wanted = frozenset(map(agents.operating_system, names(when.os)))
        conditions.append(_one_of("os", wanted, operating_system))
    if when.arch:
        wanted = frozenset(map(agents.architecture, names(when.arch)))
        conditions.append(_one_of("arch", wanted, architecture))
    if when.country:
        wanted = frozenset(names(when.country))
        conditions.append(_one_of("country", wanted, lambda facts: facts.circumstances.country))
    if when.continent:
        wanted = frozenset(names(when.continent))
        conditions.append(_one_of("continent", wanted, _continent))
    for key, values in when.variables.items():
        conditions.append(_variable(key, frozenset(map(str.lower, names(values)))))
    if when.from_ is not None:
        conditions.append(_from(when.from_))
    if when.until is not None:
        conditions.append(_until(when.until))
    if when.share is not None:
        conditions.append(_share(among, seed))
    return tuple(conditions)


def operating_system(facts: Facts) -> str | None:
    """What the request calls it, else what its user agent tells."""
    asked = facts.variables.get("os")
    return agents.operating_system(asked) if asked else agents.read(facts.user_agent).os or None


def architecture(facts: Facts) -> str | None:
    """What the request calls it, else what its user agent tells."""
    asked = facts.variables.get("arch")
    return agents.architecture(asked) if asked else agents.read(facts.user_agent).arch or None


def position(draw: int, seed: int) -> float:
    """Where a visitor stands between 0 and 100: evenly spread, and otherwise for each seed."""
    # SplitMix64's last step, which spreads equal draws independently for seeds that differ.
    mixed = (draw ^ seed) % _WHOLE
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % _WHOLE
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % _WHOLE
    return ((mixed ^ (mixed >> 31)) >> 11) * (100 / 2**53)


def _client(wanted: frozenset[str]) -> Condition:
    def found(facts: Facts) -> str:
        clients = agents.read(facts.user_agent).clients
        return f"client is {' and '.join(clients) or 'not known'}"

    return Condition(
        f"client is {_either(wanted)}",
        lambda facts: not wanted.isdisjoint(agents.read(facts.user_agent).clients),
        found,
    )


def _one_of(key: str, wanted: frozenset[str], actual: Callable[[Facts], str | None]) -> Condition:
    return Condition(
        f"{key} is {_either(wanted)}",
        lambda facts: actual(facts) in wanted,
        lambda facts: f"{key} is {actual(facts) or 'not known'}",
    )


def _variable(key: str, wanted: frozenset[str]) -> Condition:
    return Condition(
        f"variable {key} is {_either(wanted)}",
        lambda facts: facts.variables.get(key, "\0").lower() in wanted,
        lambda facts: (
            f"variable {key} is {facts.variables[key]!r}"
            if key in facts.variables
            else f"variable {key} is not there"
        ),
    )


def _from(moment: dt.datetime) -> Condition:
    start = moment.timestamp()
    return Condition(
        f"from {_written(moment)} on", lambda facts: facts.circumstances.time >= start, _now
    )


def _until(moment: dt.datetime) -> Condition:
    end = moment.timestamp()
    return Condition(
        f"until {_written(moment)}", lambda facts: facts.circumstances.time < end, _now
    )


def _share(among: tuple[float, float], seed: str) -> Condition:
    low, high = among
    number = int.from_bytes(blake2b(seed.encode(), digest_size=8).digest(), "big")

    def holds(facts: Facts) -> bool:
        draw = facts.circumstances.draw
        return draw is not None and low <= position(draw, number) < high

    def found(facts: Facts) -> str:
        draw = facts.circumstances.draw
        return "visitor is not known" if draw is None else f"drew {position(draw, number):.2f}"

    return Condition(f"visitors who draw {low:g} to {high:g} of 100", holds, found)


def _continent(facts: Facts) -> str | None:
    country = facts.circumstances.country
    return None if country is None else CONTINENTS.get(country)


def _now(facts: Facts) -> str:
    moment = dt.datetime.fromtimestamp(facts.circumstances.time, dt.UTC)
    return f"it is {_written(moment)}"


def _written(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _either(wanted: frozenset[str]) -> str:
    return " or ".join(sorted(wanted))
