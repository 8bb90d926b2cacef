"""Index pages and packuments: JSON documents kept in memory, revalidated by their ETag."""

import asyncio
import gzip
import logging
import time
from collections.abc import Callable, Mapping
from urllib.parse import urljoin

import aiohttp
import msgspec

from gateway.logs import Seldom
from gateway.protocols.simple_page import entity_tag
from gateway.upstream.boundary import is_elsewhere
from gateway.upstream.bounded import Bounded
from gateway.upstream.client import Client, whole
from gateway.upstream.coalesce import Coalescer
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.trouble import BAD_GATEWAY, Refused, Trouble, Unusable, host_of

_OK = 200
_NOT_MODIFIED = 304
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOPS = 5
# What is larger is read, written and packed in a thread: it takes long enough for others to notice.
_LARGE = 64 * 1024
_WORTH_PACKING = 1024
_PACKING = 5  # of 9: nearly as small as can be, in half the time
_NEWEST_SECONDS = 1.0
_GONE = frozenset({404, 410})
_TOO_MANY = 429
# One for each domain and form in which the same document is asked for.
_RENDERINGS = 4

log = logging.getLogger(__name__)


class Rendering(msgspec.Struct, frozen=True):
    """A document as clients of one domain get it."""

    body: bytes
    etag: str
    packed: bytes | None  # by gzip; None: too small to be worth it


class Document(msgspec.Struct):
    """An upstream's document as JSON, with where its files are."""

    body: bytes
    links: dict[str, str]  # a file's or a version's name to its upstream URL
    validators: dict[str, str]  # the headers that ask whether it changed
    asked_at: float
    troubled_until: float = 0.0  # until then its upstream, which failed, is left alone
    renderings: Bounded[tuple[str, str], Rendering] = msgspec.field(
        default_factory=lambda: Bounded(_RENDERINGS)
    )


class Source(msgspec.Struct, frozen=True):
    """Where a document is, and in which of its forms it is wanted."""

    url: str
    accept: str
    allow_private: bool = False  # its upstream may redirect into a network of somebody's own


# Turns an upstream's body into JSON and links, given its URL and Content-Type; raises ValueError.
Parse = Callable[[bytes, str, str], tuple[bytes, dict[str, str]]]


