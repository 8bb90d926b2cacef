"""Runs a Sanic application on a socket that was bound beforehand, until it is told to stop."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvloop
from sanic import Sanic

from gateway.logs import on_loop_error

BACKLOG = 1024


def bind(host: str, port: int) -> socket.socket:
    """Bind and listen. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if family == socket.AF_INET6 and host == "::":
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


async def serve(
    app: Sanic[Any, Any],
    sock: socket.socket,
    stop: asyncio.Event,
    grace: float,
    protocol: type[asyncio.Protocol] | None = None,
) -> None:
    """Serve until `stop` is set, then let what is in flight finish, for at most `grace` seconds."""
    # Any, because none of the server's methods has types.
    server: Any = await app.create_server(
        sock=sock,
        protocol=protocol,
        backlog=BACKLOG,
        asyncio_server_kwargs={"start_serving": False},
    )
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    await stop.wait()
    await server.before_stop()
    server.close()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace
    # An idle connection closes at once, a busy one when its answer is out and it is idle again.
    while server.connections and loop.time() < deadline:
        for connection in tuple(server.connections):
            connection.close_if_idle()
        await asyncio.sleep(0.02)
    for connection in tuple(server.connections):
        connection.abort()
    await server.after_stop()


def stop_event(lifeline: int, *, heed_signals: bool) -> asyncio.Event:
    """Make an event that is set when the supervisor is gone or says stop.

    The lifeline is a pipe that nobody writes to: it ends when the supervisor does, however that is.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(on_loop_error)
    stop = asyncio.Event()

    def ended() -> None:
        loop.remove_reader(lifeline)
        stop.set()

    os.set_blocking(lifeline, False)
    loop.add_reader(lifeline, ended)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set if heed_signals else _ignore)
    return stop


def run(main: Callable[[], Any]) -> None:
    """Run a coroutine function to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _ignore() -> None:
    """A signal to the whole group, such as Ctrl-C, is not for this process."""
