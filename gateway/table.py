"""The route table: for each host, its protocols' prebuilt indexes in the order they are asked."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

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

    def serves(self, host: str) -> bool:
        """Whether a route names the host, lower case and without its port."""
        return host in self.hosts


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
    )
