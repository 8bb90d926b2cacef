"""The skin: takes requests from Sanic, has them decided and recorded, and sends the answers.

Sanic's router is not used: every method and path comes to one place, as it was sent. The recording
is done before the first byte of the answer goes out.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from time import monotonic
from typing import Any

import msgspec
from sanic import HTTPResponse, Sanic
from sanic.compat import Header
from sanic.exceptions import BadURL, RequestCancelled, SanicException
from sanic.handlers import ErrorHandler
from sanic.headers import format_http1_response
from sanic.http import Http
from sanic.request import Request as WebRequest

from gateway import intake
from gateway.counters import Counters
from gateway.decide import decide
from gateway.decision import NO_STORE, Hit, Redirect, Refusal, Reply
from gateway.fastpath import FastPath, Outcome, Written
from gateway.journal import SYNC_SECONDS
from gateway.live import LiveRoutes
from gateway.logs import Seldom, where
from gateway.overload import RETRY_AFTER, Overload
from gateway.proxies import Proxies
from gateway.rates import Rates
from gateway.recorder import Recorder
from gateway.request import Request
from gateway.room import Room
from gateway.routes import TelemetryRoute
from gateway.surroundings import Surroundings
from gateway.upstream.answer import Answer, Stream
from gateway.upstream.fetcher import Fetcher

# Every protocol takes as much, and a telemetry route more if it says so.
_BODY_BYTES = 1_048_576
# A body that is not much larger is read, because its route answers with a better reason.
_BODY_ROOM = 65_536
HEADER_LIMIT = 16_384  # the most that Sanic can be set to
REQUEST_SECONDS = 20.0  # in which the headers must be there, from their first byte on

# These belong to one connection; the server sets its own.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_JSON = "application/json"
# Nearly every answer.
_PLAIN_REDIRECT = (
    b"HTTP/1.1 307 Temporary Redirect\r\nlocation: %b\r\ncache-control: no-store\r\n"
    b"content-length: 0\r\nconnection: keep-alive\r\n\r\n"
)
_TOO_LARGE = 413
_REASONS = {
    400: "not an HTTP request that can be understood",
    408: "the request did not arrive in time",
    413: "the request is too large",
    414: "the URL is too long",
    417: "this expectation cannot be met",
    431: "the headers are too large",
    503: "the answer did not get ready in time",
}

_OVERLOADED = Refusal(
    status=503,
    reason="too much at once, send this again later",
    headers={"Retry-After": str(RETRY_AFTER)},
)

log = logging.getLogger(__name__)


def _too_many(seconds: int) -> Refusal:
    return Refusal(
        status=429,
        reason="too many requests from this address, send this again later",
        headers={"Retry-After": str(seconds)},
    )


_Headers = Iterable[tuple[str, str]]


class Gateway(Sanic[Any, Any]):
    """The public port."""

    __slots__ = (
        "_body_limit",
        "_fetcher",
        "_overload",
        "_proxies",
        "_rates",
        "_recorder",
        "_routes",
        "_surroundings",
        "counters",
        "fast_path",
        "room",
    )

    def __init__(
        self,
        routes: LiveRoutes,
        proxies: Proxies,
        recorder: Recorder,
        counters: Counters,
        fetcher: Fetcher,
        *,
        surroundings: Surroundings,
        request_seconds: float = REQUEST_SECONDS,
        fast: bool = True,
        overload: Overload | None = None,
        rates: Rates | None = None,
        room: Room | None = None,
    ) -> None:
        super().__init__(
            "footfall",
            configure_logging=False,
            error_handler=_Errors(counters),
            request_class=_Request,
        )
        # Sanic guesses types from the look of strings, so these are all of its settings, and none
        # is ours.
        self.config.update(
            {
                "ACCESS_LOG": False,
                "AUTO_EXTEND": False,
                "KEEP_ALIVE_TIMEOUT": 75,
                "MOTD": False,
                "REQUEST_MAX_HEADER_SIZE": HEADER_LIMIT,
                "REQUEST_TIMEOUT": request_seconds,
            }
        )
        self._routes = routes
        self._body_limit: tuple[object, int] = (None, 0)  # of which route table
        self._proxies = proxies
        self._recorder = recorder
        self.counters = counters
        self._fetcher = fetcher
        self._surroundings = surroundings
        self._overload = overload or Overload(SYNC_SECONDS)
        self._rates = rates or Rates(0)
        self.room = room or Room(counters)
        # None is for tests, which compare the two ways.
        self.fast_path = FastPath(routes, proxies, recorder, counters, _written) if fast else None
        # Sanic does not start without a route; `handle_request` comes before all of them.
        self.add_route(_unreachable, "/")

    @property
    def body_limit(self) -> int:
        """Bytes of the largest body that is read, by the routes in force."""
        table = self._routes.table
        if table is not self._body_limit[0]:
            caps = (r.max_body_bytes for r in table.routes if isinstance(r, TelemetryRoute))
            self._body_limit = table, max([_BODY_BYTES, *caps]) + _BODY_ROOM
        return self._body_limit[1]

    async def handle_request(self, request: WebRequest) -> None:
        """Answer one request."""
        if isinstance(request.stream, Http):
            # To Sanic "head" is a HEAD. To a front it is a method of its own, whose answer has the
            # body that it announces: it would wait for that, on a connection that others need.
            request.stream.head_only = request.method == "HEAD"
        if request.stream is None or not request.stream.request_body:
            await self._answer(request)
        elif seconds := self._rates.take(self._address(request)):
            self.counters.throttle()
            _close_after(request)
            await self._reply(request, (), *_refusal(_too_many(seconds)))
        elif self._overload.takes_bodies:
            with self._overload.body():
                await request.receive_body()  # type: ignore[no-untyped-call]  # Sanic has no types for it
                if "transfer-encoding" in request.headers:
                    # Sanic reads chunks less strictly than servers in front of it may, so that the
                    # two could differ on where the next request begins: let there be none.
                    _close_after(request)
                await self._overload.turn()
                with self._overload.work():
                    await self._answer(request)
        else:
            self.counters.shed()
            _close_after(request)
            await self._reply(request, (), *_refusal(_OVERLOADED))

    def _address(self, request: WebRequest) -> str:
        try:
            headers = intake.joined(request.headers.items())
        except intake.BadTarget:
            return _peer(request)  # it is refused in a moment, and with the reason
        return self._proxies.origin(_peer(request), headers).address

    async def _answer(self, request: WebRequest) -> None:
        began = monotonic()
        try:
            facts, address = intake.read(
                request.method,
                request.raw_url.decode("ascii"),
                request.headers.items(),
                body=request.body,
                peer=_peer(request),
                proxies=self._proxies,
            )
        except intake.BadTarget as error:
            _close_after(request)
            await self._reply(request, (), *_refusal(Refusal(status=400, reason=str(error))))
            return
        table = self._routes.table
        facts = self._surroundings.around(table, facts, address)
        match decide(table, facts):
            case Redirect() as redirect:
                self._recorder.record(redirect.hits, facts, address, 307)
                await self._reply(request, redirect.hits, *_redirect(redirect))
            case Reply() as reply:
                self._recorder.record(reply.hits, facts, address, reply.status)
                await self._reply(request, reply.hits, *_reply(reply))
            case Refusal() as refusal:
                await self._reply(request, (), *_refusal(refusal))
            case fetch:
                answer = await self._fetcher.fetch(fetch, facts)
                self.counters.observe("upstream", monotonic() - began)
                await self._relay(request, facts, address, answer)
                return
        self.counters.observe("memory", monotonic() - began)

    async def _relay(
        self, request: WebRequest, facts: Request, address: str, answer: Answer
    ) -> None:
        headers = [pair for pair in answer.headers if pair[0].lower() not in _HOP_BY_HOP]
        if isinstance(answer.body, bytes):
            self._recorder.record(answer.hits, facts, address, answer.status)
            await self._reply(request, answer.hits, answer.status, headers, answer.body)
            return
        async with aclosing(answer.body) as body:
            self._recorder.record(answer.hits, facts, address, answer.status)
            self._count(answer.hits, answer.status)
            await _stream(request, answer.status, headers, body)

    async def _reply(
        self,
        request: WebRequest,
        hits: tuple[Hit, ...],
        status: int,
        headers: _Headers,
        body: bytes,
    ) -> None:
        self._count(hits, status)
        await self._send(request, status, headers, body)

    async def _send(self, request: WebRequest, status: int, headers: _Headers, body: bytes) -> None:
        response = await request.respond(_Response(body, status, Header(headers)))
        await response.send(end_stream=True)

    def _count(self, hits: tuple[Hit, ...], status: int) -> None:
        self.counters.answered(hits[0].route_type if hits else "none", status)


class _Request(WebRequest):
    """A request with any target at all.

    Sanic's own refuses the targets that its parser cannot read, and fails once more while it
    answers that, so that the client gets no answer. `intake` reads what was sent.
    """

    __slots__ = ()

    def __init__(self, url_bytes: bytes, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(url_bytes, *args, **kwargs)
        except BadURL:
            super().__init__(b"/", *args, **kwargs)
            self.raw_url = url_bytes


class _Response(HTTPResponse):
    """A response with the headers it was given.

    Sanic's own would add `content-type: None`, and its protocol adds an empty `alt-svc`.
    """

    __slots__ = ()

    @property
    def processed_headers(self) -> Iterator[tuple[bytes, bytes]]:
        clean = self._sanitize_header_value
        return (
            (clean(name).encode("ascii"), clean(str(value)).encode(errors="surrogateescape"))
            for name, value in self.headers.items()
            if name != "alt-svc"
        )


class _Errors(ErrorHandler):
    """Answers what never reached a decision, and logs no word that a client has sent."""

    def __init__(self, counters: Counters) -> None:
        super().__init__()
        self._counters = counters
        self._seldom = Seldom(log)

    def default(self, request: WebRequest, exception: Exception) -> HTTPResponse:
        """Answer an error."""
        if isinstance(exception, RequestCancelled):
            return _Response(b"", 500, Header())  # nobody is there to read it
        status = exception.status_code if isinstance(exception, SanicException) else 500
        if status == _TOO_LARGE and isinstance(request.stream, Http) and not request.stream.url:
            # Sanic has one word for all that is too large. Here it has read no first line yet, or
            # could not: either that line is so long, or what follows it.
            status = 431 if b"\r\n" in request.stream.recv_buffer[:HEADER_LIMIT] else 414
        if status not in _REASONS:
            status = 500
            place = where(exception)
            self._seldom.warn(place, "a request was answered with 500: %s", place)
        self._counters.answered("none", status)
        reason = _REASONS.get(status, "something went wrong in the gateway")
        _, headers, body = _refusal(Refusal(status=status, reason=reason))
        return _Response(body, status, Header(headers))


async def _stream(request: WebRequest, status: int, headers: _Headers, body: Stream) -> None:
    """Send a body as it comes, no faster than the client reads it."""
    response = await request.respond(_Response(b"", status, Header(headers)))
    async for chunk in body:
        if chunk:
            await response.send(chunk)
    await response.send(end_stream=True)


def _written(outcome: Outcome) -> Written:
    """Write an answer in the bytes that Sanic would send."""
    match outcome:
        case Redirect(location=location, hits=hits, cache_control=control) if (
            location.isascii() and location.isprintable() and control == NO_STORE
        ):
            return Written(307, hits, _PLAIN_REDIRECT % location.encode("ascii"))
        case Redirect(hits=hits):
            status, headers, body = _redirect(outcome)
        case Reply(hits=hits):
            status, headers, body = _reply(outcome)
        case Refusal():
            hits = ()
            status, headers, body = _refusal(outcome)
    response = _Response(body, status, Header(headers))
    response.headers["content-length"] = str(len(body))
    response.headers["connection"] = "keep-alive"
    head = format_http1_response(status, response.processed_headers)
    return Written(status, hits, head + body)


def _redirect(redirect: Redirect) -> tuple[int, _Headers, bytes]:
    # 307, because clients remember a 301 or 308 and never come back.
    return (
        307,
        (("location", redirect.location), ("cache-control", redirect.cache_control)),
        b"",
    )


def _reply(reply: Reply) -> tuple[int, _Headers, bytes]:
    headers = {"content-type": reply.content_type, "cache-control": reply.cache_control}
    headers.update((name.lower(), value) for name, value in reply.headers.items())
    return reply.status, headers.items(), reply.body


def _refusal(refusal: Refusal) -> tuple[int, _Headers, bytes]:
    body = refusal.body
    if body is None:
        body = msgspec.json.encode({"status": refusal.status, "reason": refusal.reason})
    headers = {"content-type": _JSON, "cache-control": "no-store"}
    headers.update((name.lower(), value) for name, value in refusal.headers.items())
    return refusal.status, headers.items(), body


def _close_after(request: WebRequest) -> None:
    """Answer, and take no other request on this connection."""
    if isinstance(request.stream, Http):
        request.stream.keep_alive = False


def _peer(request: WebRequest) -> str:
    """Name the socket's other end; "" where it has no address."""
    connection = request.conn_info
    return connection.client_ip if connection is not None else ""


async def _unreachable(_request: WebRequest) -> HTTPResponse:
    raise NotImplementedError
