"""The pooled HTTP client: timeouts, retries, whole documents and streams that are let go of."""

import zlib
from collections.abc import Mapping
from typing import Self

import aiohttp
from yarl import URL

from gateway.upstream.answer import UpstreamBroke
from gateway.upstream.boundary import NotPublicError, PublicResolver, is_inner_address
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.notes import TakeNote, forget
from gateway.upstream.trouble import Forbidden, TimedOut, Trouble, Unreachable, Unusable

_TRIES = 2
_SERVER_ERROR = 500
_CHUNK = 64 * 1024
_BUFFER = 256 * 1024
_IDENTITY = "identity"
_USER_AGENT = "Footfall"
# gzip, and nothing that needs a library beyond Python's own.
_COMPRESSED = "gzip"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class Client:
    """Speaks HTTP to upstreams. URLs go out as they are; nothing is followed or unpacked unasked.

    Proxies and certificates are those of the environment, such as `HTTPS_PROXY` and
    `SSL_CERT_FILE`.
    """

    def __init__(self, config: UpstreamConfig, note: TakeNote = forget) -> None:
        self._config = config
        self.note = note
        self._sessions: dict[bool, aiohttp.ClientSession] = {}  # by whether they are only_public

    async def open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        only_public: bool = False,
    ) -> aiohttp.ClientResponse:
        """Send a GET or HEAD and return once the answer's headers are there; redirects are answers.

        The caller reads it with `whole` or a `ResponseStream`, or releases it. A broken connection
        is tried once more, since these methods change nothing. With `only_public`, for a URL that
        an upstream has named, inner networks are out of reach. Raises a Trouble.
        """
        try:
            response = await self._send(method, url, headers or {}, only_public=only_public)
        except TimedOut:
            self.note("timed-out")
            raise
        except Unreachable:
            self.note("unreachable")
            raise
        except Trouble:
            self.note("unusable")
            raise
        self.note("server-error" if response.status >= _SERVER_ERROR else "answered")
        return response

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], *, only_public: bool
    ) -> aiohttp.ClientResponse:
        try:
            target = URL(url, encoded=True)
            host = target.host or ""
        except ValueError as error:
            raise Unusable(url, "what is no URL") from error
        if only_public and is_inner_address(host):
            raise Forbidden(url)
        sent = {"User-Agent": _USER_AGENT, "Accept-Encoding": _IDENTITY, **headers}
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._opened(only_public=only_public).request(
                    method,
                    target,
                    headers=sent,
                    allow_redirects=False,
                    skip_auto_headers=("Accept",),
                )
            except TimeoutError as error:
                raise TimedOut(url) from error
            except aiohttp.ClientConnectionError as error:
                if isinstance(error.__cause__, NotPublicError):
                    raise Forbidden(url) from error
                if attempt == _TRIES:
                    raise Unreachable(url, error) from error
            except (aiohttp.ClientError, ValueError) as error:
                raise Unusable(url, f"what is no HTTP ({type(error).__name__})") from error
        raise AssertionError  # the loop returns or raises

    def _opened(self, *, only_public: bool) -> aiohttp.ClientSession:
        # Made at the first use, because it belongs to the event loop that is running then.
        if only_public not in self._sessions:
            resolver = PublicResolver() if only_public else None
            self._sessions[only_public] = aiohttp.ClientSession(
                auto_decompress=False,
                read_bufsize=_BUFFER,
                trust_env=True,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=self._config.connections, resolver=resolver),
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=self._config.connect_seconds,
                    sock_connect=self._config.connect_seconds,
                    sock_read=self._config.read_seconds,
                ),
                max_line_size=32 * 1024,
                max_field_size=32 * 1024,
            )
        return self._sessions[only_public]

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()


async def whole(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """A body taken in whole and unpacked, up to a limit in bytes. Raises a Trouble."""
    url = str(response.url)
    unpacker = _unpacker(response, url)
    parts, length = [], 0
    async with response:
        try:
            async for chunk in response.content.iter_chunked(_CHUNK):
                part = chunk if unpacker is None else unpacker.decompress(chunk, limit + 1)
                length += len(part)
                if length > limit:
                    raise Unusable(url, f"more than {limit} bytes")
                parts.append(part)
        except TimeoutError as error:
            raise TimedOut(url) from error
        except aiohttp.ClientError as error:
            raise Unreachable(url, error) from error
        except zlib.error as error:
            raise Unusable(url, "a body that is not what its Content-Encoding says") from error
    return b"".join(parts)


def _unpacker(response: aiohttp.ClientResponse, url: str) -> "zlib._Decompress | None":
    encoding = response.headers.get("Content-Encoding", _IDENTITY).strip().lower()
    if encoding == _IDENTITY or not encoding:
        return None
    if encoding == _COMPRESSED:
        return zlib.decompressobj(wbits=_GZIP_WINDOW)
    response.release()
    raise Unusable(url, "an encoding that was not asked for")


class ResponseStream:
    """A response's body as it comes."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._chunks = response.content.iter_any()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UpstreamBroke(type(error).__name__) from error

    async def aclose(self) -> None:
        """Give a connection that was read to its end back to the pool; cut any other."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()
