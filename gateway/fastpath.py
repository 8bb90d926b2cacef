"""The quick way through: one complete plain GET, answered while its bytes are being read.

Most requests are whole, without a body, and answered with a redirect. Such a one needs neither a
task nor the web server's own request and response, which cost more than all that is done for it.
Whatever is unusual takes the ordinary way, and both ways read, decide, record and write with the
same functions.

The answers of one turn of the event loop wait for its end: then their events are written with one
call to the kernel, and only then are they sent.
"""

import asyncio
import re
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Protocol

import msgspec

from gateway import compose, intake, recorder
from gateway.compose import Draft, Signature
from gateway.counters import Counters
from gateway.decide import decide
from gateway.decision import Hit, Redirect, Refusal, Reply
from gateway.live import LiveRoutes
from gateway.proxies import Proxies
from gateway.recent import Recent, Sightings
from gateway.recorder import Recorder
from gateway.request import Request

# Nothing here depends on its length; what is longer is not plain.
_LONGEST = 4096
_TARGETS_REMEMBERED = 12 * 1024 * 1024  # bytes of what is asked and deserved, twice: see `Recent`
_HEADERS_REMEMBERED = 4 * 1024 * 1024
_SEEN = 65_536  # targets of which a hash is kept
_OVERHEAD = 2048  # bytes of what is remembered beside the texts
_BODILESS = frozenset({204, 304})

_FIRST_LINE = re.compile(rb"GET (/[\x21-\x7e]*) HTTP/1\.1")
# These make a request unusual.
_UNUSUAL = frozenset(
    {"content-length", "transfer-encoding", "expect", "upgrade", "http2-settings", "te", "trailer"}
)
# What many clients send alike. Headers with any other among them are forgotten with their request:
# they may be for one client only, or name it, as those do that proxies put its address into.
_COMMON = frozenset(
    {
        "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control",
        "connection", "dnt", "host", "if-modified-since", "if-none-match", "if-range", "keep-alive",
        "origin", "pragma", "priority", "range", "referer", "sec-ch-ua", "sec-ch-ua-mobile",
        "sec-ch-ua-platform", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site",
        "sec-fetch-user", "sec-gpc", "upgrade-insecure-requests", "user-agent",
    }
)  # fmt: skip
# What trusted proxies say of the one address that many clients ask for.
_OF_PROXIES = frozenset({"x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"})
_FORWARDED_FOR = re.compile(rb"\r\nX-Forwarded-For: ?([\x20-\x7e]*)(?=\r\n)", re.IGNORECASE)

_KEPT, _CLOSED = b"\r\nconnection: keep-alive\r\n", b"\r\nconnection: close\r\n"

Outcome = Redirect | Reply | Refusal


class Written(msgspec.Struct, frozen=True):
    """An outcome as it is sent to a client who goes on using the connection."""

    status: int
    hits: tuple[Hit, ...]
    answer: bytes


class Client(Protocol):
    """A connection, as far as an answer goes."""

    loop: asyncio.AbstractEventLoop

    def deliver(self, answer: bytes) -> None:
        """Send the answer."""

    def close(self) -> None:
        """End the connection once all is sent."""


class _Head(msgspec.Struct, frozen=True):
    """What a request's headers say, whatever it asks for."""

    asked: Request  # for the path "/"
    signature: Signature | None  # None: the client asks not to be recorded
    # Among what equal targets have equal answers: a host, or only what has equal headers. None: in
    # this very request.
    scope: Hashable
    closes: bool  # the client asks nothing more on this connection


