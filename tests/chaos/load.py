"""Clients that note what was acknowledged: every event bears a number of its own, its mark."""

import asyncio
import json
import random
import threading
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

DOMAIN = "get.acme.example"
PURGED = "passing"  # a package whose events are purged again and again
ROUTES = f"""
[[route]]
type = "file"
domain = "{DOMAIN}"
package = "tool"
incoming-path = "/tool/{{version}}/{{mark}}"
outgoing-url = "https://files.acme.example/{{version}}/{{mark}}"

[[route]]
type = "telemetry"
domain = "{DOMAIN}"
package = "tool"
path = "/telemetry"

[[route]]
type = "file"
domain = "{DOMAIN}"
package = "{PURGED}"
incoming-path = "/{PURGED}/{{version}}/{{mark}}"
outgoing-url = "https://files.acme.example/{PURGED}/{{version}}/{{mark}}"
"""

_ANSWER_SECONDS = 10.0  # a client gives up, and what it had sent counts as not acknowledged
_AGAIN_SECONDS = 0.02  # before a client connects again after a broken connection


class Load:
    """So many connections, so many events a second, in a thread of their own until it is ended."""

    def __init__(self, port: int, *, connections: int, rate: float, seed: int) -> None:
        self.acknowledged = array("Q")  # marks, in the order of their answers
        self.to_be_purged = 0  # acknowledged events that are not to stay
        self.broken = 0  # connections that ended before an answer
        self.refused = 0  # answers that acknowledge nothing
        self.slowest = 0.0  # seconds, of an answer that came
        self._port = port
        self._connections = connections
        self._pause = connections / rate
        self._seed = seed
        self._next = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Let the clients finish what they have asked for."""
        self._stop.set()
        self._thread.join()

    async def _run(self) -> None:
        clients = [
            self._client(random.Random(f"{self._seed} client {number}"))
            for number in range(self._connections)
        ]
        await asyncio.gather(*clients)

    async def _client(self, chance: random.Random) -> None:
        while not self._stop.is_set():
            try:
                async with _connected(self._port) as (reader, writer):
                    while not self._stop.is_set():
                        await self._ask(reader, writer, chance)
            except (OSError, EOFError, TimeoutError):
                self.broken += 1
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: random.Random
    ) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        # Most ask for one file; some send the next request before the answer, some many events.
        kind = chance.choices(("one", "pipelined", "telemetry", "purged"), (8, 1, 1, 1))[0]
        groups = [[self._mark()] for _ in range(2 if kind == "pipelined" else 1)]
        if kind == "telemetry":
            groups = [[self._mark() for _ in range(chance.randint(1, 5))]]
            writer.write(_telemetry(groups[0]))
        else:
            package = PURGED if kind == "purged" else "tool"
            writer.write(b"".join(_download(package, mark) for (mark,) in groups))
        for marks in groups:
            status = await asyncio.wait_for(_answer(reader), _ANSWER_SECONDS)
            if status not in {200, 307}:
                self.refused += 1
            elif kind == "purged":
                self.to_be_purged += len(marks)
            else:
                self.acknowledged.extend(marks)
        took = loop.time() - started
        self.slowest = max(self.slowest, took)
        events = sum(map(len, groups))
        await asyncio.sleep(max(0.0, chance.uniform(0, 2) * self._pause * events - took))

    def _mark(self) -> int:
        self._next += 1
        return self._next


@asynccontextmanager
async def _connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _download(package: str, mark: int) -> bytes:
    head = f"GET /{package}/1.0/m{mark} HTTP/1.1\r\nHost: {DOMAIN}\r\nUser-Agent: curl/8\r\n\r\n"
    return head.encode()


def _telemetry(marks: list[int]) -> bytes:
    body = "\n".join(json.dumps({"mark": f"m{mark}"}) for mark in marks).encode()
    head = f"POST /telemetry HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one whole answer and return its status; half an answer acknowledges nothing."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(b" ", 2)[1])