class Documents:
    """The documents of all upstreams, within a budget of bytes.

    A document is believed for `document_seconds`, then asked about again; while its upstream is
    down or slow it is served for up to `stale_seconds`. Concurrent requests for one document are
    one request to the upstream.
    """

    def __init__(
        self, client: Client, config: UpstreamConfig, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._config = config
        self._clock = clock
        # Each rendering is about as large as the document itself.
        self._held: Bounded[Source, Document] = Bounded(
            config.document_cache_bytes, lambda document: (1 + _RENDERINGS) * len(document.body)
        )
        self._fetches: Coalescer[Document] = Coalescer()
        self._makings: Coalescer[Rendering] = Coalescer()
        self._seldom = Seldom(log)

    async def get(self, source: Source, parse: Parse) -> Document:
        """The document, as new as the settings ask for. Raises a Trouble.

        A document that is a little too old is answered at once and asked about behind the answer.
        A much older one is waited for, but not for longer than installers are patient.
        """
        held = self._held.get(source)
        if held is None:
            self._client.note("document-miss")
            return await asyncio.shield(self._refreshed(source, parse, None))
        age = self._age(held)
        if age < self._config.document_seconds:
            self._client.note("document-hit")
            return held
        may_serve = age < self._config.stale_seconds
        if may_serve and self._clock() < held.troubled_until:
            self._client.note("document-stale")
            return held
        refreshed = self._refreshed(source, parse, held)
        if age < self._config.document_seconds + self._config.revalidate_seconds:
            self._client.note("document-hit")
            return held
        self._client.note("document-miss")
        patience = self._config.patience_seconds if may_serve else None
        try:
            return await asyncio.wait_for(asyncio.shield(refreshed), patience)
        except Refused:
            raise
        except (Trouble, TimeoutError):
            if not may_serve:
                raise
            self._client.note("document-stale")
            return held

    async def newest(self, source: Source, parse: Parse) -> Document:
        """The document as its upstream has it now, to look for what the one held does not have.

        Another worker may have told a client of it. Not older than a second, so that nobody sends
        the upstream a request for each of theirs. Raises a Trouble.
        """
        held = self._held.get(source)
        if held is not None and self._age(held) < _NEWEST_SECONDS:
            return held
        return await asyncio.shield(self._refreshed(source, parse, held))

    async def rendering(
        self, document: Document, base: str, form: str, render: Callable[[bytes], bytes]
    ) -> Rendering:
        """The document in one form with links under base, made once for each."""
        made = document.renderings.get((base, form))
        if made is None:
            if len(document.body) < _LARGE:
                made = _rendering(document.body, render)
            else:
                # The key's number is the document's alone while the making holds on to it.
                made = await self._makings.run(
                    (id(document), base, form),
                    lambda: asyncio.to_thread(_rendering, document.body, render),
                )
            document.renderings.put((base, form), made)
        return made

    def _refreshed(
        self, source: Source, parse: Parse, held: Document | None
    ) -> asyncio.Task[Document]:
        return self._fetches.start(source, lambda: self._refresh(source, parse, held))

    async def _refresh(self, source: Source, parse: Parse, held: Document | None) -> Document:
        try:
            return await self._fetch(source, parse, held)
        except Refused:
            # The upstream is well and says that there is nothing: what was there is gone.
            self._held.drop(source)
            raise
        except Trouble as trouble:
            if held is not None:
                held.troubled_until = self._clock() + self._config.document_seconds
                self._seldom.warn(
                    trouble.reason, "%s; what was seen last is served", trouble.reason
                )
            raise

    def held(self, source: Source) -> Document | None:
        """The document as last seen, however old."""
        return self._held.get(source)

    def _age(self, document: Document) -> float:
        return self._clock() - document.asked_at

    async def _fetch(self, source: Source, parse: Parse, held: Document | None) -> Document:
        headers = {"Accept": source.accept, "Accept-Encoding": "gzip"}
        response = await self._open(source, {**headers, **(held.validators if held else {})})
        if response.status == _NOT_MODIFIED and held is not None:
            response.release()
            held.asked_at = self._clock()
            return held
        body = await whole(response, self._config.document_bytes)
        _check(response, source.url)
        content_type = response.headers.get("Content-Type", "")
        try:
            if len(body) > _LARGE:
                parsed, links = await asyncio.to_thread(
                    parse, body, str(response.url), content_type
                )
            else:
                parsed, links = parse(body, str(response.url), content_type)
        except (ValueError, RecursionError) as error:
            raise Unusable(source.url, "a page that cannot be read") from error
        document = Document(parsed, links, _validators(response), self._clock())
        if held is not None and held.body == parsed:
            document.renderings = held.renderings
        self._held.put(source, document)
        return document

    async def _open(self, source: Source, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """GET with redirects followed, as index servers move pages to their normalized names."""
        url = source.url
        for _ in range(_HOPS):
            inside = source.allow_private or not is_elsewhere(url, source.url)
            response = await self._client.open("GET", url, headers, only_public=not inside)
            where = response.headers.get("Location")
            if response.status not in _REDIRECTS or where is None:
                return response
            response.release()
            url = _joined(url, where)
        raise Unusable(url, f"more than {_HOPS} redirects")

    async def close(self) -> None:
        """Cancel what is under way."""
        await self._fetches.close()
        await self._makings.close()


def _rendering(body: bytes, render: Callable[[bytes], bytes]) -> Rendering:
    try:
        made = render(body)
    except (ValueError, RecursionError) as error:
        # Parsing looks only at what it needs.
        raise Trouble(
            BAD_GATEWAY, "the upstream answered with a page that cannot be read"
        ) from error
    packed = None
    if len(made) > _WORTH_PACKING:
        packed = gzip.compress(made, _PACKING, mtime=0)
    return Rendering(made, entity_tag(made), packed)


def _joined(url: str, where: str) -> str:
    try:
        return urljoin(url, where)
    except ValueError as error:
        raise Unusable(url, "a redirect to no URL") from error


def _check(response: aiohttp.ClientResponse, url: str) -> None:
    if response.status == _OK:
        return
    if response.status in _GONE:
        raise Refused(404, f"{host_of(url)} has nothing of this name")
    if response.status == _TOO_MANY:
        raise Trouble(_TOO_MANY, f"{host_of(url)} answers too many requests")
    raise Unusable(url, f"status {response.status}")


def _validators(response: aiohttp.ClientResponse) -> dict[str, str]:
    pairs = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))
    return {
        asking: response.headers[telling]
        for telling, asking in pairs
        if telling in response.headers
    }