class _Ready(msgspec.Struct, frozen=True):
    """What a target deserves."""

    answer: bytes
    counter: int
    drafts: list[Draft]


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
        self._common = _COMMON if proxies.none else _COMMON | _OF_PROXIES
        # Apart, because clients of one make send equal headers whatever they ask for, and what they
        # ask for has mostly one answer whatever their headers.
        self._heads: Recent[tuple[bytes, str], _Head] = Recent(_HEADERS_REMEMBERED)
        self._targets: Recent[tuple[bytes, Hashable], _Ready] = Recent(_TARGETS_REMEMBERED)
        self._seen = Sightings(_SEEN)
        self._owed: list[tuple[Client, bytes, bool]] = []  # and whether to close then
        self._began = 0.0  # when the first request of this turn came

    def answer(self, connection: Client, data: bytes, peer: str) -> bool:
        """Answer at the end of this turn, or say that the request takes the ordinary way."""
        if not self._owed:
            self._began = monotonic()
        if self._routes.table is not self._table:
            self._heads.clear()
            self._targets.clear()
            self._table = self._routes.table
        if len(data) > _LONGEST:
            return False
        end = data.find(b"\r\n")
        first, lines = data[:end], data[end:]
        address, proxy = peer, ""
        if not self._proxies.none:
            # The chain of addresses is the one thing in which the headers of many clients differ.
            chain, proxy = {}, peer
            found = _FORWARDED_FOR.search(lines)
            if found is not None:
                chain["x-forwarded-for"] = found[1].decode("ascii")
                lines = lines[: found.start()] + lines[found.end() :]
            address = self._proxies.origin(peer, chain).address
        try:
            # Only of a trusted proxy does it matter who it is.
            head = self._heads.get((lines, proxy)) or self._read(lines, proxy)
            if head is None:
                return False
            ready = self._targets.get((first, head.scope)) or self._work_out(first, head)
            if ready is None:
                return False
        except Exception:  # noqa: BLE001 the ordinary way meets the same, and knows how to say it
            return False
        self._counters.answered_at(ready.counter)
        if ready.drafts:
            self._recorder.append(ready.drafts, head.signature, address)
        if not self._owed:
            connection.loop.call_soon(self._settle)
        answer = ready.answer.replace(_KEPT, _CLOSED, 1) if head.closes else ready.answer
        self._owed.append((connection, answer, head.closes))
        return True

    def _read(self, lines: bytes, proxy: str) -> _Head | None:
        headers = _plain_headers(lines[2:])
        if headers is None or (proxy and "x-forwarded-for" in headers):
            return None
        connection = headers.get("connection", "").lower()
        closes = connection == "close"
        if "close" in connection and not closes:
            return None  # it says both
        asked, _ = intake.place("GET", "/", headers, body=b"", peer=proxy, proxies=self._proxies)
        signature = recorder.signature_of(asked)
        common = headers.keys() <= self._common
        scope: Hashable = (lines, proxy) if common else None
        if self._table.answers_by_target(asked.host):
            # Without its headers it rests on nothing else for certain.
            asked, scope = Request("GET", asked.host, "/"), asked.host
        head = _Head(asked, signature, scope, closes)
        if common:
            self._heads.put((lines, proxy), head, 4 * len(lines) + _OVERHEAD)
        return head

    def _work_out(self, first: bytes, head: _Head) -> _Ready | None:
        line = _FIRST_LINE.fullmatch(first)
        if line is None:
            return None
        path, query = intake.parted(line[1].decode("ascii"))
        facts = msgspec.structs.replace(head.asked, path=path, query=query)
        if self._table.depends(facts):
            return None  # the answer may be another for the next visitor, or in a minute
        decision = decide(self._table, facts)
        if not isinstance(decision, Outcome):
            return None
        written = self._write(decision)
        hits = written.hits
        if written.status in _BODILESS:
            return None
        counter = self._counters.place(hits[0].route_type if hits else "none", written.status)
        drafts = [compose.draft(hit, facts, written.status) for hit in hits]
        ready = _Ready(written.answer, counter, drafts)
        key = first, head.scope
        if (
            hits
            and head.scope is not None
            and len(ready.answer) <= _LONGEST
            # Keeping what never comes again is no gain.
            and self._seen.again(hash(key))
        ):
            texts = sum(len(draft.json) + len(draft.addressed) for draft in drafts)
            self._targets.put(key, ready, len(first) + len(ready.answer) + texts + _OVERHEAD)
        return ready

    def _settle(self) -> None:
        """Write the events of this turn, and then send its answers."""
        owed, self._owed = self._owed, []
        try:
            self._recorder.commit()
        finally:
            for connection, answer, closes in owed:
                connection.deliver(answer)
                if closes:
                    connection.close()
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
            or (name == "connection" and value.lower() not in {"keep-alive", "close"})
        ):
            return None
        pairs.append((name, value))
    return intake.joined(pairs)
