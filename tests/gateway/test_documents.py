"""Documents of upstreams: how old they may be, and who waits for a new one."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from gateway.decision import FromSimpleIndex
from gateway.protocols.media import takes_gzip
from gateway.request import Request
from gateway.upstream.answer import Answer
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from tests.gateway.upstreams import Clock, Upstream, body_of, fetcher, header, upstream

JSON = "application/vnd.pypi.simple.v1+json"
SETTINGS = UpstreamConfig(
    document_seconds=30, revalidate_seconds=120, stale_seconds=86_400, patience_seconds=0.1
)


class Index:
    """An upstream index whose page has one file for each release."""

    def __init__(self) -> None:
        self.releases = 1
        self.status = 200
        self.seconds = 0.0

    async def __call__(self, _: web.Request) -> web.Response:
        await asyncio.sleep(self.seconds)
        files = [
            {"filename": _file(number), "url": f"https://files.example/{number}", "hashes": {}}
            for number in range(1, self.releases + 1)
        ]
        page = json.dumps({"meta": {"api-version": "1.0"}, "name": "tool", "files": files})
        return web.Response(status=self.status, text=page, content_type=JSON)


Story = Callable[[Index, Upstream, Fetcher, Clock], Awaitable[None]]


def with_index(story: Story, releases: int = 1) -> None:
    async def run() -> None:
        index, clock = Index(), Clock()
        index.releases = releases
        async with upstream(index) as told, fetcher(SETTINGS, clock) as gateway:
            await gateway.fetch(_ask(told), _request())
            assert len(told.asked) == 1
            await story(index, told, gateway, clock)

    asyncio.run(run())


def _file(number: int) -> str:
    return f"tool-{number}.0.tar.gz"


def _ask(told: Upstream, file: str = "") -> FromSimpleIndex:
    return FromSimpleIndex(
        index=f"{told.url}/", project="tool", base="https://gw.example/packages/tool/", file=file
    )


def _request(method: str = "GET", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "gw.example", "/", "", {"accept": JSON, **named})


async def _releases(answer: Answer) -> int:
    assert answer.status == 200
    return len(json.loads(await body_of(answer))["files"])


def test_a_little_too_old_is_answered_at_once_and_refreshed_behind_the_answer() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        index.releases, index.seconds = 2, 0.05
        clock.now += 149
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 1
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 1
        await asyncio.sleep(0.2)
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 2
        assert len(told.asked) == 2, "one refreshing for everybody"

    with_index(story)


def test_much_too_old_is_waited_for() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        index.releases = 2
        clock.now += 151
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 2

    with_index(story)


def test_a_slow_upstream_is_waited_for_no_longer_than_installers_are_patient() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        index.releases, index.seconds = 2, 0.3
        clock.now += 3600
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 1
        await asyncio.sleep(0.4)
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 2
        clock.now += 86_401
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 2, "too old to serve"

    with_index(story)


def test_an_upstream_in_trouble_is_left_alone_for_a_while() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        index.status, index.releases = 503, 2
        clock.now += 3600
        for _round in range(3):
            assert await _releases(await gateway.fetch(_ask(told), _request())) == 1
        assert len(told.asked) == 2
        index.status = 200
        clock.now += 31
        assert await _releases(await gateway.fetch(_ask(told), _request())) == 2

    with_index(story)


def test_what_is_gone_upstream_is_gone_after_the_answer_it_was_refreshed_behind() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        index.status = 404
        clock.now += 31
        assert (await gateway.fetch(_ask(told), _request())).status == 200
        await asyncio.sleep(0.2)
        assert (await gateway.fetch(_ask(told), _request())).status == 404

    with_index(story)


def test_a_file_that_another_worker_told_of_is_found() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        index.releases = 2
        clock.now += 2  # within the time for which a page is believed
        answer = await gateway.fetch(_ask(told, _file(2)), _request())
        assert header(answer, "Location") == "https://files.example/2"
        for _round in range(3):
            assert (await gateway.fetch(_ask(told, _file(3)), _request())).status == 404
        assert len(told.asked) == 2, "at most one request a second"
        index.status = 503
        clock.now += 2
        assert (await gateway.fetch(_ask(told, _file(3)), _request())).status == 502, "who knows"

    with_index(story)


@pytest.mark.parametrize("releases", [20, 5_000], ids=["small", "thousands of files"])
def test_who_takes_gzip_gets_it(releases: int) -> None:
    async def story(_: Index, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        plain, packed = await asyncio.gather(
            gateway.fetch(_ask(told), _request()),
            gateway.fetch(_ask(told), _request(accept_encoding="gzip, deflate, br")),
        )
        body = await body_of(packed)
        assert gzip.decompress(body) == await body_of(plain)
        assert header(packed, "Content-Encoding") == "gzip"
        assert header(plain, "Content-Encoding") is None
        assert header(packed, "Vary") == header(plain, "Vary") == "Accept, Accept-Encoding"
        etag = header(packed, "ETag") or ""
        assert etag != header(plain, "ETag")
        asked = _request(accept_encoding="gzip", if_none_match=etag)
        assert (await gateway.fetch(_ask(told), asked)).status == 304
        assert (await gateway.fetch(_ask(told), _request(if_none_match=etag))).status == 200
        head = await gateway.fetch(_ask(told), _request("HEAD", accept_encoding="gzip"))
        assert header(head, "Content-Length") == str(len(body))

    with_index(story, releases)


@pytest.mark.parametrize(
    ("accept_encoding", "takes"),
    [
        pytest.param("gzip, deflate", True, id="pip"),
        pytest.param("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", True, id="weights"),
        pytest.param("br, GZIP", False, id="nobody writes it large"),
        pytest.param("identity, gzip;q=0", False, id="refused"),
        pytest.param("x-gzip-like", False, id="another"),
        pytest.param("", False, id="none"),
    ],
)
def test_taking_gzip(accept_encoding: str, takes: bool) -> None:  # noqa: FBT001 - a table's column
    assert takes_gzip(accept_encoding) is takes
