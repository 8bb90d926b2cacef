"""Routes that no request reaches, because others take everything that they match."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from gateway import table
from gateway.check import Placed
from gateway.problems import Problem
from gateway.protocols import files, repositories
from gateway.regexes import literal_prefix
from gateway.request import Request
from gateway.routes import FileRoute, RegexRoute, Route
from gateway.samples import samples
from gateway.table import ANY_HOST, PROTOCOLS, RouteTable
from gateway.template_syntax import parse_path
from gateway.templates import Variable

# The protocols whose routes match by path: which of them would answer a request.
FINDERS: Final[Mapping[Callable[..., object], Callable[[Any, Request], Route | None]]] = {
    files.decide: files.find,
    repositories.decide: repositories.find,
}


def unreached(routes: Sequence[Placed]) -> Iterator[Problem]:
    """Routes of which every request tried is answered by another route."""
    served = table.build([placed.route for placed in routes])
    places = {id(placed.route): placed.place for placed in routes}
    for placed in routes:
        for domain in dict.fromkeys(placed.route.domains):
            winner = _winner_over(placed.route, domain, served, places)
            if winner is None and isinstance(placed.route, RegexRoute):
                winner = _winner_over_regex(placed.route, domain, routes)
            if winner is not None:
                yield Problem(
                    placed.place,
                    f"is never reached on {domain}: {winner} takes what it matches",
                    fatal=False,
                )


def _winner_over(
    route: Route, domain: str, served: RouteTable, places: dict[int, str]
) -> str | None:
    host = "zq7footfall.example" if domain == ANY_HOST else domain
    first: str | None = None
    for request in samples(route, host):
        winner = _winner(route, served, request, places)
        if winner is None or winner == places[id(route)]:
            return None
        first = first or winner
    return first


def _winner(
    route: Route, served: RouteTable, request: Request, places: dict[int, str]
) -> str | None:
    """The place of who answers, or what it is; None for the route itself or nobody."""
    protocol = next(each for types, each in PROTOCOLS if isinstance(route, types))
    for answer in served.hosts.get(request.host, served.any_host):
        finder = FINDERS.get(answer.func)
        if finder is not None:
            found = finder(answer.args[0], request)
            if found is not None:
                return places[id(found)]
            continue
        decision = answer(request)
        if decision is None:
            continue
        kind = answer.func.__module__.rpartition(".")[2].replace("_", "-")
        if answer.func is not protocol.decide:
            return f"a route of type {kind}"
        alone = protocol.decide(protocol.build([route]), request)
        return None if decision == alone else f"another route of type {kind}"
    return None


def _winner_over_regex(route: RegexRoute, domain: str, routes: Sequence[Placed]) -> str | None:
    """A template that takes everything below what each match of the expression begins with."""
    prefix = literal_prefix(route.pattern)
    for placed in routes:
        if isinstance(placed.route, FileRoute) and domain in placed.route.domains:
            template = parse_path(placed.route.incoming_path)
            match template.path:
                case [str(below), Variable(reserved=True)] if not template.query:
                    # Only a longer one, because {+variable} is never empty.
                    if len(prefix) > len(below) and prefix.startswith(below):
                        return placed.place
    return None
