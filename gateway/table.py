"""The route table: for each host, its protocols' prebuilt indexes in the order they are asked."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from gateway import choice
from gateway.choice import Look
from gateway.circumstances import Needs
from gateway.decision import Decision
from gateway.protocols import (
    catch_all,
    docker,
    files,
    npm,
    npm_install,
    pixel,
    python,
    repositories,
    telemetry,
)
from gateway.request import Request
from gateway.routes import (
    CatchAllRoute,
    DockerRoute,
    FileRoute,
    NpmInstallRoute,
    NpmRoute,
    PixelRoute,
    PythonRoute,
    RegexRoute,
    RepositoryRoute,
    Route,
    TelemetryRoute,
)

ANY_HOST: Final = "*"
# Their answers to a GET rest on its host, path and query, except where a route `depends`.
_BY_TARGET: Final = frozenset({pixel.decide, npm_install.decide, files.decide, catch_all.decide})

Answerer = partial[Decision | None]  # a protocol's decide with its index; takes a Request

# Each protocol with its routes, in the order they are asked: images win over everything, and the
# catch-all takes what is left.
PROTOCOLS: Final[tuple[tuple[tuple[type, ...], Any], ...]] = (
    ((DockerRoute,), docker),
    ((PixelRoute,), pixel),
    ((TelemetryRoute,), telemetry),
    ((NpmInstallRoute,), npm_install),
    ((PythonRoute,), python),
    ((NpmRoute,), npm),
    ((FileRoute, RegexRoute), files),
    ((RepositoryRoute,), repositories),
    ((CatchAllRoute,), catch_all),
)


class RouteTable(msgspec.Struct, frozen=True):
    """Everything the gateway serves. A new file makes a new table; nothing in one ever changes."""

    routes: tuple[Route, ...]
    hosts: Mapping[str, tuple[Answerer, ...]]
    any_host: tuple[Answerer, ...]  # for hosts that no route names
    needs: Mapping[str, Needs]  # of the hosts whose routes have any, "*" for those that none names
    looks: tuple[Look, ...]  # what the routes want to be looked at in the background

    def serves(self, host: str) -> bool:
        """Whether a route names the host, lower case and without its port."""
        return host in self.hosts

    def needs_of(self, host: str) -> Needs | None:
        """What the host's routes depend on beyond the request; None for nothing, as mostly."""
        return self.needs.get(host if host in self.hosts else ANY_HOST)

    def answers_by_target(self, host: str) -> bool:
        """Whether all GETs of a path and query have one answer here, whatever their headers say."""
        answerers = self.hosts.get(host, self.any_host)
        return all(answer.func in _BY_TARGET for answer in answerers)

    def depends(self, request: Request) -> bool:
        """Whether the answer may be another one for the same request in other circumstances."""
        if not self.needs or self.needs_of(request.host) is None:
            return False
        answerers = self.hosts.get(request.host, self.any_host)
        return any(
            files.depends(answer.args[0], request)
            for answer in answerers
            if answer.func is files.decide
        )


def build(routes: Sequence[Route]) -> RouteTable:
    """Index checked routes. A host that no route names gets the routes for every host alone."""
    by_host: dict[str, list[int]] = {ANY_HOST: []}
    for number, route in enumerate(routes):
        for domain in dict.fromkeys(route.domains):
            by_host.setdefault(domain, []).append(number)
    any_host = by_host.pop(ANY_HOST)
    built: dict[tuple[int, ...], Answerer] = {}

    def answerers(numbers: Sequence[int]) -> tuple[Answerer, ...]:
        found = []
        for types, protocol in PROTOCOLS:
            mine = tuple(number for number in numbers if isinstance(routes[number], types))
            if mine and mine not in built:
                index = protocol.build([routes[number] for number in mine])
                built[mine] = partial(protocol.decide, index)
            if mine:
                found.append(built[mine])
        return tuple(found)

    return RouteTable(
        routes=tuple(routes),
        hosts={host: answerers([*own, *any_host]) for host, own in by_host.items()},
        any_host=answerers(any_host),
        needs=_needs(
            routes, {ANY_HOST: any_host, **{h: [*n, *any_host] for h, n in by_host.items()}}
        ),
        looks=tuple(dict.fromkeys(look for route in routes for look in choice.looks(route))),
    )


def _needs(routes: Sequence[Route], by_host: Mapping[str, Sequence[int]]) -> dict[str, Needs]:
    each = {
        number: need for number, route in enumerate(routes) if (need := choice.needs(route)).any
    }
    found = {}
    for host, numbers in by_host.items() if each else ():
        mine = [each[number] for number in numbers if number in each]
        if mine:
            found[host] = Needs(
                any=True,
                place=any(need.place for need in mine),
                draw=any(need.draw for need in mine),
            )
    return found
