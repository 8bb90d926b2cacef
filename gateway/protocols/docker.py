"""Container images: the registry API as `docker pull` and its relatives speak it."""

import re
from collections.abc import Sequence
from typing import Literal, cast
from urllib.parse import quote, unquote

import msgspec

from gateway.decision import Decision, FromRegistry, Hit, Redirect, Refusal, Reply, Source
from gateway.escapes import canonical
from gateway.events import EventType
from gateway.globs import compile_glob, is_literal
from gateway.request import Request
from gateway.routes import DockerRoute

Endpoint = Literal["manifests", "blobs", "tags", "referrers"]

_EVENT_TYPES: dict[Endpoint, EventType] = {
    # Tag resolutions, version checks and pulls all ask for manifests; the method column and the
    # amended variables tell them apart, so the raw event does not.
    "manifests": "pull",
    "blobs": "blob",
    "tags": "metadata",
    "referrers": "metadata",
}
_VERSION_HEADER = {"Docker-Distribution-API-Version": "registry/2.0"}
LOGIN_HEADERS = {**_VERSION_HEADER, "WWW-Authenticate": 'Basic realm="Registry", charset="UTF-8"'}
_JSON = "application/json; charset=utf-8"

# An upload's reference has a slash in it; uploads are claimed to be refused in words.
_PATH = re.compile(
    f"/v2/(?P<name>.+)/(?P<endpoint>{'|'.join(_EVENT_TYPES)})/(?P<reference>uploads/[^/]*|[^/]+)"
)
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_NAME = re.compile(f"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]{32,}")
_NAME_LIMIT = 255

# The first version of the API. Nothing of it is served; only the paths that clients of today still
# try are claimed, so that a file route may begin with /v1/.
_FIRST_VERSION = re.compile(r"/v1/(?:_ping|search|repositories/.*|images/.*|users/?)")

# How the daemon's short name for the biggest registry is spelt on the network.
_ALIASES = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


class _Target(msgspec.Struct, frozen=True, gc=False):
    """A route with its upstream worked out once."""

    route: DockerRoute
    registry: str


class _Pattern(msgspec.Struct, frozen=True, gc=False):
    """A pattern with its place in the file, where the first one that matches wins."""

    place: int
    expression: re.Pattern[str]
    target: _Target


class DockerIndex(msgspec.Struct, frozen=True):
    """One host's images: exact names first, then patterns in file order."""

    images: dict[str, _Target]
    patterns: dict[str, list[_Pattern]]  # by first segment, "" where that is no plain name
    private: bool  # some route wants the client's credentials, so the ping must ask for them
    door: FromRegistry | None  # where to try them; None: there is not one registry to ask
    ping: str  # where to send the ping; "": it is answered here


def build(routes: Sequence[DockerRoute]) -> DockerIndex:
    """Prepare one host's images."""
    images: dict[str, _Target] = {}
    patterns: dict[str, list[_Pattern]] = {}
    for place, route in enumerate(routes):
        target = _Target(route, registry_url(route.registry))
        if route.image:
            images.setdefault(route.image, target)
        elif route.pattern:
            first = route.pattern.partition("/")[0]
            pattern = _Pattern(place, compile_glob(route.pattern), target)
            patterns.setdefault(first if is_literal(first) else "", []).append(pattern)
    registries = {registry_url(route.registry) for route in routes}
    # dockerd keys its token on the host that finally answered the ping, so where everything is
    # redirected to one registry the ping must go there as well.
    redirected = len(registries) == 1 and all(route.mode == "redirect" for route in routes)
    return DockerIndex(
        images=images,
        patterns=patterns,
        private=any(route.private for route in routes),
        door=_door([route for route in routes if route.private]),
        ping=f"{registries.pop()}/v2/" if redirected else "",
    )


def _door(private: Sequence[DockerRoute]) -> FromRegistry | None:
    registries = {registry_url(route.registry) for route in private}
    if len(registries) != 1:
        return None
    allow_private = any(route.allow_private for route in private)
    return FromRegistry(registry=registries.pop(), endpoint="ping", allow_private=allow_private)


def registry_url(registry: str) -> str:
    """A registry's base URL from a host or a URL; a bare host means https."""
    scheme, separator, rest = registry.rstrip("/").partition("://")
    if not separator:
        scheme, rest = "https", scheme
    host, slash, path = rest.partition("/")
    return f"{scheme}://{_ALIASES.get(host, host)}{slash}{canonical(path)}"


def decide(index: DockerIndex, request: Request) -> Decision | None:
    """Answer the registry API on a host that has images; every other path is not ours."""
    if not index.images and not index.patterns:
        return None
    path = unquote(request.path, errors="replace")
    if _FIRST_VERSION.fullmatch(path):
        return _error(404, "UNSUPPORTED", "only version 2 of the registry API is served")
    if path in {"/v2", "/v2/"}:
        return _ping(index, request)
    if path == "/v2/_catalog":
        return _error(404, "UNSUPPORTED", "this registry does not list its images")
    asked = _parse(path)
    if asked is None:
        return None
    name, endpoint, reference = asked
    if request.method not in {"GET", "HEAD"}:
        return _error(405, "UNSUPPORTED", "images are pulled here, not pushed", Allow="GET, HEAD")
    target = _find(index, name)
    if target is None:
        return _error(404, "NAME_UNKNOWN", "no image of this name is served here")
    if not _is_reference(endpoint, reference):
        return _error(404, "MANIFEST_UNKNOWN", "no tag or digest has this form")
    return _serve(target, request, name, endpoint, reference)


