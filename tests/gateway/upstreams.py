"""Small upstreams for tests: a real HTTP server on loopback that writes down what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.upstream.answer import Answer
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """One request as the upstream got it."""

    method: str
    target: str  # path and query, byte for byte
    headers: dict[str, str]


@dataclass
class Upstream:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def count(self, method: str, containing: str = "") -> int:
        return sum(one.method == method and containing in one.target for one in self.asked)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[Upstream]:
    """Serve every path by one handler, until the block ends."""
    told = Upstream()

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told.asked.append(Asked(request.method, request.raw_path, headers))
        return await handler(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    told.url = f"http://127.0.0.1:{server.port}"
    try:
        yield told
    finally:
        await server.close()


@asynccontextmanager
async def fetcher(
    config: UpstreamConfig | None = None, clock: Callable[[], float] | None = None
) -> AsyncIterator[Fetcher]:
    made = Fetcher(config, clock) if clock else Fetcher(config)
    try:
        yield made
    finally:
        await made.close()


async def body_of(answer: Answer) -> bytes:
    """The whole body, streamed or not; the stream is closed as the server closes it."""
    if isinstance(answer.body, bytes):
        return answer.body
    try:
        return b"".join([chunk async for chunk in answer.body])
    finally:
        await answer.body.aclose()


def header(answer: Answer, name: str) -> str | None:
    return next((value for key, value in answer.headers if key.lower() == name.lower()), None)
