"""Reads a Scarf manifest as it is: {"rules": [...]}, each rule with Scarf's own keys.

A key that no rule of its type has is tolerated there, so it is told here and served all the same.
What Scarf serves without a rule is served here too: view pixels on `static.scarf.sh` and install
reports on `scarf.sh`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from packaging.utils import canonicalize_name

from gateway.check import Placed, describe, problems_of
from gateway.problems import Problem, suggestion
from gateway.routes import (
    CatchAllRoute,
    DockerRoute,
    FileRoute,
    NpmInstallRoute,
    PixelRoute,
    PythonFile,
    PythonRoute,
    RegexRoute,
    Route,
    TelemetryRoute,
)

PIXEL_DOMAIN: Final = "static.scarf.sh"
NPM_INSTALL_DOMAIN: Final = "scarf.sh"

# A list of tokens that is there but empty lets nobody in. No token is known to have this digest.
_NOBODY: Final = "0" * 64

# Names of a registry that have moved on, and the host that answers today.
_REGISTRIES: Final = {
    "registry.hub.docker.com": "registry-1.docker.io",
    "docker.io": "registry-1.docker.io",
}


class _Rule(msgspec.Struct, frozen=True, rename="kebab"):
    domain: str
    package_name: str | None = None
    package_id: str = ""
    owner: str | None = None


class _DockerV1(_Rule, frozen=True, kw_only=True):
    package_id: str
    repository_name: str
    registry: str
    always_proxy: bool = False  # images are proxied in any case, see DockerRoute.mode


class _DockerV2(_Rule, frozen=True, kw_only=True):
    pattern: str
    rule_id: str
    registry: str
    always_proxy: bool = False


class _File(_Rule, frozen=True, kw_only=True):
    package_id: str
    incoming_path: str
    outgoing_url: str | None = None


class _Hash(msgspec.Struct, frozen=True):
    type: str
    hash: str


class _Python(_Rule, frozen=True, kw_only=True):
    package_id: str
    package_name: str
    file_name: str
    version: str | None = None  # the file's name tells it
    hash_value: _Hash | None = None
    gpg_sig: bool | None = None
    requires_python: str | None = None
    backend_url: str
    backend_simple_index_url: str | None = None  # the rules list the files, so it is not asked
    backend_simple_index: str | None = None


class _CatchAll(_Rule, frozen=True, kw_only=True):
    package_id: str
    redirect_target_domain: str | None = None


class _Telemetry(_Rule, frozen=True, kw_only=True):
    incoming_path: str
    access_tokens: list[str] | None = None  # None: whoever likes may send


def read(text: str, name: str) -> tuple[list[Placed], list[Problem]]:
    """Read every rule. Every problem is told; a rule with a fatal one is left out."""
    try:
        document = json.loads(text)
        json.dumps(document, ensure_ascii=False).encode()  # halves of surrogate pairs are no text
    except (ValueError, RecursionError) as error:
        return [], [Problem(name, f"is no JSON: {error}")]
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list):
        return [], [Problem(name, 'is no manifest: it must be {"rules": [...]}')]
    problems = [
        Problem(name, f"{key!r} is no key of a manifest and is ignored", fatal=False)
        for key in document
        if key != "rules"
    ]
    placed: list[Placed] = []
    for number, fields in enumerate(rules, 1):
        rule, wrong = _rule(fields, f"{name}: rule {number}")
        problems += wrong
        if rule is not None:
            route = _ROUTES[fields["type"]](rule)
            placed.append(Placed(route, f"{name}: rule {number} ({describe(route)})"))
    placed = _one_python_route_a_project(placed)
    return [*placed, *_implied(name)], [*problems, *problems_of(placed)]


def _rule(fields: object, place: str) -> tuple[Any, list[Problem]]:
    if not isinstance(fields, dict):
        return None, [Problem(place, "is no object")]
    kind = fields.get("type")
    if kind is None:
        return None, [Problem(place, f"type is missing; it can be {', '.join(_RULES)}")]
    struct = _RULES.get(kind) if isinstance(kind, str) else None
    if struct is None:
        message = f"type: {kind!r} is no type of rule; {suggestion(str(kind), _RULES)}"
        return None, [Problem(place, message)]
    place = f"{place} ({kind})"
    known = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    problems = [
        Problem(place, f"{key}: unknown key, ignored; {suggestion(key, known)}", fatal=False)
        for key in fields
        if key not in known and key != "type"
    ]
    values: dict[str, Any] = {}
    for key, field in known.items():
        if key in fields:
            try:
                values[field.name] = msgspec.convert(fields[key], type=field.type)
            except msgspec.ValidationError as error:
                problems.append(Problem(place, f"{key}: {error}; the value is {fields[key]!r}"))
        elif field.required:
            problems.append(Problem(place, f"{key} is missing"))
    if any(problem.fatal for problem in problems):
        return None, problems
    return struct(**values), problems


def _docker_v1(rule: _DockerV1) -> Route:
    return DockerRoute(
        domains=_domains(rule),
        package=rule.package_name or rule.repository_name,
        package_id=rule.package_id,
        image=rule.repository_name,
        registry=_REGISTRIES.get(rule.registry, rule.registry),
    )


def _docker_v2(rule: _DockerV2) -> Route:
    return DockerRoute(
        domains=_domains(rule),
        pattern=rule.pattern,
        rule_id=rule.rule_id,
        registry=_REGISTRIES.get(rule.registry, rule.registry),
    )


def _file_v1(rule: _File) -> Route:
    return FileRoute(
        domains=_domains(rule),
        package=rule.package_name or rule.package_id,
        package_id=rule.package_id,
        incoming_path=rule.incoming_path,
        outgoing_url=rule.outgoing_url or "",
    )


def _file_v2(rule: _File) -> Route:
    return RegexRoute(
        domains=_domains(rule),
        package=rule.package_name or rule.package_id,
        package_id=rule.package_id,
        pattern=rule.incoming_path,
        outgoing_url=rule.outgoing_url or "",
    )


def _python_v1(rule: _Python) -> Route:
    url, _, fragment = rule.backend_url.partition("#")
    algorithm, equals, digest = fragment.partition("=")
    hashes = {algorithm: digest} if equals else {}
    if rule.hash_value is not None:
        hashes = {rule.hash_value.type: rule.hash_value.hash}
    return PythonRoute(
        domains=_domains(rule),
        package=rule.package_name,
        package_id=rule.package_id,
        files=(
            PythonFile(
                url=url,
                filename=rule.file_name,
                hashes=hashes,
                requires_python=rule.requires_python,
                gpg_sig=rule.gpg_sig,
            ),
        ),
    )


def _catch_all_v1(rule: _CatchAll) -> Route:
    return CatchAllRoute(
        domains=_domains(rule),
        package=rule.package_name or rule.package_id,
        package_id=rule.package_id,
        target=rule.redirect_target_domain or "",
    )


def _telemetry_v1(rule: _Telemetry) -> Route:
    tokens = rule.access_tokens
    if tokens is None:
        digests: tuple[str, ...] = ()
    else:
        hashed = (hashlib.sha256(token.encode()).hexdigest() for token in tokens)
        digests = tuple(dict.fromkeys(hashed)) or (_NOBODY,)
    return TelemetryRoute(
        domains=_domains(rule),
        package=rule.package_name or rule.package_id or rule.incoming_path,
        package_id=rule.package_id,
        path=rule.incoming_path,
        token_sha256=digests,
    )


def _domains(rule: _Rule) -> tuple[str, ...]:
    return (rule.domain.lower(),)


def _one_python_route_a_project(placed: list[Placed]) -> list[Placed]:
    """A python-v1 rule is one file; a route is a project with all of its files."""
    merged: dict[object, Placed] = {}
    for number, each in enumerate(placed):
        route = each.route
        if not isinstance(route, PythonRoute):
            merged[number] = each
            continue
        key = (route.domains, canonicalize_name(route.package))
        first = merged.setdefault(key, each)
        if first is not each and isinstance(first.route, PythonRoute):
            files = (*first.route.files, *route.files)
            whole = msgspec.structs.replace(first.route, files=files)
            merged[key] = Placed(whole, first.place)
    return list(merged.values())


def _implied(name: str) -> list[Placed]:
    routes: list[Route] = [
        PixelRoute(domains=(PIXEL_DOMAIN,), pixel_id="*"),
        NpmInstallRoute(domains=(NPM_INSTALL_DOMAIN,)),
    ]
    return [Placed(route, f"{name}: implied ({describe(route)})") for route in routes]


_RULES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "docker-v1": _DockerV1,
    "docker-v2": _DockerV2,
    "file-v1": _File,
    "file-v2": _File,
    "python-v1": _Python,
    "catch-all-v1": _CatchAll,
    "telemetry-v1": _Telemetry,
}
_ROUTES: Final[Mapping[str, Callable[[Any], Route]]] = {
    "docker-v1": _docker_v1,
    "docker-v2": _docker_v2,
    "file-v1": _file_v1,
    "file-v2": _file_v2,
    "python-v1": _python_v1,
    "catch-all-v1": _catch_all_v1,
    "telemetry-v1": _telemetry_v1,
}