def _ping(index: DockerIndex, request: Request) -> Decision:
    if request.method not in {"GET", "HEAD"}:
        return _error(405, "UNSUPPORTED", "only GET and HEAD are served", Allow="GET, HEAD")
    if index.ping:
        return Redirect(location=index.ping)
    if index.private:
        credentials = _credentials(request)
        if credentials is None:
            # Clients learn from the ping alone whether to send their credentials later.
            return _login()
        if index.door is not None:
            # Who logs in shows them here, and is to be told at once if they are wrong.
            return msgspec.structs.replace(index.door, authorization=credentials)
    return Reply(body=b"{}", content_type=_JSON, headers=_VERSION_HEADER)


def _parse(path: str) -> tuple[str, Endpoint, str] | None:
    """Name, endpoint and reference of /v2/<name>/<endpoint>/<reference>; names contain slashes."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    return found["name"], cast("Endpoint", found["endpoint"]), found["reference"]


def _find(index: DockerIndex, name: str) -> _Target | None:
    exact = index.images.get(name)
    if exact is not None:
        return exact
    # The grammar is checked before a pattern may hand a name on to an upstream.
    if len(name) > _NAME_LIMIT or not _NAME.fullmatch(name):
        return None
    first = name.partition("/")[0]
    matches = [
        next((each for each in patterns if each.expression.fullmatch(name)), None)
        for patterns in (index.patterns.get(first, ()), index.patterns.get("", ()))
    ]
    found = min((each for each in matches if each is not None), key=_place, default=None)
    return found.target if found is not None else None


def _place(pattern: _Pattern) -> int:
    return pattern.place


def _is_reference(endpoint: Endpoint, reference: str) -> bool:
    if endpoint == "tags":
        return reference == "list"
    if _DIGEST.fullmatch(reference):
        return True
    return endpoint == "manifests" and _TAG.fullmatch(reference) is not None


def _serve(
    target: _Target, request: Request, name: str, endpoint: Endpoint, reference: str
) -> Decision:
    route = target.route
    credentials = _credentials(request)
    if route.private and route.mode == "proxy" and credentials is None:
        return _login()
    hit = _hit(route, name, endpoint, reference)
    repository = route.repository if route.image and route.repository else name
    query = _upstream_query(request.query)
    if route.mode == "redirect":
        location = f"{target.registry}/v2/{repository}/{endpoint}/{quote(reference, safe=':@')}"
        return Redirect(location=f"{location}?{query}" if query else location, hits=(hit,))
    return FromRegistry(
        registry=target.registry,
        repository=repository,
        image=name,
        endpoint=endpoint,
        reference=reference,
        query=query,
        fallbacks=tuple(
            Source(
                registry=registry_url(fallback.registry),
                repository=fallback.repository or repository,
            )
            for fallback in route.fallback
        ),
        authorization=credentials if route.private else None,
        allow_private=route.allow_private,
        hits=(hit,),
    )


def _hit(route: DockerRoute, name: str, endpoint: Endpoint, reference: str) -> Hit:
    package = name if route.pattern else route.package or name
    variables = {"rule-id": route.rule_id} if route.rule_id else {}
    is_tag = endpoint == "manifests" and ":" not in reference
    return Hit(
        event_type=_EVENT_TYPES[endpoint],
        route_type="docker",
        package_id=package if route.pattern else route.package_id or package,
        package=package,
        artifact=name,
        version=reference if is_tag else None,
        reference=reference,
        variables=variables,
    )


def _upstream_query(query: str) -> str:
    """The query without what containerd adds for mirrors: the name of the registry it mirrors."""
    return "&".join(pair for pair in query.split("&") if pair and not pair.startswith("ns="))


def _credentials(request: Request) -> str | None:
    shown = request.headers.get("authorization", "")
    return shown if shown.startswith("Basic ") else None


def _login() -> Refusal:
    reason = "this image needs the credentials of its own registry; log in to this host with them"
    return Refusal(
        status=401, reason=reason, body=error_body("UNAUTHORIZED", reason), headers=LOGIN_HEADERS
    )


def _error(status: int, code: str, reason: str, **headers: str) -> Refusal:
    body = error_body(code, reason)
    return Refusal(status=status, reason=reason, body=body, headers={**_VERSION_HEADER, **headers})


def error_body(code: str, message: str) -> bytes:
    """An error in the form that clients of registries show to people."""
    return msgspec.json.encode({"errors": [{"code": code, "message": message, "detail": None}]})
