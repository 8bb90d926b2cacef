"""Live npm packuments: `dist.tarball` leads to the gateway, and from there to where it is."""

from typing import Any
from urllib.parse import quote

import msgspec

from gateway.decision import FromPackageRegistry
from gateway.protocols.media import accepted
from gateway.protocols.npm import tarball_name, tarball_version
from gateway.request import Request
from gateway.upstream.answer import Answer
from gateway.upstream.documents import Documents, Source
from gateway.upstream.rendered import is_web_url, redirected_answer, rendered_answer
from gateway.upstream.trouble import Refused, Trouble, as_answer

_FULL = "application/json"
# What installers ask for: the packument without what only people read.
_ABBREVIATED = "application/vnd.npm.install-v1+json"
_ACCEPT_ABBREVIATED = f"{_ABBREVIATED}; q=1.0, {_FULL}; q=0.8"


class Packuments:
    """Carries out `FromPackageRegistry`."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def answer(self, fetch: FromPackageRegistry, request: Request) -> Answer:
        """Serve a packument or a part of it, or send the client on to a tarball."""
        try:
            if fetch.part == "tarball":
                return redirected_answer(await self._tarball_url(fetch), fetch.hits)
            return await self._document(fetch, request)
        except Trouble as trouble:
            return as_answer(trouble, fetch.hits)

    async def _document(self, fetch: FromPackageRegistry, request: Request) -> Answer:
        wanted = accepted(request.headers.get("accept", ""), (_FULL, _ABBREVIATED)) or _FULL
        is_whole = fetch.part == "packument"
        media_type = wanted if is_whole else _FULL
        document = await self._documents.get(_source(fetch, media_type), parse_packument)
        made = await self._documents.rendering(
            document,
            fetch.base,
            f"{fetch.part} {fetch.reference}",
            lambda body: _rendered(body, fetch),
        )
        return rendered_answer(made, media_type, request, fetch.hits)

    async def _tarball_url(self, fetch: FromPackageRegistry) -> str:
        """Where a tarball is: by the packument, or by custom while there is none to be had."""
        version = tarball_version(fetch.name, fetch.reference) or ""
        abbreviated, full = _source(fetch, _ABBREVIATED), _source(fetch, _FULL)
        for source in (abbreviated, full):
            held = self._documents.held(source)
            if held is not None and version in held.links:
                return held.links[version]
        try:
            document = await self._documents.newest(abbreviated, parse_packument)
        except Refused:
            raise
        except Trouble:
            return f"{fetch.registry}{_path(fetch.name)}/-/{quote(fetch.reference)}"
        url = document.links.get(version)
        if url is None:
            raise Refused(404, "this package has no such version")
        return url


def _source(fetch: FromPackageRegistry, media_type: str) -> Source:
    accept = _ACCEPT_ABBREVIATED if media_type == _ABBREVIATED else _FULL
    return Source(f"{fetch.registry}{_path(fetch.name)}", accept, fetch.allow_private)


def _path(name: str) -> str:
    """A name as a registry's path has it: the slash after the scope is encoded."""
    return quote(name, safe="@")


def parse_packument(body: bytes, _url: str, _content_type: str) -> tuple[bytes, dict[str, str]]:
    """A packument as it is, and its tarballs' URLs by version. Raises ValueError for none."""
    packument = msgspec.json.decode(body)
    if not isinstance(packument, dict) or not isinstance(packument.get("versions", {}), dict):
        raise ValueError("a packument is an object with versions")  # noqa: TRY004
    links = {}
    for version, manifest in packument.get("versions", {}).items():
        tarball = _dist(manifest).get("tarball")
        if isinstance(tarball, str) and is_web_url(tarball):
            links[version] = tarball
    return body, links


def _dist(manifest: Any) -> dict[str, Any]:
    dist = manifest.get("dist") if isinstance(manifest, dict) else None
    return dist if isinstance(dist, dict) else {}


def _rendered(body: bytes, fetch: FromPackageRegistry) -> bytes:
    packument = msgspec.json.decode(body)
    if fetch.part == "dist-tags":
        return msgspec.json.encode(packument.get("dist-tags", {}))
    versions = packument.get("versions", {})
    if fetch.part == "version":
        tags = packument.get("dist-tags")
        tagged = tags.get(fetch.reference) if isinstance(tags, dict) else None
        version = fetch.reference if fetch.reference in versions else tagged
        if not isinstance(version, str) or version not in versions:
            raise Refused(404, "this package has no such version")
        return msgspec.json.encode(_here(version, versions[version], fetch))
    packument["versions"] = {
        version: _here(version, manifest, fetch) for version, manifest in versions.items()
    }
    return msgspec.json.encode(packument)


def _here(version: str, manifest: Any, fetch: FromPackageRegistry) -> Any:
    """A version's manifest with its tarball at the gateway."""
    dist = _dist(manifest)
    if "tarball" not in dist:
        return manifest
    tarball = f"{fetch.base}{fetch.name}/-/{quote(tarball_name(fetch.name, version))}"
    return {**manifest, "dist": {**dist, "tarball": tarball}}
