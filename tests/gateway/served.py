"""A gateway's public port in this process, on a real socket, with its journal in reach."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop
from sanic import Sanic

from gateway import listening
from gateway.circumstances import Observed
from gateway.connection import Connection
from gateway.counters import Counters
from gateway.ipdata import IpData
from gateway.journal import Journal
from gateway.live import LiveRoutes
from gateway.proxies import Proxies
from gateway.recorder import Recorder
from gateway.server import Gateway
from gateway.surroundings import Surroundings
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from gateway.visitor import Visitors

HERE = "127.0.0.1"
IP_DATA = Path(__file__).parents[2] / "data/ip"
END = b"\r\n\r\n"

# Several applications live in one process here.
Sanic.test_mode = True


class Served:
    """One public port."""

    def __init__(
        self, home: Path, routes: str, trusted: int | tuple[str, ...] = 0, **options: Any
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.file = home / "routes.toml"
        self.file.write_text(routes)
        self.routes = LiveRoutes(self.file)
        self.counters = Counters.create(1)
        self.journal = Journal(home / "journal", 3600)
        # All share the salts, so that their ids can be compared.
        visitors = Visitors(IpData.open(IP_DATA), home.parent / "salts")
        self.fetcher = Fetcher(UpstreamConfig())
        self.app = Gateway(
            self.routes,
            Proxies(trusted),
            Recorder(visitors, self.journal, self.counters),
            self.counters,
            self.fetcher,
            surroundings=Surroundings(visitors, Observed),
            **options,
        )
        self._folder = home / "journal"
        self._read = 0
        self.quick: list[bool] = []  # of each request, whether it took the quick way
        if self.app.fast_path is not None:
            self.app.fast_path.answer = self._noting(self.app.fast_path.answer)  # type: ignore[method-assign]
        self.sock = listening.bind(HERE, 0)
        self.port: int = self.sock.getsockname()[1]

    def _noting(self, answer: Callable[..., bool]) -> Callable[..., bool]:
        def noted(*arguments: Any) -> bool:
            self.quick.append(answer(*arguments))
            return self.quick[-1]

        return noted

    def events(self) -> list[dict[str, Any]]:
        """What was journaled since the last call, but for what differs from event to event."""
        text = b"".join(path.read_bytes() for path in self._folder.glob("*.open"))
        new, self._read = text[self._read :], len(text)
        events = [json.loads(line[9:]) for line in new.splitlines()]
        return [{k: v for k, v in e.items() if k not in {"event_id", "event_time"}} for e in events]

    def connect(self, source: str = HERE, seconds: float = 10) -> socket.socket:
        """Open a connection."""
        return socket.create_connection((HERE, self.port), seconds, (source, 0))


@contextmanager
def serving(*gateways: Served) -> Iterator[asyncio.AbstractEventLoop]:
    """Serve until the block ends; all in one event loop of a thread's own."""
    loop = uvloop.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        await asyncio.gather(
            *(listening.serve(each.app, each.sock, stop, 2, Connection) for each in gateways)
        )
        for each in gateways:
            each.journal.close()
            await each.fetcher.close()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())

    thread = threading.Thread(target=run)
    thread.start()
    # Python 3.11 parses in one thread at a time only, and Sanic does it as it starts.
    while thread.is_alive() and not all(
        each.app.router.finalized and each.app.signal_router.finalized for each in gateways
    ):
        time.sleep(0.001)
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(15)
        loop.close()


class Client:
    """Sends bytes as they are, and reads one answer at a time."""

    def __init__(self, served: Served, source: str = HERE) -> None:
        self._connect = lambda: served.connect(source)
        self._socket: socket.socket | None = None
        self._rest = b""

    def ask(self, request: bytes, *, head: bool = False) -> tuple[bytes, bool]:
        """Send a request; return the answer, and whether the connection is at its end."""
        if self._socket is None:
            self._socket, self._rest = self._connect(), b""
        self._socket.sendall(request)
        answer = self._answer(head=head)
        # The next answer tells the end from a pause.
        closing = b"connection: close" in answer.lower() or not answer
        if closing:
            self.close()
        return answer, closing

    def _answer(self, *, head: bool) -> bytes:
        while END not in self._rest:
            if not self._more():
                return self._rest
        end = self._rest.index(END) + 4
        length = 0
        for line in self._rest[:end].lower().split(b"\r\n"):
            if line.startswith(b"content-length:") and not head:
                length = int(line.partition(b":")[2])
        while len(self._rest) < end + length and self._more():
            pass
        answer, self._rest = self._rest[: end + length], self._rest[end + length :]
        # "100 Continue" comes before the answer.
        return answer + self._answer(head=head) if answer.startswith(b"HTTP/1.1 100 ") else answer

    def _more(self) -> bool:
        assert self._socket is not None
        data = self._socket.recv(65_536)
        self._rest += data
        return bool(data)

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
