"""Everything else on a domain, sent to another domain with its path and query."""

from collections.abc import Sequence

import msgspec

from gateway import queries
from gateway.artifacts import event_type
from gateway.decision import Decision, Hit, Redirect, Refusal, Reply
from gateway.escapes import canonical, climbs, decoded, legal_path, legal_query
from gateway.request import Request
from gateway.routes import CatchAllRoute
from gateway.template_syntax import parse_origin

_REDIRECTED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_COLLECTED = ("GET", "HEAD", "POST")


class CatchAllIndex(msgspec.Struct, frozen=True):
    """One host's catch-all."""

    route: CatchAllRoute
    target: str  # scheme, authority and path prefix; "": answer 200
    prefixed: bool


def build(routes: Sequence[CatchAllRoute]) -> CatchAllIndex:
    """Prepare the one catch-all of a host; further ones are never reached."""
    route = routes[0]
    if not route.target:
        return CatchAllIndex(route, "", prefixed=False)
    origin, prefix = parse_origin(route.target)
    return CatchAllIndex(route, origin + prefix, prefixed=bool(prefix))


def decide(index: CatchAllIndex, request: Request) -> Decision | None:
    """Answer every path; OPTIONS * names none."""
    if not request.path.startswith("/"):
        return None
    methods = _REDIRECTED if index.target else _COLLECTED
    if request.method not in methods:
        return Refusal(
            status=405,
            reason=f"only {', '.join(methods)} are served here",
            headers={"Allow": ", ".join(methods)},
        )
    path = canonical(request.path)
    # Inside a prefix, dot segments would lead out of what the route promises.
    if index.prefixed and climbs(path):
        return Refusal(status=400, reason="the path has . or .. segments, which are not sent on")
    name = decoded(path.rpartition("/")[2])
    variables = queries.parse(request.query).variables()
    package = index.route.package or request.host
    hit = Hit(
        event_type=event_type(name) if index.target else "telemetry",
        route_type="catch-all",
        package_id=index.route.package_id or package,
        package=package,
        artifact=name,
        version=variables.get("version") or None,
        reference=name,
        variables=variables,
    )
    if not index.target:
        return Reply(hits=(hit,))
    location = index.target + legal_path(request.path)
    if request.query:
        location += "?" + legal_query(request.query)
    return Redirect(location=location, hits=(hit,))
