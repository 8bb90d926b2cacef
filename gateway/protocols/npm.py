"""npm packages: packuments and tarballs as npm, pnpm, yarn and bun ask for them."""

import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import unquote

import msgspec

from gateway.decision import Decision, FromPackageRegistry, Hit, Redirect, Refusal, Reply
from gateway.escapes import canonical, climbs
from gateway.request import Request
from gateway.routes import NpmRoute
from gateway.template_syntax import parse_origin

Part = Literal["packument", "version", "dist-tags", "tarball"]

_JSON = "application/json; charset=utf-8"
_OWN = "/-/"
_DIST_TAGS = "/-/package/"
_NAME = re.compile(r"(?:@[^/@]+/)?[^/@._][^/@]*")
_AUDITS = "/-/npm/v1/security/"
_TARBALL = ".tgz"


class NpmIndex(msgspec.Struct, frozen=True):
    """One host's npm packages by their names, scope included."""

    packages: dict[str, NpmRoute]
    others: str  # the registry that knows every other package, without trailing slash; "": none


def build(routes: Sequence[NpmRoute]) -> NpmIndex:
    """Prepare one host's packages."""
    packages: dict[str, NpmRoute] = {}
    for route in routes:
        if not route.pass_through:
            packages.setdefault(route.package, route)
    others = next((_registry(route) for route in routes if route.pass_through), "")
    return NpmIndex(packages, others)


def _registry(route: NpmRoute) -> str:
    """The base URL of a route's registry, without a trailing slash."""
    return "".join(parse_origin(route.registry))


def decide(index: NpmIndex, request: Request) -> Decision | None:
    """Answer for the packages listed, and for the registry's own endpoints on their host.

    Other packages are left to the next protocol, or passed through where the operator asked for it.
    """
    if not index.packages and not index.others:
        return None
    # Clients write the slash after a scope as it is, as %2f or as %2F; decoding first makes one.
    path = unquote(request.path, errors="replace").removesuffix("/")
    if path.startswith(_OWN):
        return _own_endpoint(index, request, path)
    parsed = _parse(path.removeprefix("/"))
    if parsed is None:
        return None
    name, part, reference = parsed
    route = index.packages.get(name)
    if route is not None:
        return _fetch(route, request, part, reference)
    if index.others and _NAME.fullmatch(name):
        return _passed_through(index, request)
    return None


def _own_endpoint(index: NpmIndex, request: Request, path: str) -> Decision:
    """The endpoints under /-/. An audit's 404 is what lets `npm install` carry on in silence."""
    if path == "/-/ping":
        return Reply(body=b"{}", content_type=_JSON)
    name = path.removeprefix(_DIST_TAGS).removesuffix("/dist-tags")
    if path == f"{_DIST_TAGS}{name}/dist-tags" and name in index.packages:
        return _fetch(index.packages[name], request, "dist-tags", "")
    # Whoever logs in or publishes here means this host, and must not tell another what it sends.
    if index.others and (_is_read(request) or path.startswith(_AUDITS)):
        return _redirected(index, request)
    return _refusal(404, "this endpoint of the registry is not served here")


def _passed_through(index: NpmIndex, request: Request) -> Decision:
    """Send the client on to the registry that has every other package, for all of its documents.

    What somebody installs beside the packages of this domain is not the operator's to know.
    """
    return _redirected(index, request) if _is_read(request) else _read_only()


def _redirected(index: NpmIndex, request: Request) -> Decision:
    if climbs(canonical(request.path)):
        return _refusal(400, "the path has . or .. segments, which are not sent on")
    query = f"?{request.query}" if request.query else ""
    return Redirect(location=f"{index.others}{request.path}{query}")


def _is_read(request: Request) -> bool:
    return request.method in {"GET", "HEAD"}


def _read_only() -> Refusal:
    return _refusal(405, "packages are installed from here, not published", Allow="GET, HEAD")


def _parse(path: str) -> tuple[str, Part, str] | None:
    """Name, part and reference of a path without its first slash."""
    segments = path.split("/")
    width = 2 if segments[0].startswith("@") else 1
    name, rest = "/".join(segments[:width]), segments[width:]
    match rest:
        case []:
            return name, "packument", ""
        case ["-", file_name] if file_name.endswith(_TARBALL):
            return name, "tarball", file_name
        # yarn and some mirrors repeat the scope before the file's name
        case ["-", scope, file_name] if scope == segments[0] and file_name.endswith(_TARBALL):
            return name, "tarball", file_name
        case [version_or_tag] if version_or_tag and version_or_tag != "-":
            return name, "version", version_or_tag
    return None


def _fetch(route: NpmRoute, request: Request, part: Part, reference: str) -> Decision:
    if not _is_read(request):
        return _read_only()
    return FromPackageRegistry(
        registry=f"{_registry(route)}/",
        name=route.package,
        base=f"{request.scheme}://{request.authority or request.host}/",
        part=part,
        reference=reference,
        allow_private=route.allow_private,
        hits=(_hit(route, part, reference),),
    )


def _hit(route: NpmRoute, part: Part, reference: str) -> Hit:
    is_tarball = part == "tarball"
    return Hit(
        event_type="download" if is_tarball else "metadata",
        route_type="npm",
        package_id=route.package_id or route.package,
        package=route.package,
        artifact=reference if is_tarball else route.package,
        version=tarball_version(route.package, reference) if is_tarball else None,
        reference=reference or None,
    )


def tarball_version(name: str, file_name: str) -> str | None:
    """The version in a tarball's name; None where it is not named after its package."""
    start = f"{name.rpartition('/')[2]}-"
    if not file_name.startswith(start) or not file_name.endswith(_TARBALL):
        return None
    return file_name.removeprefix(start).removesuffix(_TARBALL) or None


def tarball_name(name: str, version: str) -> str:
    """A tarball's usual name, which leaves the scope out."""
    return f"{name.rpartition('/')[2]}-{version}{_TARBALL}"


def _refusal(status: int, reason: str, **headers: str) -> Refusal:
    body = msgspec.json.encode({"error": reason})
    return Refusal(status=status, reason=reason, body=body, headers=headers)
