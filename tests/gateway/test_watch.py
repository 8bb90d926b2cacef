"""Failover and followed aliases, with real servers that go down and come back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from gateway import table
from gateway.choice import compile_choice
from gateway.circumstances import Circumstances
from gateway.conditions import Facts
from gateway.destinations import Alias, Health
from gateway.routes import FileRoute
from gateway.watch import Watch, stopped


class Server:
    """A host of files, well or not, with a page that redirects to its newest release."""

    def __init__(self) -> None:
        self.status = 200
        self.heads = True
        self.newest = "v1.0.0"
        self.asked: list[str] = []
        self.url = ""

    async def up(self, request: web.Request) -> web.Response:
        self.asked.append(request.method)
        if request.method == "HEAD" and not self.heads:
            return web.Response(status=405)
        return web.Response(status=self.status)

    async def latest(self, _request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"/releases/tag/{self.newest}"})


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/up", server.up)
    app.router.add_route("*", "/latest", server.latest)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 the watch has no event for tests
            await asyncio.sleep(0.02)


async def fail_over() -> None:
    async with serving() as first, serving() as second:
        route = FileRoute(
            domains=("a.example",),
            package="p",
            incoming_path="/tool/{version}",
            outgoing_url=f"{first.url}/{{version}}",
            fallback_urls=(f"{second.url}/{{version}}",),
            # Quicker than a file may ask for.
            health=Health(path="/up", every=0.05, timeout=0.05, down_after=2, up_after=2),
            aliases={"latest": Alias(redirect=f"{second.url}/latest", prefix="v", every=0.05)},
        )
        choice = compile_choice(route)
        assert choice is not None
        routes = table.build([route])
        watch = Watch(lambda: routes)

        def chosen() -> str:
            return choice.of(Facts("", {}, Circumstances(observed=watch.observed))).url.origin

        watching = asyncio.create_task(watch.run())
        try:
            await until(lambda: bool(first.asked and second.asked))
            assert set(first.asked) == {"HEAD"}
            assert chosen() == first.url, "no server is down for want of an answer"
            first.status = 503
            await until(lambda: chosen() == second.url)
            assert watch.observed.down == {f"{first.url}/up": "answers 503"}
            second.status = 500
            await until(lambda: len(watch.observed.down) == 2)
            assert chosen() == first.url, "all are down"
            first.status = 200
            first.heads = False
            await until(lambda: f"{first.url}/up" not in watch.observed.down)
            assert "GET" in first.asked
            assert chosen() == first.url

            await until(lambda: bool(watch.observed.versions))
            assert watch.observed.versions == {f"{second.url}/latest": "v1.0.0"}
            second.newest = "v1.1.0"
            await until(lambda: watch.observed.versions[f"{second.url}/latest"] == "v1.1.0")
            second.newest = "."
            await asyncio.sleep(0.2)
            assert watch.observed.versions == {f"{second.url}/latest": "v1.1.0"}

            # Routes that ask for nothing end it all.
            routes = table.build([])
            await until(lambda: not watch.observed.down and not watch.observed.versions)
            await asyncio.sleep(0.3)
            before = len(first.asked)
            await asyncio.sleep(0.3)
            assert len(first.asked) == before
        finally:
            await stopped(watching)


def test_a_server_that_is_down_is_passed_over_until_it_is_back() -> None:
    asyncio.run(fail_over())


async def unreachable() -> None:
    route = FileRoute(
        domains=("a.example",),
        package="p",
        incoming_path="/x",
        outgoing_url="http://127.0.0.1:9/x",
        fallback_urls=("http://127.0.0.1:1/x",),
        health=Health(every=0.05, timeout=0.5, down_after=1),
    )
    routes = table.build([route])
    watch = Watch(lambda: routes)
    watching = asyncio.create_task(watch.run())
    try:
        await until(lambda: len(watch.observed.down) == 2)
        assert all("cannot be reached" in reason for reason in watch.observed.down.values())
    finally:
        await stopped(watching)


def test_a_server_that_cannot_be_reached_is_down() -> None:
    asyncio.run(unreachable())


async def idle() -> None:
    routes = table.build([FileRoute(domains=("a.example",), package="p", incoming_path="/x")])
    watch = Watch(lambda: routes)
    watching = asyncio.create_task(watch.run())
    await asyncio.sleep(0.1)
    assert watch._session is None  # noqa: SLF001 that no connection is made has no other sign
    await stopped(watching)


def test_without_such_routes_nothing_is_opened() -> None:
    asyncio.run(idle())
