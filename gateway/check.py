"""What is wrong with routes: values that cannot be served, conflicts, and routes never reached."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final

import msgspec
from packaging.utils import canonicalize_name

from gateway.destination_faults import Fault, destination_faults, url_faults
from gateway.escapes import canonical, climbs
from gateway.globs import GlobError, compile_glob
from gateway.problems import Problem
from gateway.regexes import RegexError, compile_regex
from gateway.routes import (
    CatchAllRoute,
    DockerRoute,
    FileRoute,
    NpmInstallRoute,
    NpmRoute,
    PixelRoute,
    PythonFile,
    PythonRoute,
    RegexRoute,
    RepositoryRoute,
    Route,
    TelemetryRoute,
)
from gateway.template_syntax import TemplateError, parse_origin, parse_path, parse_url

_DOMAIN: Final = re.compile(r"\*|\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_PYTHON_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NPM_NAME: Final = re.compile(r"(?:@[A-Za-z0-9~._-]+/)?[A-Za-z0-9~._-]+")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_HEX: Final = re.compile(r"[0-9a-f]+")
_HEADER: Final = re.compile(r"[\x20-\x7e]+")


class Placed(msgspec.Struct, frozen=True):
    """A route and where it stands."""

    route: Route
    place: str


def describe(route: Route) -> str:
    """A route as its writer would name it, such as: file "/tool/{version}"."""
    kind, text = _identity(route)
    return f'{kind} "{text}"'


def faults(route: Route) -> Iterator[Fault]:
    """Every value of the route that cannot be served."""
    yield from _domain_faults(route.domains)
    match route:
        case DockerRoute():
            yield from _docker_faults(route)
        case FileRoute():
            yield from _named(route.package)
            yield from _file_faults(route)
        case RegexRoute():
            yield from _named(route.package)
            yield from _regex_faults(route)
        case PythonRoute():
            yield from _python_faults(route)
        case NpmRoute():
            yield from _package_or_all_others(route)
            if route.package and not _NPM_NAME.fullmatch(route.package):
                yield "package", f"{route.package!r} is no npm name, such as tool or @acme/tool"
            yield from _fixed_url("registry", route.registry)
        case TelemetryRoute():
            yield from _named(route.package)
            yield from _telemetry_faults(route)
        case PixelRoute():
            if not route.pixel_id:
                yield "pixel-id", 'is empty; it is the x-pxid of the image, or "*" for every one'
        case RepositoryRoute():
            yield from _named(route.package)
            yield from _repository_faults(route)
        case CatchAllRoute(target=target) if target:
            yield from _fixed_url("target", target)
        case CatchAllRoute() | NpmInstallRoute():
            pass


def conflicts(routes: Sequence[Placed]) -> Iterator[Problem]:
    """Routes that match exactly what an earlier one on the same domain matches."""
    first: dict[tuple[object, ...], Placed] = {}
    for placed in routes:
        key = _match_key(placed.route)
        for domain in dict.fromkeys(placed.route.domains):
            winner = first.setdefault((domain, *key), placed)
            if winner is not placed:
                yield Problem(
                    placed.place,
                    f"matches the same requests on {domain} as {winner.place}, which wins;"
                    " remove one of the two",
                    fatal=False,
                )


def _identity(route: Route) -> tuple[str, str]:
    match route:
        case DockerRoute():
            return "docker", route.image or route.pattern
        case FileRoute():
            return "file", route.incoming_path
        case RegexRoute():
            return "regex", route.pattern
        case PythonRoute():
            return "python", route.package or "pass-through"
        case NpmRoute():
            return "npm", route.package or "pass-through"
        case TelemetryRoute():
            return "telemetry", route.path
        case PixelRoute():
            return "pixel", route.pixel_id
        case NpmInstallRoute():
            return "npm-install", route.package_id or route.package or "*"
        case RepositoryRoute():
            return "repository", route.path
        case CatchAllRoute():
            return "catch-all", route.target


def _match_key(route: Route) -> tuple[object, ...]:
    """What makes two routes of a domain match the same requests."""
    kind, text = _identity(route)
    match route:
        case FileRoute():
            template = parse_path(route.incoming_path)
            query = sorted((key, _shape(value)) for key, value in template.query)
            return kind, _shape(template.path), tuple(query)
        case PythonRoute():
            return kind, canonicalize_name(route.package), route.pass_through
        case NpmRoute():
            return kind, route.package, route.pass_through
        case RepositoryRoute():
            return kind, canonical(route.path)
        case CatchAllRoute():
            return (kind,)
        case _:
            return kind, text


def _shape(parts: Sequence[object]) -> tuple[object, ...]:
    """Parts without the names of their variables."""
    return tuple(
        part if isinstance(part, str) else getattr(part, "reserved", None) for part in parts
    )


def _domain_faults(domains: Sequence[str]) -> Iterator[Fault]:
    if not domains:
        yield "domains", 'is empty; name a domain, or "*" for every one'
    for domain in domains:
        if _DOMAIN.fullmatch(domain):
            continue
        bare = domain.partition("://")[2] or domain
        bare = bare.partition("/")[0].lower()
        if not bare.startswith("["):
            bare = bare.partition(":")[0]
        remedy = f"; write {bare!r}" if _DOMAIN.fullmatch(bare) else ""
        yield (
            "domains",
            f"{domain!r} is no lower-case host name without scheme, port and path{remedy}",
        )


def _docker_faults(route: DockerRoute) -> Iterator[Fault]:
    if bool(route.image) == bool(route.pattern):
        yield "image", "give either image (one name) or pattern (many), not both and not neither"
    if route.image and not _IMAGE.fullmatch(route.image):
        yield "image", f"{route.image!r} is no image name, such as acme/tool, without a tag"
    if route.repository and not _IMAGE.fullmatch(route.repository):
        yield "repository", f"{route.repository!r} is no image name, such as acme/tool"
    if route.repository and route.pattern:
        yield "repository", "goes with image; what a pattern matches keeps its name upstream"
    if route.pattern:
        yield from _tried("pattern", lambda: compile_glob(route.pattern))
    yield from _fixed_url("registry", route.registry)
    yield from _fallback_faults(route)


def _fallback_faults(route: DockerRoute) -> Iterator[Fault]:
    for number, fallback in enumerate(route.fallback, 1):
        place = f"fallback[{number}]"
        yield from _fixed_url(f"{place}.registry", fallback.registry)
        repository = fallback.repository
        if repository and not _IMAGE.fullmatch(repository):
            yield f"{place}.repository", f"{repository!r} is no image name, such as acme/tool"
        if repository and route.pattern:
            yield f"{place}.repository", "goes with image; what a pattern matches keeps its name"
    if route.fallback and route.private:
        yield "fallback", "is for public images: a client's credentials go to their registry alone"
    if route.fallback and route.mode == "redirect":
        yield "fallback", 'needs mode = "proxy": a redirect never learns that a registry is down'


def _file_faults(route: FileRoute) -> Iterator[Fault]:
    incoming: frozenset[str] | None = None
    try:
        incoming = parse_path(route.incoming_path).variables
    except TemplateError as error:
        yield "incoming-path", f"{route.incoming_path!r} {error}"
    yield from _outgoing_faults(route, incoming, "incoming-path")


def _regex_faults(route: RegexRoute) -> Iterator[Fault]:
    groups: frozenset[str] | None = None
    try:
        groups = frozenset(compile_regex(route.pattern).groupindex)
    except RegexError as error:
        yield "pattern", f"{route.pattern!r} {error}"
    yield from _outgoing_faults(route, groups, "pattern")


def _outgoing_faults(
    route: FileRoute | RegexRoute, captured: frozenset[str] | None, source: str
) -> Iterator[Fault]:
    yield from _header_value(route.cache_control)
    if route.outgoing_url:
        yield from url_faults("outgoing-url", route.outgoing_url, captured, source)
    yield from destination_faults(route, captured, source)


def _package_or_all_others(route: PythonRoute | NpmRoute) -> Iterator[Fault]:
    if bool(route.package) == route.pass_through:
        choice = "package (one of yours) or pass-through = true (every other one)"
        yield "package", f"give either {choice}, not both and not neither"


def _python_faults(route: PythonRoute) -> Iterator[Fault]:
    yield from _package_or_all_others(route)
    if route.files and route.pass_through:
        yield "files", "go with package; what is passed through has its files where it is"
    if route.package and not _PYTHON_NAME.fullmatch(route.package):
        yield "package", f"{route.package!r} is no Python project name"
    if route.index:
        yield from _fixed_url("index", route.index)
    for number, file in enumerate(route.files, 1):
        for key, message in _python_file_faults(file):
            yield f"files[{number}].{key}", message


def _python_file_faults(file: PythonFile) -> Iterator[Fault]:
    try:
        if parse_url(file.url).variables:
            yield "url", f"{file.url!r} has a variable; a file has one fixed URL"
    except TemplateError as error:
        yield "url", f"{file.url!r} {error}"
    if "/" in file.filename:
        yield "filename", f"{file.filename!r} has a slash; give the name alone"
    for algorithm, digest in file.hashes.items():
        if algorithm not in hashlib.algorithms_guaranteed:
            yield "hashes", f"{algorithm!r} is no algorithm that pip knows, such as sha256"
        if not _HEX.fullmatch(digest):
            yield "hashes", f"{digest!r} is no lower-case hex digest"


def _telemetry_faults(route: TelemetryRoute) -> Iterator[Fault]:
    if not re.fullmatch(r"/[^?#{}\s]*", route.path):
        yield "path", f"{route.path!r} is no plain path that starts with a slash"
    for digest in route.token_sha256:
        if not _SHA256.fullmatch(digest):
            remedy = "make one with: printf %s TOKEN | sha256sum"
            yield "token-sha256", f"holds what is no SHA-256 digest in lower-case hex; {remedy}"
    if route.max_body_bytes < 1:
        yield "max-body-bytes", f"is {route.max_body_bytes}; it must be at least 1"
    if route.max_events < 1:
        yield "max-events", f"is {route.max_events}; it must be at least 1"


def _repository_faults(route: RepositoryRoute) -> Iterator[Fault]:
    if not re.fullmatch(r"/(?:[^?#{}\s]*/)?", route.path) or climbs(canonical(route.path)):
        remedy = "write what the repository's paths begin with, such as / or /debian/"
        yield "path", f"{route.path!r} is no path between two slashes; {remedy}"
    yield from _fixed_url("upstream", route.upstream)
    for number, pattern in enumerate(route.packages, 1):
        yield from _tried(f"packages[{number}]", partial(compile_glob, pattern), shown=pattern)
    yield from _header_value(route.cache_control)


def _header_value(cache_control: str) -> Iterator[Fault]:
    if not _HEADER.fullmatch(cache_control):
        yield "cache-control", f"{cache_control!r} is no header value, such as no-store"


def _named(package: str) -> Iterator[Fault]:
    if not package:
        yield "package", "is empty; give the name that the dashboard shall show"


def _fixed_url(key: str, url: str) -> Iterator[Fault]:
    yield from _tried(key, lambda: parse_origin(url), shown=url)


def _tried(key: str, act: Callable[[], object], shown: str = "") -> Iterator[Fault]:
    try:
        act()
    except (TemplateError, GlobError) as error:
        yield key, f"{shown!r} {error}" if shown else str(error)


def problems_of(routes: Iterable[Placed]) -> list[Problem]:
    """Every fault of every route, each at its place."""
    return [
        Problem(placed.place, f"{key}: {message}")
        for placed in routes
        for key, message in faults(placed.route)
    ]
