"""What is wrong with a file route's targets, fallbacks, health and aliases."""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from gateway import agents, aliases
from gateway.choice import shares
from gateway.conditions import names
from gateway.continents import CONTINENTS
from gateway.continents import NAMES as CONTINENT_NAMES
from gateway.destinations import Alias, Health, Names, When
from gateway.problems import suggestion
from gateway.routes import FileRoute, RegexRoute
from gateway.template_syntax import TemplateError, parse_url

Fault = tuple[str, str]  # a key, and what is wrong with its value

_SHORTEST: Final = 1.0  # seconds between two looks at somebody else's server
_WHOLE: Final = 100.0


def url_faults(key: str, url: str, captured: frozenset[str] | None, source: str) -> Iterator[Fault]:
    """Say why a URL template cannot be sent to; `captured` is None where that is broken itself."""
    try:
        needed = parse_url(url).variables
    except TemplateError as error:
        yield key, f"{url!r} {error}"
        return
    missing = sorted(needed - captured) if captured is not None else []
    if missing:
        variables = ", ".join(f"{{{name}}}" for name in missing)
        yield key, f"uses {variables}, which {source} does not capture"


def destination_faults(
    route: FileRoute | RegexRoute, captured: frozenset[str] | None, source: str
) -> Iterator[Fault]:
    """Say what cannot be served beyond the route's own URL."""
    several = bool(route.target or route.fallback_urls)
    if several and not route.outgoing_url:
        yield "outgoing-url", "is missing; it is where requests go for which no target is meant"
    if route.target and not {"no-store", "private"} & _words(route.cache_control):
        danger = "lets a cache hand one visitor's target to all; leave it out, or add private"
        yield "cache-control", f"{route.cache_control!r} {danger}"
    for number, target in enumerate(route.target, 1):
        yield from url_faults(f"target[{number}].url", target.url, captured, source)
        yield from _under(f"target[{number}].when", _when_faults(target.when))
    yield from _share_faults(route)
    for number, url in enumerate(route.fallback_urls, 1):
        yield from url_faults(f"fallback-urls[{number}]", url, captured, source)
    if route.fallback_urls and route.health is None:
        yield "fallback-urls", 'needs health, such as [route.health] with path = "/"'
    if route.health is not None:
        if not several:
            yield "health", "has nothing to choose from; name fallback-urls, or leave it out"
        yield from _under("health", _health_faults(route.health))
    yield from _alias_faults(route, captured, source)


def _when_faults(when: When) -> Iterator[Fault]:
    if when == When():
        yield "", "has no condition; a URL without one is the route's outgoing-url"
    yield from _named("os", when.os, agents.OPERATING_SYSTEMS, agents.operating_system)
    yield from _named("arch", when.arch, agents.ARCHITECTURES, agents.architecture)
    yield from _named("country", when.country, CONTINENTS)
    yield from _named("continent", when.continent, CONTINENT_NAMES)
    countries, continents = set(names(when.country)), set(names(when.continent))
    if countries and continents and not {CONTINENTS.get(each) for each in countries} & continents:
        yield "country", "lies on none of the continents given, so that nobody is in both"
    if when.from_ is not None and when.until is not None and when.until <= when.from_:
        yield "until", f"{when.until} is not after from, so that it never applies"
    if when.share is not None and not 0 < when.share <= _WHOLE:
        yield "share", f"is {when.share:g}; it is a number of per cent above 0, and at most 100"


def _named(
    key: str, given: Names, known: Collection[str], spelt: Callable[[str], str] = str
) -> Iterator[Fault]:
    for name in names(given) if given else ():
        if spelt(name) not in known:
            yield key, f"{name!r} is not known; {_hint(name, known)}"


def _hint(name: str, known: Collection[str]) -> str:
    upper = name.upper()
    return f"write {upper!r}" if upper in known else suggestion(name, known)


def _share_faults(route: FileRoute | RegexRoute) -> Iterator[Fault]:
    for number, (_, (_, high)) in enumerate(shares(route.target), 1):
        share = route.target[number - 1].when.share
        if share is not None and 0 < share <= _WHOLE < high:
            yield (
                f"target[{number}].when.share",
                f"brings the targets of equal conditions to {high:g} per cent; they divide 100",
            )


def _health_faults(health: Health) -> Iterator[Fault]:
    if not health.path.startswith("/") or not health.path.isprintable() or " " in health.path:
        yield "path", f"{health.path!r} is no path; it is asked for on each target's host"
    if health.every < _SHORTEST:
        yield "every", f"is {health.every:g}; it is a number of seconds, at least 1"
    if not 0 < health.timeout <= health.every:
        yield "timeout", f"is {health.timeout:g}; it is above 0 and at most every"
    for key, number in (("down-after", health.down_after), ("up-after", health.up_after)):
        if number < 1:
            yield key, f"is {number}; it is at least 1"


def _alias_faults(
    route: FileRoute | RegexRoute, captured: frozenset[str] | None, source: str
) -> Iterator[Fault]:
    if route.aliases and captured is not None and aliases.VARIABLE not in captured:
        yield "aliases", f"stand for {{{aliases.VARIABLE}}}, which {source} does not capture"
    for text in aliases.unordered(route.versions):
        yield "versions", f"{text!r} has no place in an order of versions, such as 1.2.3 has"
    for name, given in route.aliases.items():
        if not name:
            yield "aliases", "has an empty name"
        if given == "":
            yield f"aliases.{name}", "is empty; it is a version, or a rule"
        if isinstance(given, str) and given in route.aliases and given:
            yield f"aliases.{name}", f"means the alias {given!r}; write the version"
        if isinstance(given, Alias):
            yield from _under(f"aliases.{name}", _rule_faults(given, route.versions))


def _rule_faults(alias: Alias, versions: tuple[str, ...]) -> Iterator[Fault]:
    if bool(alias.newest) == bool(alias.redirect):
        yield "newest", "or redirect: give one of the two, not both and not neither"
        return
    if alias.redirect:
        try:
            if parse_url(alias.redirect).variables:
                yield (
                    "redirect",
                    f"{alias.redirect!r} has a variable; it is looked up for everybody",
                )
        except TemplateError as error:
            yield "redirect", f"{alias.redirect!r} {error}"
        if alias.every < _SHORTEST:
            yield "every", f"is {alias.every:g}; it is a number of seconds, at least 1"
        return
    line = alias.newest.removesuffix("*")
    if not alias.newest.endswith("*") or not all(part.isdecimal() for part in line.split(".")[:-1]):
        yield "newest", f'{alias.newest!r} is no line of versions, such as "*", "1.*" or "1.4.*"'
    elif not line or line.endswith("."):
        if aliases.newest(versions, alias.newest, prereleases=alias.prereleases) is None:
            yield "newest", f"{alias.newest!r} fits none of the route's versions"
    else:
        yield "newest", f"{alias.newest!r} has no dot before its star; write {line + '.*'!r}"


def _under(key: str, found: Iterator[Fault]) -> Iterator[Fault]:
    return ((f"{key}.{inner}" if inner else key, message) for inner, message in found)


def _words(cache_control: str) -> set[str]:
    return {word.strip().lower() for word in cache_control.split(",")}
