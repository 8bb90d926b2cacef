"""The quick way through: one complete plain GET, answered while its bytes are being read.

Most requests are whole, without a body, and answered with a redirect. Such a one needs neither a
task nor the web server's own request and response, which cost more than all that is done for it.
Whatever is unusual takes the ordinary way, and both ways read, decide, record and write with the
same functions. This module is the only one that leans on the inside of Sanic, whose version is
therefore pinned.

The answers of one turn of the event loop wait for its end: then their events are written with one
call to the kernel, and only then are they sent.
"""

import re
from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec
from sanic.http import Stage
from sanic.models.server_types import ConnInfo
from sanic.server import HttpProtocol

from gateway import intake
from gateway.compose import Draft
from gateway.counters import Counters
from gateway.decide import decide
from gateway.decision import Hit, Redirect, Refusal, Reply
from gateway.live import LiveRoutes
from gateway.proxies import Proxies
from gateway.recent import Recent
from gateway.recorder import Recorder

# Nothing here depends on its length; what is longer is not plain.
_LONGEST = 4096
_REMEMBERED = 12 * 1024 * 1024  # bytes of requests worked out, twice: see `Recent`
_HEADERS_REMEMBERED = 4 * 1024 * 1024
_SEEN = 20_000  # requests of which a hash is kept, twice
_OVERHEAD = 2048  # bytes of what is remembered beside the texts
_BODILESS = frozenset({204, 304})

_HEAD = re.compile(rb"GET (/[\x21-\x7e]*) HTTP/1\.1\r\n")
# These make a request unusual.
_UNUSUAL = frozenset(
    {"content-length", "transfer-encoding", "expect", "upgrade", "http2-settings", "te", "trailer"}
)
# What is asked with these is for one client only, and not kept in memory.
_PERSONAL = frozenset({"authorization", "cookie", "proxy-authorization", "forwarded", "x-real-ip"})
_FORWARDED_FOR = re.compile(rb"\r\nX-Forwarded-For: ?([\x20-\x7e]*)(?=\r\n)", re.IGNORECASE)

_HANDSHAKE = b"\x16"  # how TLS begins
# Plain HTTP, because clients know it from what they read and say so, or go on without TLS.
_NO_TLS = (
    b"HTTP/1.0 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n"
    b"this port speaks HTTP without TLS\n"
)

Outcome = Redirect | Reply | Refusal


class Written(msgspec.Struct, frozen=True):
    """An outcome as it is sent to a client who goes on using the connection."""

    status: int
    hits: tuple[Hit, ...]
    answer: bytes


class _Ready(msgspec.Struct, frozen=True):
    """A request worked out: all but its visitor."""

    answer: bytes
    counter: int
    drafts: tuple[Draft, ...] | None  # None: the client asks not to be recorded


class FastPath:
    """Answers the plain requests of one worker."""

    def __init__(
        self,
        routes: LiveRoutes,
        proxies: Proxies,
        recorder: Recorder,
        counters: Counters,
        write: Callable[[Outcome], Written],
    ) -> None:
        self._routes = routes
        self._proxies = proxies
        self._recorder = recorder
        self._counters = counters
        self._write = write
        self._table = routes.table
        self._known: Recent[tuple[bytes, str], _Ready] = Recent(_REMEMBERED)
        self._seen: Recent[int, bool] = Recent(_SEEN)
        # Clients of one make send equal headers, whatever they ask for.
        self._headers: Recent[bytes, dict[str, str]] = Recent(_HEADERS_REMEMBERED)
        self._owed: list[tuple[Connection, bytes]] = []
        self._began = 0.0  # when the first request of this turn came

    def answer(self, connection: "Connection", data: bytes, peer: str) -> bool:
        """Answer at the end of this turn, or say that the request takes the ordinary way."""
        if not self._owed:
            self._began = monotonic()
        if self._routes.table is not self._table:
            self._known.clear()
            self._table = self._routes.table
        address, proxy = peer, ""
        if not self._proxies.none:
            # The chain of addresses is the one thing in which equal requests differ then.
            chains = _FORWARDED_FOR.findall(data)
            if len(chains) > 1:
                return False
            data, proxy = _FORWARDED_FOR.sub(b"", data), peer
            chain = {"x-forwarded-for": chains[0].decode("ascii")} if chains else {}
            address = self._proxies.origin(peer, chain).address
        # Only of a trusted proxy does it matter who it is.
        ready = self._known.get((data, proxy)) or self._work_out(data, proxy)
        if ready is None:
            return False
        self._counters.answered_at(ready.counter)
        if ready.drafts != ():
            self._recorder.append(ready.drafts, address)
        if not self._owed:
            connection.loop.call_soon(self._settle)
        self._owed.append((connection, ready.answer))
        return True

    def _work_out(self, data: bytes, proxy: str) -> _Ready | None:
        end = data.find(b"\r\n") + 2
        head = _HEAD.fullmatch(data, 0, end)
        if head is None or len(data) > _LONGEST:
            return None
        lines = data[end:]
        headers = self._headers.get(lines)
        try:
            if headers is None:
                headers = _plain_headers(lines)
                if headers is None:
                    return None
                if _PERSONAL.isdisjoint(headers):
                    self._headers.put(lines, headers, 4 * len(lines) + _OVERHEAD)
            facts, _ = intake.place(
                "GET", head[1].decode("ascii"), headers, body=b"", peer=proxy,
                proxies=self._proxies,
            )  # fmt: skip
            if self._table.depends(facts):
                return None  # the answer may be another for the next visitor, or in a minute
            decision = decide(self._table, facts)
            if not isinstance(decision, Outcome):
                return None
            written = self._write(decision)
            drafts = self._recorder.drafts(written.hits, facts, written.status)
        except Exception:  # noqa: BLE001 the ordinary way meets the same, and knows how to say it
            return None
        if written.status in _BODILESS or (proxy and "x-forwarded-for" in headers):
            return None
        counter = self._counters.place(
            written.hits[0].route_type if written.hits else "none", written.status
        )
        ready = _Ready(written.answer, counter, drafts)
        if (
            written.hits
            and len(ready.answer) <= _LONGEST
            and _PERSONAL.isdisjoint(headers)
            and self._seen_before(data)
        ):
            texts = sum(len(draft.middle) + len(draft.texts) for draft in drafts or ())
            weight = len(data) + len(ready.answer) + texts + _OVERHEAD
            self._known.put((data, proxy), ready, weight)
        return ready

    def _seen_before(self, data: bytes) -> bool:
        """Say whether equal bytes have come before: keeping what never comes again is no gain."""
        mark = hash(data)
        if self._seen.get(mark):
            return True
        self._seen.put(mark, value=True, weight=1)
        return False

    def _settle(self) -> None:
        """Write the events of this turn, and then send its answers."""
        owed, self._owed = self._owed, []
        try:
            self._recorder.commit()
        finally:
            for connection, answer in owed:
                connection.deliver(answer)
            # Once a turn, for all of its answers, as if each had come first: that is nearly free.
            self._counters.observe("memory", monotonic() - self._began, len(owed))


