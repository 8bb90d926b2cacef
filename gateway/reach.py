"""Routes that no request reaches, because others take everything that they match."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from gateway import table
from gateway.check import Placed
from gateway.problems import Problem
from gateway.protocols import files, repositories
from gateway.regexes import literal_prefix
from gateway.request import Request
from gateway.routes import FileRoute, RegexRoute, RepositoryRoute, Route
from gateway.table import ANY_HOST, RouteTable
from gateway.template_syntax import parse_path
from gateway.templates import PathTemplate, Variable

# What stands for a variable in the requests that are tried. Nobody writes a route for these names.
_ONE_SEGMENT = "zq7footfall"
_SEVERAL = (_ONE_SEGMENT, f"{_ONE_SEGMENT}/zq8", f"{_ONE_SEGMENT}/zq8/zq9/zq10.zq11")


# The protocols whose routes match by path: which of them would answer a request.
FINDERS: Final[Mapping[Callable[..., object], Callable[[Any, Request], Route | None]]] = {
    files.decide: files.find,
    repositories.decide: repositories.find,
}


def unreached(routes: Sequence[Placed]) -> Iterator[Problem]:
    """Routes for paths of which every request tried is answered by another route."""
    served = table.build([placed.route for placed in routes])
    places = {id(placed.route): placed.place for placed in routes}
    for placed in routes:
        for domain in dict.fromkeys(placed.route.domains):
            winner = None
            if isinstance(placed.route, FileRoute):
                samples = _samples(parse_path(placed.route.incoming_path))
                winner = _winner_over(placed.route, samples, domain, served, places)
            elif isinstance(placed.route, RepositoryRoute):
                below = ((placed.route.path + several, "") for several in _SEVERAL)
                winner = _winner_over(placed.route, below, domain, served, places)
            elif isinstance(placed.route, RegexRoute):
                winner = _winner_over_regex(placed.route, domain, routes)
            if winner is not None:
                yield Problem(
                    placed.place,
                    f"is never reached on {domain}: {winner} takes what it matches",
                    fatal=False,
                )


def _winner_over(
    route: FileRoute | RepositoryRoute,
    samples: Iterable[tuple[str, str]],
    domain: str,
    served: RouteTable,
    places: dict[int, str],
) -> str | None:
    host = "zq7footfall.example" if domain == ANY_HOST else domain
    winners = [
        _winner(served, Request("GET", host, path, query), places) for path, query in samples
    ]
    own = places[id(route)]
    return None if own in winners else winners[0]


def _winner(served: RouteTable, request: Request, places: dict[int, str]) -> str | None:
    for answer in served.hosts.get(request.host, served.any_host):
        finder = FINDERS.get(answer.func)
        if finder is not None:
            found = finder(answer.args[0], request)
            if found is not None:
                return places[id(found)]
        elif answer(request) is not None:
            return f"a route of type {answer.func.__module__.rpartition('.')[2].replace('_', '-')}"
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


def _samples(template: PathTemplate) -> Iterator[tuple[str, str]]:
    for several in _SEVERAL:
        path = "".join(_filled(part, several) for part in template.path)
        query = "&".join(
            f"{key}={''.join(_filled(part, several) for part in value)}"
            for key, value in template.query
        )
        yield path, query


def _filled(part: str | Variable, several: str) -> str:
    if isinstance(part, str):
        return part
    return several if part.reserved else _ONE_SEGMENT
