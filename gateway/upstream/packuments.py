"""Live npm packuments: `dist.tarball` leads to the gateway, and from there to where it is."""

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


class _Dist(msgspec.Struct):
    tarball: str = ""


class _Manifest(msgspec.Struct):
    """What is read of one version; the rest is passed on as it is."""

    dist: _Dist = msgspec.field(default_factory=_Dist)


def parse_packument(body: bytes, _url: str, _content_type: str) -> tuple[bytes, dict[str, str]]:
    """A packument as it is, and its tarballs' URLs by version. Raises ValueError for none."""
    links = {}
    for version, manifest in _versions(_object(body)).items():
        tarball = _tarball(manifest)
        if is_web_url(tarball):
            links[version] = tarball
    return body, links


def _object(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """An object with its values still as bytes.

    Packuments can have ten thousands of versions. One at a time, they take little memory and never
    keep the event loop waiting for the interpreter's lock.
    """
    return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])


def _versions(packument: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    return _object(packument.get("versions", b"{}"))


def _tarball(manifest: msgspec.Raw) -> str:
    """Where a version's tarball is; "" where that is not said."""
    try:
        return msgspec.json.decode(manifest, type=_Manifest).dist.tarball
    except msgspec.ValidationError:  # some other form, which is passed on and has no link
        return ""


def _rendered(body: bytes, fetch: FromPackageRegistry) -> bytes:
    packument = _object(body)
    tags = packument.get("dist-tags", msgspec.Raw(b"{}"))
    if fetch.part == "dist-tags":
        return bytes(tags)
    versions = _versions(packument)
    if fetch.part == "version":
        tagged = msgspec.json.decode(tags)
        named = tagged.get(fetch.reference) if isinstance(tagged, dict) else None
        version = fetch.reference if fetch.reference in versions else named
        if not isinstance(version, str) or version not in versions:
            raise Refused(404, "this package has no such version")
        return bytes(_here(version, versions[version], fetch))
    here = {version: _here(version, manifest, fetch) for version, manifest in versions.items()}
    return msgspec.json.encode({**packument, "versions": here})


def _here(version: str, manifest: msgspec.Raw, fetch: FromPackageRegistry) -> msgspec.Raw:
    """A version's manifest with its tarball at the gateway."""
    if not _tarball(manifest):
        return manifest
    told = _object(manifest)
    tarball = f"{fetch.base}{fetch.name}/-/{quote(tarball_name(fetch.name, version))}"
    dist = msgspec.json.encode({**_object(told["dist"]), "tarball": tarball})
    return msgspec.Raw(msgspec.json.encode({**told, "dist": msgspec.Raw(dist)}))
