"""One client's connection, in Sanic's server but with a quick way through.

This module is the only one that leans on the inside of Sanic, whose version is therefore pinned.
"""

from time import monotonic
from typing import TYPE_CHECKING, Any

from sanic.http import Stage
from sanic.models.server_types import ConnInfo
from sanic.server import HttpProtocol

if TYPE_CHECKING:
    from gateway.fastpath import FastPath

_HANDSHAKE = b"\x16"  # how TLS begins
# Plain HTTP, because clients know it from what they read and say so, or go on without TLS.
_NO_TLS = (
    b"HTTP/1.0 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n"
    b"this port speaks HTTP without TLS\n"
)


class Connection(HttpProtocol):
    """One client's connection. It gets a task when the first request takes the ordinary way."""

    # Where types are ignored below, Sanic has none.

    __slots__ = ("_fast", "_gateway", "_made", "_owes", "_peer")

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
        self._time = self._made = monotonic()
        self._make_room()
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
        """Close the connection when it has been idle for too long; sooner when it never asked."""
        if self._task is not None:
            super().check_timeouts()  # type: ignore[no-untyped-call]
            return
        is_new = self._time == self._made
        patience = self.request_timeout if is_new else self.keep_alive_timeout
        left = self._time + patience - monotonic()
        if left <= 0:
            self.close()
        else:
            self._callback_check_timeouts = self.loop.call_later(left, self.check_timeouts)

    def waiting(self) -> tuple[bool, float]:
        """Whether an answer is being made, and since when all is as it is; see `Room`."""
        at_work = self._owes or (
            self._http is not None and self._http.stage not in {Stage.IDLE, Stage.REQUEST}
        )
        return at_work, self._time

    def give_way(self) -> None:
        """Close the connection, whatever it waits for."""
        # Not our own `abort`, because the task still asks the transport whether it is closing.
        if self.transport is not None:
            self.transport.abort()

    def close_if_idle(self) -> bool:
        """Close the connection unless an answer is on its way."""
        return not self._owes and bool(super().close_if_idle())

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        self._stop_timer()
        super().connection_lost(exc)  # type: ignore[no-untyped-call]
        self._gateway.counters.hold(len(self.connections))

    def _make_room(self) -> None:
        room = self._gateway.room
        if len(self.connections) > room.most:
            # They are in the way no more, even though they are only closed after this turn.
            self.connections.difference_update(room.make(self.connections))
        self._gateway.counters.hold(len(self.connections))

    def _is_idle(self) -> bool:
        """Say whether the next byte begins a request."""
        http = self._http
        if http is None:
            return self._task is None
        return http.stage is Stage.IDLE and http.keep_alive and not http.request_body

    def _stop_timer(self) -> None:
        if self._callback_check_timeouts is not None:
            self._callback_check_timeouts.cancel()
