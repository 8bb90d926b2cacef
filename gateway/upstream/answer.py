"""What an upstream's answer becomes: the server writes it out and journals its hits."""

from collections.abc import AsyncGenerator

import msgspec

from gateway.decision import Hit


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A complete response.

    For a HEAD request the body is empty and a Content-Length in the headers is the resource's own,
    so the server must not compute another. A streamed body whose length is known carries
    Content-Length; it may raise `UpstreamBroke` midway, after which the connection can only be cut.
    Closing the iterator (`aclose`) lets go of the upstream's connection; the server does so however
    the response ends.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()  # in order; names may repeat
    body: bytes | AsyncGenerator[bytes] = b""
    hits: tuple[Hit, ...] = ()


class UpstreamBroke(Exception):  # noqa: N818 - it happened to us; nothing here was in error
    """The upstream ended its answer before it was whole."""
