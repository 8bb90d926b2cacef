"""A flood of telemetry: bodies of a hundred events, more than any gateway takes.

A sender who is turned away sends the next body at its time, and does not wait as it is asked to.
"""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.load.process import Pipe, told
from tests.chaos.load import DOMAIN

HERE = "127.0.0.1"
EVENTS = 100  # a body
_SENDERS = 64


@dataclass(frozen=True)
class Send:
    """So many bodies a second; answered with a Counter of statuses, 0 being a broken connection."""

    bodies: float
    seconds: float


async def run(pipe: Pipe, port: int) -> None:
    """Flood when told to, until the pipe ends."""
    while True:
        send: Send = await told(pipe)
        statuses: Counter[int] = Counter()
        pause = _SENDERS / send.bodies
        end = time.perf_counter() + send.seconds
        await asyncio.gather(
            *(_sender(port, n / send.bodies, pause, end, statuses) for n in range(_SENDERS))
        )
        pipe.send(statuses)


async def _sender(
    port: int, delay: float, pause: float, end: float, statuses: Counter[int]
) -> None:
    events = b"".join(json.dumps({"n": n, "text": "x" * 60}).encode() for n in range(EVENTS))
    head = f"POST /telemetry HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {len(events)}\r\n\r\n"
    body = head.encode() + events
    due = time.perf_counter() + delay
    while due < end:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(HERE, port)
            status = 200
            while status == 200 and due < end:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                due += pause
                writer.write(body)
                status = await _status(reader)
                statuses[status] += 1
        except (OSError, EOFError):
            statuses[0] += 1
        finally:
            if writer is not None:
                writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    answer = await reader.readuntil(b"\r\n\r\n")
    length = answer.lower().partition(b"content-length:")[2].split()[0]
    await reader.readexactly(int(length))
    return int(answer.split()[1])
