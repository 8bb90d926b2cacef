"""Reports of npm post-install scripts, in the form that scarf-js sends them."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

from gateway import bodies
from gateway.decision import Decision, Hit, Refusal, Reply
from gateway.request import Request
from gateway.routes import NpmInstallRoute

INSTALL_PATH = "/package-event/install"

_JSON = "application/json; charset=utf-8"
_BODY_BYTES = 1024 * 1024
_PARENT = "dependencyInfo.parent."
# The installing project and whatever stands between: their names are hashed by the reporter, but a
# hash of a name that can be guessed is the name.
_PRIVATE = ("dependencyInfo.rootPackage.", "dependencyInfo.grandparent.")
_NAME_LIMIT = 214  # characters; what the npm registry allows
_NAME = re.compile(r"(?:@[A-Za-z0-9~._-]+/)?[A-Za-z0-9~._-]+")


class NpmInstallIndex(msgspec.Struct, frozen=True):
    """One host's routes by package id and by package, and the one that takes the rest."""

    by_id: dict[str, NpmInstallRoute]
    by_package: dict[str, NpmInstallRoute]
    rest: NpmInstallRoute | None


def build(routes: Sequence[NpmInstallRoute]) -> NpmInstallIndex:
    """Prepare one host's routes."""
    by_id: dict[str, NpmInstallRoute] = {}
    by_package: dict[str, NpmInstallRoute] = {}
    rest = None
    for route in routes:
        if route.package or route.package_id:
            by_id.setdefault(route.package_id or route.package, route)
            by_package.setdefault(route.package, route)
        elif rest is None:
            rest = route
    by_package.pop("", None)
    return NpmInstallIndex(by_id, by_package, rest)


def decide(index: NpmInstallIndex, request: Request) -> Decision | None:
    """Take a report for the package that the path's id names, or else the body."""
    path = unquote(request.path, errors="replace").removesuffix("/")
    package_id = path.removeprefix(f"{INSTALL_PATH}/") if path != INSTALL_PATH else ""
    if path not in {INSTALL_PATH, f"{INSTALL_PATH}/{package_id}"}:
        return None
    if index.rest is None and not index.by_id:
        return None
    if request.method != "POST":
        return Refusal(
            status=405, reason="install reports are sent here by POST", headers={"Allow": "POST"}
        )
    event = _read(request.body)
    if isinstance(event, Refusal):
        return event
    name = event.variables.get(f"{_PARENT}name", "")
    if len(name) > _NAME_LIMIT or not _NAME.fullmatch(name):
        return Refusal(status=422, reason="dependencyInfo.parent.name is no package's name")
    route = index.by_id.get(package_id) if package_id else index.by_package.get(name)
    route = route or index.rest
    if route is None:
        return Refusal(status=404, reason="no route takes reports of this package")
    return Reply(body=b"{}", content_type=_JSON, hits=(_hit(route, package_id, name, event),))


def _read(body: bytes) -> bodies.BodyEvent | Refusal:
    events = bodies.parse(body, max_bytes=_BODY_BYTES, max_events=1)
    if isinstance(events, Refusal):
        # A second event is as much a bad report as none.
        is_large = len(body) > _BODY_BYTES
        return events if is_large else msgspec.structs.replace(events, status=422)
    if not events:
        return Refusal(status=422, reason="an install report is one JSON object")
    return events[0]


def _hit(route: NpmInstallRoute, package_id: str, name: str, event: bodies.BodyEvent) -> Hit:
    package = route.package or name
    kept = {
        key: value
        for key, value in event.variables.items()
        if not key.startswith(_PRIVATE) and key not in {f"{_PARENT}name", f"{_PARENT}version"}
    }
    return Hit(
        event_type="install",
        route_type="npm",
        package_id=route.package_id or package_id or package,
        package=package,
        artifact=name,
        version=event.variables.get(f"{_PARENT}version") or None,
        variables=kept,
    )
