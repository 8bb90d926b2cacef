"""How patient the gateway is with upstreams, and how much it remembers of them."""

from pathlib import Path

import msgspec


class UpstreamConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream side's settings; times are seconds."""

    connect_seconds: float = 10.0
    # Of each of two pools. Enough for every download that is streamed at once; aiohttp's own 100
    # would make manifests wait for slow layers.
    connections: int = 4096
    read_seconds: float = 60.0  # without a byte
    tag_seconds: float = 10.0  # how long a tag's digest is believed before it is asked for again
    document_seconds: float = 30.0  # the same for index pages and packuments
    revalidate_seconds: float = 120.0  # beyond that, it is asked for again behind the answer
    patience_seconds: float = 3.0  # an older document is then served while its upstream is slow
    stale_seconds: float = 86_400.0  # how old a document may be served while its upstream is down
    cache: Path | None = None  # a folder that workers share; None: memory alone
    cache_bytes: int = 256 * 1024 * 1024  # of manifests in that folder
    manifest_cache_bytes: int = 64 * 1024 * 1024
    document_cache_bytes: int = 256 * 1024 * 1024
    document_bytes: int = 128 * 1024 * 1024  # the largest page or packument that is taken in