def _plain_headers(lines: bytes) -> dict[str, str] | None:
    """Read the headers of a plain request, up to the empty line that is the last thing it has."""
    if not lines.endswith(b"\r\n\r\n") or not lines.isascii():
        return None
    pairs = []
    # Before a second request in the same bytes is another empty line, which is no header.
    for line in lines[:-4].decode("ascii").split("\r\n"):
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.lstrip()
        if (
            not colon
            or name in _UNUSUAL
            or (name == "connection" and value.lower() != "keep-alive")
        ):
            return None
        pairs.append((name, value))
    return intake.joined(pairs)


class Connection(HttpProtocol):
    """One client's connection. It gets a task when the first request takes the ordinary way."""

    # Where types are ignored below, Sanic has none.

    __slots__ = ("_fast", "_gateway", "_owes", "_peer")

    def __init__(self, *, app: Any, **kwargs: Any) -> None:
        super().__init__(app=app, **kwargs)
        self._gateway = app
        self._fast: FastPath | None = app.fast_path
        self._peer = ""
        self._http = None
        self._owes = False  # an answer waits for the end of this turn

    def connection_made(self, transport: Any) -> None:
        """Take a new connection."""
        transport.set_write_buffer_limits(low=16_384, high=65_536)
        self.connections.add(self)
        self.transport = transport
        self.recv_buffer = bytearray()
        self.conn_info = ConnInfo(transport, unix=self._unix)
        self._peer = self.conn_info.client_ip
        self._time = monotonic()
        self.check_timeouts()

    def data_received(self, data: bytes) -> None:
        """Answer at once what can be, and hand the rest to the connection's task."""
        if self._is_idle() and not self.recv_buffer and self._can_write.is_set():
            if self._fast is not None and self._fast.answer(self, data, self._peer):
                self._time = monotonic()
                self._owes = True
                return
            if self._task is None and data.startswith(_HANDSHAKE):
                self._gateway.counters.answered("none", 400)
                self.deliver(_NO_TLS)
                self.close()
                return
        if self._task is None:
            self._stop_timer()
            self._task = self.loop.create_task(self.connection_task())  # type: ignore[no-untyped-call]
        # The time of a request runs from its first byte: one byte now and then buys no more.
        begun = None if self._is_idle() else self._time
        self.request_max_size = self._gateway.body_limit
        super().data_received(data)
        if begun is not None:
            self._time = begun

    def deliver(self, answer: bytes) -> None:
        """Send an answer that was put off to the end of the turn."""
        self._owes = False
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(answer)

    def check_timeouts(self) -> None:
        """Close the connection when it has been idle for too long."""
        if self._task is not None:
            super().check_timeouts()  # type: ignore[no-untyped-call]
            return
        left = self._time + self.keep_alive_timeout - monotonic()
        if left <= 0:
            self.close()
        else:
            self._callback_check_timeouts = self.loop.call_later(left, self.check_timeouts)

    def close_if_idle(self) -> bool:
        """Close the connection unless an answer is on its way."""
        return not self._owes and bool(super().close_if_idle())

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        self._stop_timer()
        super().connection_lost(exc)  # type: ignore[no-untyped-call]

    def _is_idle(self) -> bool:
        """Say whether the next byte begins a request."""
        http = self._http
        if http is None:
            return self._task is None
        return http.stage is Stage.IDLE and http.keep_alive and not http.request_body

    def _stop_timer(self) -> None:
        if self._callback_check_timeouts is not None:
            self._callback_check_timeouts.cancel()
