"""Which of a route's URLs a request is sent to: conditions first, then health, then order.

The candidates are the targets, the route's own URL, and its fallbacks, in this order. The first
whose conditions hold and whose host is not down is taken; where all are down, the first whose
conditions hold.
"""

from collections.abc import Sequence
from urllib.parse import urljoin

import msgspec

from gateway.circumstances import Needs
from gateway.conditions import Condition, Facts, compile_when
from gateway.destinations import Alias, Health, Target, When
from gateway.routes import FileRoute, RegexRoute, Route
from gateway.template_syntax import parse_url
from gateway.templates import UrlTemplate


class Candidate(msgspec.Struct, frozen=True):
    """A URL that a request may be sent to."""

    url: UrlTemplate
    text: str  # as it stands in the routes file
    name: str = ""
    conditions: tuple[Condition, ...] = ()
    check: str = ""  # the URL that tells whether its host is well; "": it is never asked


class Look(msgspec.Struct, frozen=True):
    """Something to look at in the background, now and then."""

    url: str
    every: float
    timeout: float = 10.0
    down_after: int = 0  # 0: it is no health check, and tells a version
    up_after: int = 0


class Choice:
    """The candidates of one route."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = tuple(candidates)

    def of(self, facts: Facts) -> Candidate:
        """Where the request goes. Total, because the route's own URL has no conditions."""
        down = facts.circumstances.observed.down
        first: Candidate | None = None
        for candidate in self.candidates:
            if candidate.conditions and not fits(candidate, facts):
                continue
            if not down or candidate.check not in down:
                return candidate
            first = first or candidate
        return first or self.candidates[0]

    def passed_over(self, facts: Facts) -> list[tuple[Candidate, str]]:
        """Every candidate, with the reason why it is not taken; "" for the one that is."""
        down = facts.circumstances.observed.down
        taken = self.of(facts)
        told = []
        for candidate in self.candidates:
            broken = [each for each in candidate.conditions if not each.holds(facts)]
            if candidate is taken:
                reason = ""
            elif broken:
                reason = "; ".join(f"{each.found(facts)}, wanted: {each.words}" for each in broken)
            elif candidate.check in down:
                reason = f"is down: {down[candidate.check]}"
            else:
                reason = "comes later"
            told.append((candidate, reason))
        return told


def fits(candidate: Candidate, facts: Facts) -> bool:
    """Whether every condition holds."""
    return all(condition.holds(facts) for condition in candidate.conditions)


def compile_choice(route: FileRoute | RegexRoute) -> Choice | None:
    """A route's candidates; None where it has one URL alone, or none."""
    if not route.target and not route.fallback_urls:
        return None
    health = route.health
    conditional = [
        _candidate(
            target.url,
            health,
            name=target.name,
            conditions=compile_when(target.when, among, seed),
        )
        for target, (among, seed) in zip(route.target, _parts(route), strict=True)
    ]
    always = [_candidate(url, health) for url in (route.outgoing_url, *route.fallback_urls)]
    return Choice([*conditional, *always])


def shares(targets: Sequence[Target]) -> list[tuple[When, tuple[float, float]]]:
    """Each target's conditions without its share, and its part of 0 to 100 among their equals."""
    taken: list[tuple[When, float]] = []
    parts = []
    for target in targets:
        others = msgspec.structs.replace(target.when, share=None)
        low = max((until for when, until in taken if when == others), default=0.0)
        high = low + (target.when.share or 0.0)
        taken.append((others, high))
        parts.append((others, (low, high)))
    return parts


def needs(route: Route) -> Needs:
    """What the route's answers depend on beyond its requests."""
    if not isinstance(route, FileRoute | RegexRoute):
        return Needs()
    whens = [target.when for target in route.target]
    return Needs(
        any=bool(whens)
        or route.health is not None
        or any(isinstance(alias, Alias) and alias.redirect for alias in route.aliases.values()),
        place=any(when.country or when.continent for when in whens),
        draw=any(when.share is not None for when in whens),
    )


def looks(route: Route) -> list[Look]:
    """What has to be looked at in the background for the route."""
    if not isinstance(route, FileRoute | RegexRoute):
        return []
    found = [
        Look(alias.redirect, alias.every)
        for alias in route.aliases.values()
        if isinstance(alias, Alias) and alias.redirect
    ]
    choice = compile_choice(route)
    health = route.health
    if choice is not None and health is not None:
        found += [
            Look(each.check, health.every, health.timeout, health.down_after, health.up_after)
            for each in choice.candidates
        ]
    return found


def _parts(route: FileRoute | RegexRoute) -> list[tuple[tuple[float, float], str]]:
    asked = route.incoming_path if isinstance(route, FileRoute) else route.pattern
    identity = f"{route.package_id or route.package} {asked}"
    return [(among, f"{identity} {others!r}") for others, among in shares(route.target)]


def _candidate(
    text: str, health: Health | None, *, name: str = "", conditions: tuple[Condition, ...] = ()
) -> Candidate:
    url = parse_url(text)
    check = "" if health is None else urljoin(f"{url.origin}/", health.path)
    return Candidate(url, text, name, conditions, check)
