"""Live packuments: tarballs at the gateway, everything else as the registry told it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from gateway.decision import FromPackageRegistry, Hit
from gateway.request import Request
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from tests.gateway.upstreams import Clock, Upstream, body_of, fetcher, header, upstream
from tests.programs import free_port

INSTALL = "application/vnd.npm.install-v1+json"
NPM = f"{INSTALL}; q=1.0, application/json; q=0.8, */*"
# Nothing is refreshed behind an answer, so that each request tells what it costs.
PUNCTUAL = UpstreamConfig(revalidate_seconds=0)
BASE = "https://npm.acme.example/"


def packument(abbreviated: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - a test's own
    versions = {
        version: {
            "name": "@acme/cli",
            "version": version,
            "dist": {
                "tarball": tarball,
                "integrity": f"sha512-{version}",
                "signatures": [{"k": 1}],
            },
        }
        for version, tarball in (
            ("1.0.0", "https://npm.example/@acme/cli/-/cli-1.0.0.tgz"),
            ("2.0.0-rc.1", "https://store.example/download/@acme/cli/2.0.0-rc.1/abc%2Fdef?x=1"),
        )
    }
    tags = {"latest": "1.0.0", "next": "2.0.0-rc.1"}
    told = {"name": "@acme/cli", "dist-tags": tags, "versions": versions}
    return told if abbreviated else {**told, "readme": "read me", "time": {"1.0.0": "2026"}}


class Npm:
    """An upstream registry with one package."""

    def __init__(self) -> None:
        self.status = 200
        self.body: bytes | None = None

    async def __call__(self, asked: web.Request) -> web.Response:
        if self.status != 200:
            return web.Response(status=self.status)
        if asked.raw_path != "/@acme%2Fcli":
            return web.json_response({"error": "Not found"}, status=404)
        is_short = asked.headers["Accept"].startswith(INSTALL)
        etag = '"short"' if is_short else '"full"'
        if asked.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        body = self.body or json.dumps(packument(is_short)).encode()
        kind = INSTALL if is_short else "application/json"
        return web.Response(body=body, headers={"ETag": etag, "Content-Type": kind})


def with_npm(story: Callable[[Npm, Upstream, Fetcher, Clock], Awaitable[None]]) -> None:
    async def run() -> None:
        npm, clock = Npm(), Clock()
        async with upstream(npm) as told, fetcher(PUNCTUAL, clock) as gateway:
            await story(npm, told, gateway, clock)

    asyncio.run(run())


def ask(url: str, part: Any = "packument", reference: str = "", name: str = "@acme/cli") -> Any:
    hit = Hit(event_type="metadata", route_type="npm", package_id="p", package="p")
    return FromPackageRegistry(
        registry=f"{url}/", name=name, base=BASE, part=part, reference=reference, hits=(hit,)
    )


def request(accept: str = NPM, method: str = "GET", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "npm.acme.example", "/", "", {"accept": accept, **named})


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        pytest.param(NPM, INSTALL, id="npm"),
        pytest.param("application/json", "application/json", id="full"),
        pytest.param("*/*", "application/json", id="anything"),
        pytest.param("", "application/json", id="none"),
    ],
)
def test_tarballs_lead_to_the_gateway(accept: str, content_type: str) -> None:
    async def story(_: Npm, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        answer = await gateway.fetch(ask(told.url), request(accept))
        assert (answer.status, header(answer, "Content-Type")) == (200, content_type)
        expected = packument(content_type == INSTALL)
        for version, manifest in expected["versions"].items():
            manifest["dist"]["tarball"] = f"{BASE}@acme/cli/-/cli-{version}.tgz"
        assert json.loads(await body_of(answer)) == expected
        assert header(answer, "Vary") == "Accept, Accept-Encoding"

    with_npm(story)


@pytest.mark.parametrize(
    ("file", "where"),
    [
        ("cli-1.0.0.tgz", "https://npm.example/@acme/cli/-/cli-1.0.0.tgz"),
        ("cli-2.0.0-rc.1.tgz", "https://store.example/download/@acme/cli/2.0.0-rc.1/abc%2Fdef?x=1"),
    ],
    ids=["usual", "elsewhere"],
)
def test_a_tarball_is_where_the_packument_says(file: str, where: str) -> None:
    async def story(_: Npm, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        for _round in range(2):
            answer = await gateway.fetch(ask(told.url, "tarball", file), request("*/*"))
            assert (answer.status, header(answer, "Location")) == (307, where)
            assert header(answer, "Cache-Control") == "no-store"
            clock.now += 3600
        assert len(told.asked) == 1

    with_npm(story)


@pytest.mark.parametrize("file", ["cli-9.9.9.tgz", "other-1.0.0.tgz", "cli-.tgz"])
def test_a_tarball_that_the_packument_does_not_have(file: str) -> None:
    async def story(_: Npm, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        assert (await gateway.fetch(ask(told.url, "tarball", file), request())).status == 404

    with_npm(story)


def test_without_a_packument_a_tarball_is_where_tarballs_usually_are() -> None:
    async def run() -> None:
        url = f"http://127.0.0.1:{free_port()}"
        async with fetcher() as gateway:
            answer = await gateway.fetch(ask(url, "tarball", "cli-1.0.0.tgz"), request())
            assert answer.status == 307
            assert header(answer, "Location") == f"{url}/@acme%2Fcli/-/cli-1.0.0.tgz"
            assert (await gateway.fetch(ask(url), request())).status == 502

    asyncio.run(run())


@pytest.mark.parametrize(
    ("part", "reference", "expected"),
    [
        pytest.param("version", "1.0.0", "1.0.0", id="version"),
        pytest.param("version", "next", "2.0.0-rc.1", id="tag"),
    ],
)
def test_a_versions_own_document(part: str, reference: str, expected: str) -> None:
    async def story(_: Npm, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        answer = await gateway.fetch(ask(told.url, part, reference), request("*/*"))
        document = json.loads(await body_of(answer))
        assert document["version"] == expected
        assert document["dist"]["tarball"] == f"{BASE}@acme/cli/-/cli-{expected}.tgz"
        missing = await gateway.fetch(ask(told.url, part, "none"), request("*/*"))
        assert missing.status == 404

    with_npm(story)


def test_dist_tags() -> None:
    async def story(_: Npm, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        answer = await gateway.fetch(ask(told.url, "dist-tags"), request())
        assert json.loads(await body_of(answer)) == packument()["dist-tags"]

    with_npm(story)


def test_conditional_requests_on_both_sides() -> None:
    async def story(_: Npm, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        first = await gateway.fetch(ask(told.url), request())
        etag = header(first, "ETag")
        assert etag is not None
        clock.now += 31
        again = await gateway.fetch(ask(told.url), request(if_none_match=etag))
        assert (again.status, again.body) == (304, b"")
        assert told.asked[1].headers["if-none-match"] == '"short"'
        head = await gateway.fetch(ask(told.url), request(method="HEAD"))
        assert (head.body, header(head, "Content-Length")) == (b"", str(len(first.body)))  # type: ignore[arg-type]  # bytes here

    with_npm(story)


@pytest.mark.parametrize("status", [429, 503])
def test_a_packument_is_served_while_its_registry_is_unwell(status: int) -> None:
    async def story(npm: Npm, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told.url), request())
        npm.status = status
        clock.now += 3600
        assert (await gateway.fetch(ask(told.url), request())).status == 200

    with_npm(story)


def test_a_package_that_is_not_there_is_404() -> None:
    async def story(_: Npm, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        answer = await gateway.fetch(ask(told.url, name="none"), request())
        assert answer.status == 404
        assert json.loads(await body_of(answer))["error"]

    with_npm(story)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"versions": []}', id="no versions"),
    ],
)
def test_what_is_no_packument_is_502(body: bytes) -> None:
    async def story(npm: Npm, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        npm.body = body
        assert (await gateway.fetch(ask(told.url), request())).status == 502

    with_npm(story)


@pytest.mark.parametrize(
    "versions",
    [{"1": None}, {"1": {"dist": []}}, {"1": {"dist": {"tarball": 1}}}, {"1": {"dist": {}}}],
)
def test_odd_versions_are_handed_on(versions: dict[str, Any]) -> None:
    async def story(npm: Npm, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        npm.body = json.dumps({"versions": versions}).encode()
        assert (await gateway.fetch(ask(told.url), request())).status == 200
        for part in ("dist-tags", "version"):
            answer = await gateway.fetch(ask(told.url, part, "1"), request())
            assert answer.status == 200

    with_npm(story)
