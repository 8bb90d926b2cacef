"""One door to every upstream: a fetch and the request that asked for it become an answer."""

import msgspec

from gateway.decision import Fetch
from gateway.request import Request
from gateway.upstream.answer import Answer


class UpstreamConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the gateway is with upstreams, and how much it remembers of them."""

    connect_seconds: float = 10.0
    read_seconds: float = 60.0  # without a byte
    tag_seconds: float = 10.0  # how long a tag's digest is believed before it is asked for again
    document_seconds: float = 30.0  # the same for index pages and packuments
    stale_seconds: float = 86_400.0  # how old a document may be served while its upstream is down
    manifest_cache_bytes: int = 64 * 1024 * 1024
    document_cache_bytes: int = 256 * 1024 * 1024


class Fetcher:
    """Owns the connections and caches of one process. Make it, use it and close it in one event loop."""

    def __init__(self, config: UpstreamConfig | None = None) -> None:
        self._config = config or UpstreamConfig()

    async def fetch(self, fetch: Fetch, request: Request) -> Answer:
        """Carry a fetch out. Never raises for an upstream's trouble: that is a 502 or 504 with a reason."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of every connection."""
