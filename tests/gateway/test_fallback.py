"""Registries that are down, slow or limit us: who is asked then, and who is left alone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import FromRegistry, Source
from gateway.protocols import docker
from gateway.request import Request
from gateway.routefile import read_toml
from gateway.routes import DockerRoute, Fallback
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.cooldowns import Cooldowns, Limit
from gateway.upstream.fetcher import Fetcher
from tests.gateway.test_registry import (
    CHILD,
    INDEX,
    FakeRegistry,
    ask,
    digest_of,
    request,
    variables,
)
from tests.gateway.upstreams import Clock, Upstream, body_of, fetcher, header, upstream
from tests.oci import make_layout, push, registry
from tests.programs import need

Story = Callable[["Pair"], Awaitable[None]]


class Pair:
    """A registry, one that has the same images under another name, and a gateway."""

    def __init__(self, gateway: Fetcher, clock: Clock) -> None:
        self.gateway, self.clock = gateway, clock
        self.first, self.second = FakeRegistry(), FakeRegistry()
        self.told_first = self.told_second = Upstream()

    def ask(self, reference: str, endpoint: str = "manifests") -> FromRegistry:
        mirror = Source(registry=self.told_second.url, repository="mirror/tool")
        return ask(self.told_first.url, reference, endpoint, fallbacks=(mirror,))


def with_pair(story: Story, config: UpstreamConfig | None = None) -> None:
    async def run() -> None:
        clock = Clock()
        async with fetcher(config, clock) as gateway:
            pair = Pair(gateway, clock)
            async with upstream(pair.first) as one, upstream(pair.second) as two:
                pair.told_first, pair.told_second = one, two
                await story(pair)

    asyncio.run(run())


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("endpoint", ["manifests", "blobs"])
def test_a_fallback_is_asked_while_the_registry_is_unwell(status: int, endpoint: str) -> None:
    async def story(pair: Pair) -> None:
        pair.first.failing = status
        reference = digest_of(CHILD)
        answer = await pair.gateway.fetch(pair.ask(reference, endpoint), request())
        assert (answer.status, await body_of(answer)) == (200, CHILD)
        (asked,) = pair.told_second.asked
        assert asked.target == f"/v2/mirror/tool/{endpoint}/{reference}"

    with_pair(story)


def test_a_fallback_is_asked_while_the_registry_is_slow() -> None:
    async def story(pair: Pair) -> None:
        pair.first.seconds = 5
        for method, body in (("HEAD", b""), ("GET", INDEX)):
            answer = await pair.gateway.fetch(pair.ask("1.0"), request(method))
            assert (answer.status, answer.body) == (200, body)
        # It is waited for once; then it is left alone for a while.
        assert len(pair.told_first.asked) == 1
        pair.first.seconds = 0
        pair.clock.now += 60
        await pair.gateway.fetch(pair.ask(digest_of(CHILD)), request())
        assert len(pair.told_first.asked) == 2

    with_pair(story, UpstreamConfig(read_seconds=0.2))


def test_the_registry_s_own_word_counts_while_it_is_well() -> None:
    async def story(pair: Pair) -> None:
        pair.second.tags["2.0"] = INDEX
        assert (await pair.gateway.fetch(pair.ask("2.0"), request())).status == 404
        assert pair.told_second.asked == []

    with_pair(story)


@pytest.mark.parametrize(("first", "second"), [(503, 0), (503, 500), (429, 404), (503, 401)])
def test_what_no_fallback_has_is_the_registry_s_own_trouble(first: int, second: int) -> None:
    async def story(pair: Pair) -> None:
        pair.first.failing, pair.second.failing = first, second
        answer = await pair.gateway.fetch(pair.ask("9.9"), request())
        assert (answer.status, header(answer, "Retry-After")) == (first, "7")

    with_pair(story)


def test_what_is_known_is_preferred_to_a_fallback() -> None:
    async def story(pair: Pair) -> None:
        await pair.gateway.fetch(pair.ask("1.0"), request())
        pair.first.failing = 503
        pair.second.tags["1.0"] = CHILD
        pair.clock.now += 3600
        answer = await pair.gateway.fetch(pair.ask("1.0"), request())
        assert answer.body == INDEX
        assert pair.told_second.asked == []

    with_pair(story)


def test_a_child_from_a_fallback_has_its_platform() -> None:
    async def story(pair: Pair) -> None:
        await pair.gateway.fetch(pair.ask("1.0"), request())
        pair.first.failing = 503
        answer = await pair.gateway.fetch(pair.ask(digest_of(CHILD)), request())
        assert variables(answer)["platform"] == "linux/arm64/v8"

    with_pair(story)


def test_after_429_a_registry_is_left_alone_for_as_long_as_it_said() -> None:
    async def story(pair: Pair) -> None:
        pair.first.failing = 429
        alone = ask(pair.told_first.url, "1.0")
        statuses = [(await pair.gateway.fetch(alone, request())).status for _ in range(5)]
        assert statuses == [429] * 5
        assert len(pair.told_first.asked) == 1
        pair.clock.now += 3
        answer = await pair.gateway.fetch(alone, request())
        assert (answer.status, header(answer, "Retry-After")) == (429, "4")
        # A limit on pulls is none on checks.
        await pair.gateway.fetch(alone, request("HEAD"))
        assert pair.told_first.count("HEAD") == 1
        pair.first.failing = 0
        pair.clock.now += 4.1
        assert (await pair.gateway.fetch(alone, request())).status == 200

    with_pair(story)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("7", 7), ("", 5), ("soon", 5), ("-3", 5), ("9" * 400, 60), ("0", 0), ("86400", 60),
     ("Fri, 01 Jan 2100 00:00:00 GMT", 60), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)],
)  # fmt: skip
def test_how_long_a_registry_is_left_alone(retry_after: str, seconds: float) -> None:
    cooldowns, limit = Cooldowns(Clock()), Limit("r", None, "manifests", "GET")
    cooldowns.note_limit(limit, retry_after)
    assert cooldowns.limited(limit) == seconds


@given(st.text())
def test_any_retry_after_is_read(retry_after: str) -> None:
    cooldowns, limit = Cooldowns(Clock()), Limit("r", None, "manifests", "GET")
    cooldowns.note_limit(limit, retry_after)
    assert 0 <= cooldowns.limited(limit) <= 60


FAULTS = {
    "a client's credentials": ("private = true", "fallback: is for public images"),
    "a redirect": ('mode = "redirect"', 'fallback: needs mode = "proxy"'),
    "no registry": ("", "fallback[1].registry: 'ftp://x.example'"),
    "no image name": ("", "fallback[2].repository: 'Tool' is no image name"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fallback_that_cannot_be_is_told(name: str) -> None:
    line, told = FAULTS[name]
    _, problems = read_toml(
        f"""
        [[route]]
        type = "docker"
        domain = "cr.acme.example"
        image = "tool"
        registry = "registry.example"
        {line}
        fallback = [
            {{ registry = "ftp://x.example" }},
            {{ registry = "mirror.example", repository = "Tool" }},
        ]
        """,
        "routes.toml",
    )
    assert any(told in str(problem) for problem in problems), problems


def test_the_first_of_two_real_registries_dies(tmp_path: Path) -> None:
    need("docker-registry", "skopeo")
    make_layout(tmp_path / "layout")
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()

    async def pulled(gateway: Fetcher, route: DockerRoute, reference: str) -> bytes:
        facts = Request("GET", "cr.acme.example", f"/v2/tool/{reference}", "", request().headers)
        fetch = docker.decide(docker.build([route]), facts)
        assert isinstance(fetch, FromRegistry)
        answer = await gateway.fetch(fetch, facts)
        assert answer.status == 200
        return await body_of(answer)

    async def story() -> None:
        with registry(tmp_path / "second", "127.0.1.2") as second:
            push(tmp_path / "layout", second, "mirror/tool:1.0")
            with registry(tmp_path / "first", "127.0.1.1") as first:
                push(tmp_path / "layout", first, "acme/tool:1.0")
                route = DockerRoute(
                    domains=("cr.acme.example",),
                    image="tool",
                    registry=f"http://{first}",
                    repository="acme/tool",
                    fallback=(Fallback(registry=f"http://{second}", repository="mirror/tool"),),
                )
                async with fetcher() as gateway:
                    from_first = await pulled(gateway, route, "manifests/1.0")
            layer = next(
                blob
                for blob in (tmp_path / "layout/blobs/sha256").iterdir()
                if blob.read_bytes().startswith(b"\x1f\x8b")
            )
            # A gateway that has seen nothing before, and one registry gone.
            async with fetcher() as gateway:
                assert await pulled(gateway, route, "manifests/1.0") == from_first
                blob = await pulled(gateway, route, f"blobs/sha256:{layer.name}")
                assert blob == layer.read_bytes()

    asyncio.run(story())
