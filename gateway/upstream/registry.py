"""OCI registries: manifests from memory or upstream, everything else passed through."""

import time
from collections.abc import Callable

import msgspec

from gateway.decision import FromRegistry, Hit
from gateway.request import Request
from gateway.upstream import relay
from gateway.upstream.answer import Answer
from gateway.upstream.client import Client, ResponseStream, whole
from gateway.upstream.coalesce import Coalescer
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.keys import DigestKey, TagKey
from gateway.upstream.manifests import (
    Manifest,
    Manifests,
    Resolution,
    accept_key,
    manifest_of,
)
from gateway.upstream.platforms import Platforms
from gateway.upstream.sources import Sources, is_passing
from gateway.upstream.store import Store
from gateway.upstream.trouble import Trouble

_OK = 200
_REDIRECTS = range(300, 400)
_ERRORS = 400
# Four times what the specification asks a registry to take.
_MANIFEST_BYTES = 16 * 1024 * 1024
_ERROR_BYTES = 1024 * 1024
# What a client's request for a blob or a list may say to the registry.
_ASKED = ("accept", "range", "if-range", "if-none-match", "if-modified-since")

# What an upstream said that is no manifest: an answer without its hits, shared by all who waited.
Outcome = Manifest | Answer


class Registry:
    """Carries out `FromRegistry` for every registry; tokens and manifests are kept."""

    def __init__(
        self, client: Client, config: UpstreamConfig, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._sources = Sources(client, clock)
        self._store = Store(config.cache, config.cache_bytes)
        self._manifests = Manifests(
            config.manifest_cache_bytes, config.tag_seconds, self._store, clock
        )
        self._platforms = Platforms(self._store)
        self._fetches: Coalescer[Outcome] = Coalescer()
        self._resolutions: Coalescer[Resolution | Answer] = Coalescer()

    async def answer(self, fetch: FromRegistry, request: Request) -> Answer:
        """Answer one request. A registry's trouble becomes an error in the registry's own form."""
        try:
            if fetch.endpoint != "manifests" or (fetch.authorization and request.method == "HEAD"):
                return _with_hits(await self._through(fetch, request), fetch.hits)
            if fetch.authorization:
                outcome = await self._download(fetch, request.headers.get("accept", ""))
            elif ":" in fetch.reference:
                outcome = await self._by_digest(fetch, request)
            else:
                outcome = await self._by_tag(fetch, request)
        except Trouble as trouble:
            return _with_hits(relay.trouble_answer(fetch, trouble), fetch.hits)
        if isinstance(outcome, Answer):
            return self._told(outcome, fetch)
        return self._served(outcome, fetch, request)

    async def close(self) -> None:
        """Cancel what is under way."""
        await self._fetches.close()
        await self._resolutions.close()
        await self._sources.close()
        self._store.close()

    async def _by_digest(self, fetch: FromRegistry, request: Request) -> Outcome:
        key = DigestKey(fetch.registry, fetch.repository, fetch.reference)
        held = self._manifests.get(key)
        self._client.note("manifest-miss" if held is None else "manifest-hit")
        if held is not None:
            return held
        if request.method == "HEAD":
            return await self._through(fetch, request)
        accept = request.headers.get("accept", "")
        return await self._fetches.run(
            (key, accept_key(accept)), lambda: self._download(fetch, accept)
        )

    async def _by_tag(self, fetch: FromRegistry, request: Request) -> Outcome:
        """A tag's manifest. Once known, its registry is only asked with HEAD, which none counts."""
        accept = request.headers.get("accept", "")
        wanted = accept_key(accept)
        key = TagKey(fetch.registry, fetch.repository, fetch.reference, wanted)
        known = self._manifests.resolution(key)
        if known is None and request.method == "GET":
            return await self._fetches.run(key, lambda: self._download(fetch, accept, key))
        if known is not None and self._manifests.is_fresh(known):
            told: Resolution | Answer = known
        else:
            told = await self._resolutions.run(key, lambda: self._resolve(fetch, accept, key))
        if request.method == "HEAD":
            return _head(told) if isinstance(told, Resolution) else told
        if isinstance(told, Answer):
            # Asked for itself: an error has a body then, and some registries know no HEAD.
            return await self._fetches.run(key, lambda: self._download(fetch, accept, key))
        by_digest = msgspec.structs.replace(fetch, reference=told.digest)
        return await self._by_digest(by_digest, request)

    async def _resolve(self, fetch: FromRegistry, accept: str, key: TagKey) -> Resolution | Answer:
        """What a tag points to now, or did when its registry could last be asked.

        An answer, without a body: the registry's own, where it does not tell.
        """
        known = self._manifests.resolution(key)
        if known is not None:
            if self._sources.is_down(fetch.registry):
                return known
            # What the registry itself said last is preferred to what another one says now.
            fetch = msgspec.structs.replace(fetch, fallbacks=())
        try:
            response = await self._sources.open("HEAD", fetch, {"Accept": accept} if accept else {})
        except Trouble as trouble:
            if trouble.status in relay.DENIED:
                self._manifests.forget(key)
                raise
            if known is None:
                raise
            return known
        response.release()
        if response.status == _OK:
            digest = response.headers.get("Docker-Content-Digest", "")
            media_type = response.headers.get("Content-Type", "")
            length = response.headers.get("Content-Length", "")
            if digest:
                return self._manifests.resolve(key, digest, media_type, length)
            return Answer(status=_OK, headers=relay.passed(response.headers))
        if known is not None and is_passing(response.status):
            return known
        self._manifests.forget(key)
        return relay.refusal(fetch, response, b"")

    async def _download(
        self, fetch: FromRegistry, accept: str, tag: TagKey | None = None
    ) -> Outcome:
        """GET a manifest from upstream and keep it, unless it is a private one."""
        response = await self._sources.open("GET", fetch, {"Accept": accept} if accept else {})
        if response.status in _REDIRECTS:
            response.release()
            return Answer(
                status=response.status,
                headers=(*relay.passed(response.headers), *relay.location(response)),
            )
        body = await whole(response, _MANIFEST_BYTES)
        if response.status != _OK:
            return relay.refusal(fetch, response, body)
        asked = fetch.reference if ":" in fetch.reference else ""
        digest = asked or response.headers.get("Docker-Content-Digest", "")
        manifest = manifest_of(body, response.headers.get("Content-Type", ""), digest)
        key = DigestKey(fetch.registry, fetch.repository, manifest.digest)
        self._store.learn(key, manifest.children)
        if not fetch.authorization:
            self._manifests.put(key, manifest)
            if tag is not None:
                length = str(len(body))
                self._manifests.resolve(tag, manifest.digest, manifest.media_type, length)
        return manifest

    async def _through(self, fetch: FromRegistry, request: Request) -> Answer:
        """Pass a blob, a list or a private HEAD through, redirects unfollowed, bodies streamed."""
        asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
        response = await self._sources.open(request.method, fetch, asked)
        headers = (
            *relay.passed(response.headers),
            *relay.location(response),
            *relay.next_page(response.headers, fetch.image),
        )
        if response.status in relay.DENIED:
            return relay.refusal(fetch, response, await whole(response, _ERROR_BYTES))
        if request.method == "HEAD" or response.status in _REDIRECTS:
            response.release()
            if request.method != "HEAD":
                headers = tuple(pair for pair in headers if pair[0] != "Content-Length")
            return Answer(status=response.status, headers=headers)
        return Answer(status=response.status, headers=headers, body=ResponseStream(response))

    def _served(self, manifest: Manifest, fetch: FromRegistry, request: Request) -> Answer:
        self._platforms.learn(manifest.digest, manifest.children)
        headers = [
            ("Content-Type", manifest.media_type),
            ("Docker-Content-Digest", manifest.digest),
            ("ETag", f'"{manifest.digest}"'),
            *relay.OWN_HEADERS,
        ]
        if request.method == "HEAD":
            headers.append(("Content-Length", str(len(manifest.body))))
        told = Answer(
            status=_OK,
            headers=tuple(headers),
            body=b"" if request.method == "HEAD" else manifest.body,
        )
        return self._told(told, fetch)

    def _told(self, answer: Answer, fetch: FromRegistry) -> Answer:
        """The answer with hits that say what it told of the manifest."""
        if answer.status >= _ERRORS:
            return _with_hits(answer, fetch.hits)
        names = {name.lower(): value for name, value in answer.headers}
        asked = fetch.reference if ":" in fetch.reference else ""
        digest = names.get("docker-content-digest", asked)
        variables = {}
        if digest:
            key = DigestKey(fetch.registry, fetch.repository, digest)
            variables = {**self._platforms.variables(key), "digest": digest}
        if answer.status == _OK and names.get("content-type"):
            variables["media_type"] = names["content-type"].partition(";")[0]
        hits = tuple(
            msgspec.structs.replace(hit, variables={**hit.variables, **variables})
            for hit in fetch.hits
        )
        return _with_hits(answer, hits)


def _head(resolution: Resolution) -> Answer:
    """The answer to HEAD of a tag, from what is known of it."""
    headers = [
        ("Content-Type", resolution.media_type),
        ("Docker-Content-Digest", resolution.digest),
        ("ETag", f'"{resolution.digest}"'),
        *relay.OWN_HEADERS,
    ]
    if resolution.length:
        headers.append(("Content-Length", resolution.length))
    return Answer(status=_OK, headers=tuple(headers))


def _with_hits(answer: Answer, hits: tuple[Hit, ...]) -> Answer:
    return msgspec.structs.replace(answer, hits=hits)
