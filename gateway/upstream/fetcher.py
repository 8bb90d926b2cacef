"""One door to every upstream: a fetch and the request that asked for it become an answer."""

import time
from collections.abc import Callable

from gateway.decision import Fetch, FromPackageRegistry, FromRegistry, FromRepository
from gateway.request import Request
from gateway.upstream.answer import Answer
from gateway.upstream.client import Client
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.documents import Documents
from gateway.upstream.notes import TakeNote, forget
from gateway.upstream.packuments import Packuments
from gateway.upstream.registry import Registry
from gateway.upstream.repositories import Repositories
from gateway.upstream.simple_index import SimpleIndexes


class Fetcher:
    """Owns one process's connections and caches; made, used and closed in one event loop."""

    def __init__(
        self,
        config: UpstreamConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
        note: TakeNote = forget,
    ) -> None:
        config = config or UpstreamConfig()
        self._client = Client(config, note)
        self._documents = Documents(self._client, config, clock)
        self._registry = Registry(self._client, config, clock)
        self._simple_indexes = SimpleIndexes(self._documents)
        self._packuments = Packuments(self._documents)
        self._repositories = Repositories(self._documents)

    async def fetch(self, fetch: Fetch, request: Request) -> Answer:
        """Carry a fetch out. Never raises for an upstream's trouble: that is a 502 or a 504."""
        if isinstance(fetch, FromRegistry):
            return await self._registry.answer(fetch, request)
        if isinstance(fetch, FromPackageRegistry):
            return await self._packuments.answer(fetch, request)
        if isinstance(fetch, FromRepository):
            return await self._repositories.answer(fetch, request)
        return await self._simple_indexes.answer(fetch, request)

    async def close(self) -> None:
        """Cancel what is under way and let go of every connection."""
        await self._documents.close()
        await self._registry.close()
        await self._client.close()
