"""Repositories whose paths name their packages: sent on, and understood by their format."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from gateway.affixes import Affixes
from gateway.decision import (
    Decision,
    FromRepository,
    Hit,
    Redirect,
    Refusal,
    RepositoryDocument,
)
from gateway.escapes import canonical, decoded
from gateway.formats import (
    apt,
    cargo,
    composer,
    conda,
    generic,
    go,
    helm,
    homebrew,
    maven,
    nix,
    rpm,
    rubygems,
    terraform,
)
from gateway.formats.artifact import REPOSITORY, Artifact, Segments
from gateway.globs import compile_glob
from gateway.request import Request
from gateway.routes import Format, RepositoryRoute
from gateway.template_syntax import parse_origin

CLASSIFY: Final[Mapping[Format, Callable[[Segments], Artifact]]] = {
    "apt": apt.classify,
    "cargo": cargo.classify,
    "composer": composer.classify,
    "conda": conda.classify,
    "generic": generic.classify,
    "go": go.classify,
    "helm": helm.classify,
    "homebrew": homebrew.classify,
    "maven": maven.classify,
    "nix": nix.classify,
    "rpm": rpm.classify,
    "rubygems": rubygems.classify,
    "terraform": terraform.classify,
}


_READ: Final = 2048  # paths


class _Repository(msgspec.Struct, frozen=True):
    """A route with its upstream worked out once."""

    route: RepositoryRoute
    upstream: str  # without a trailing slash
    packages: re.Pattern[str] | None  # None: every package is recorded


class RepositoryIndex(msgspec.Struct, frozen=True):
    """One host's repositories by what their paths begin with."""

    repositories: Affixes[_Repository]


class _Asked(msgspec.Struct, frozen=True):
    """What a request asks of a repository."""

    rest: str  # the path below the route's own, as sent
    segments: Segments  # decoded; () for a folder
    artifact: Artifact


def build(routes: Sequence[RepositoryRoute]) -> RepositoryIndex:
    """Prepare one host's repositories; of two paths that fit, the longer one wins."""
    return RepositoryIndex(
        Affixes((canonical(route.path), "", _repository(route)) for route in routes)
    )


def _repository(route: RepositoryRoute) -> _Repository:
    patterns = "|".join(compile_glob(pattern).pattern for pattern in route.packages)
    return _Repository(
        route=route,
        upstream="".join(parse_origin(route.upstream)),
        packages=re.compile(patterns) if patterns else None,
    )


def decide(index: RepositoryIndex, request: Request) -> Decision | None:
    """Send everything below a repository's path on to its upstream.

    Only the few documents whose links would lead clients past the gateway are served by it.
    """
    path = canonical(request.path)
    repository = _find(index, path)
    if repository is None:
        return None
    if request.method not in {"GET", "HEAD"}:
        return Refusal(
            status=405, reason="this repository is only read", headers={"Allow": "GET, HEAD"}
        )
    prefix = canonical(repository.route.path)
    below = path.removeprefix(prefix)
    if ".." in below.split("/"):
        return Refusal(status=400, reason="the path has .. segments, which are not sent on")
    # As sent where that can be told, because an upstream may know one spelling of a name only.
    rest = request.path.removeprefix(prefix) if request.path.startswith(prefix) else below
    if "." in below.split("/"):
        # A flat Debian repository is written ./ and so asked for; resolved as RFC 3986 has it.
        rest = "/".join(part for part in below.split("/") if part != ".")
    asked = _asked(repository.route.format, rest)
    hits = _hits(repository, asked)
    fetch = _fetch(repository, asked, request, hits)
    if fetch is not None:
        return fetch
    if repository.route.format == "nix" and asked.segments[:1] == (nix.NAMED,):
        rest = "/".join(rest.split("/")[2:])
    location = f"{repository.upstream}/{rest}"
    return Redirect(
        location=f"{location}?{request.query}" if request.query else location,
        hits=hits,
        cache_control=repository.route.cache_control,
    )


def find(index: RepositoryIndex, request: Request) -> RepositoryRoute | None:
    """The route that would answer, whatever it would say."""
    repository = _find(index, canonical(request.path))
    return repository.route if repository is not None else None


def _find(index: RepositoryIndex, path: str) -> _Repository | None:
    return next(iter(index.repositories.candidates(path)), None)


# A release is asked for by many, and to read its path takes longer than all the rest of a decision.
@lru_cache(_READ)
def _asked(form: Format, rest: str) -> _Asked:
    segments = tuple(decoded(part) for part in rest.split("/") if part)
    if not segments or rest.endswith("/"):
        return _Asked(rest, (), REPOSITORY)
    return _Asked(rest, segments, CLASSIFY[form](segments))


def _hits(repository: _Repository, asked: _Asked) -> tuple[Hit, ...]:
    route, artifact = repository.route, asked.artifact
    if repository.packages and artifact.name and not repository.packages.fullmatch(artifact.name):
        return ()
    identity = route.package_id or route.package
    name = asked.segments[-1] if asked.segments else ""
    return (
        Hit(
            event_type=artifact.kind,
            route_type="repository",
            package_id=f"{identity}/{artifact.name}" if artifact.name else identity,
            package=artifact.name or route.package,
            artifact=artifact.file or name,
            version=artifact.version,
            # The artifact's name as well where the path ends in no name of a file, so that one
            # file asked for in two ways is one thing.
            reference=artifact.file or name or None,
            variables={"format": route.format, **artifact.facts},
        ),
    )


def _fetch(
    repository: _Repository, asked: _Asked, request: Request, hits: tuple[Hit, ...]
) -> FromRepository | None:
    """The documents that are served here, and the links in them that need a look-up."""
    route = repository.route

    def fetch(path: str, document: RepositoryDocument, *link: str) -> FromRepository:
        return FromRepository(
            upstream=repository.upstream,
            path=path,
            document=document,
            base=f"{request.scheme}://{request.authority or request.host}{route.path}",
            link=link,
            allow_private=route.allow_private,
            hits=hits,
        )

    match route.format, asked.segments:
        case "cargo", (cargo.CONFIG,):
            return fetch(asked.rest, "cargo-config")
        case "cargo", (cargo.DOWNLOADS, name, version, "download"):
            return fetch(cargo.CONFIG, "cargo-config", name, version, "")
        case "cargo", (cargo.DOWNLOADS, name, version, checksum, "download"):
            return fetch(cargo.CONFIG, "cargo-config", name, version, checksum)
        case "helm", (*_, helm.INDEX):
            return fetch(asked.rest, "helm-index")
        case "helm", (*_, helm.ELSEWHERE, digest, file):
            folders = asked.rest.rpartition(f"{helm.ELSEWHERE}/")[0]
            return fetch(f"{folders}{helm.INDEX}", "helm-index", digest, file)
        case "composer", (composer.PACKAGES,) | ("p2", _, _):
            return fetch(asked.rest, "json-links")
        case "nix", (*_, file) if file.endswith(nix.NARINFO):
            return fetch(asked.rest, "narinfo")
        case "terraform", terraform.DISCOVERY:
            return fetch(asked.rest, "json-links")
        case "terraform", segments if terraform.is_mirror_version(segments):
            return fetch(asked.rest, "json-links")
    return None
