"""What an upstream's answer becomes: the server writes it out and journals its hits."""

from typing import Protocol, Self

import msgspec

from gateway.decision import Hit

Headers = tuple[tuple[str, str], ...]


class UpstreamBroke(Exception):  # noqa: N818 - it happened to us; nothing here was in error
    """The upstream ended its answer before it was whole."""


class Stream(Protocol):
    """A body that arrives in pieces, one in memory at a time.

    It may raise `UpstreamBroke` midway, after which the client's connection can only be cut.
    """

    def __aiter__(self) -> Self:
        """Iterate over the pieces, once."""

    async def __anext__(self) -> bytes:
        """Wait for the next piece."""

    async def aclose(self) -> None:
        """Let go of the upstream's connection, read to its end or not. May be called again."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete response.

    For a HEAD request the body is empty, and a Content-Length in the headers is the resource's own,
    so the server must not compute another. A stream's length is in the headers where it is known;
    for bytes it is left to the server. However the response ends, the server closes the stream.
    """

    status: int
    headers: Headers = ()  # in order; names may repeat
    body: bytes | Stream = b""
    hits: tuple[Hit, ...] = ()
