"""The upstream side against a real `docker-registry`, open and with tokens, and a real image."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.decision import FromRegistry
from gateway.protocols import docker
from gateway.request import Request
from gateway.routes import DockerRoute
from gateway.upstream.answer import Answer
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from tests.gateway.upstreams import Clock, body_of, fetcher, header
from tests.oci import INDEX, MANIFEST, make_layout, push, registry
from tests.programs import need
from tests.token_service import PUSHER, READER, TokenService, basic, token_service


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("docker-registry", "skopeo", "openssl")
    made = tmp_path_factory.mktemp("layout")
    make_layout(made, ("amd64", "arm64"))
    return made


@pytest.fixture(scope="module")
def open_registry(layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("open")) as authority:
        push(layout, authority, "acme/open:1.0")
        yield authority


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenService]:
    need("docker-registry", "skopeo", "openssl")
    with token_service(tmp_path_factory.mktemp("tokens")) as service:
        yield service


@pytest.fixture(scope="module")
def token_registry(
    layout: Path, tokens: TokenService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("closed"), tokens=tokens) as authority:
        for image in ("acme/open", "acme/secret"):
            push(layout, authority, f"{image}:1.0", "--dest-creds", PUSHER)
        yield authority


class Client:
    """Asks as a container client does: request facts, decision, fetch."""

    def __init__(self, gateway: Fetcher, *routes: DockerRoute) -> None:
        self.gateway = gateway
        self.index = docker.build(routes)

    async def __call__(self, path: str, method: str = "GET", **headers: str) -> Answer:
        facts = Request(
            method, "cr.acme.example", path, "", {"accept": f"{INDEX}, {MANIFEST}", **headers}
        )
        decision = docker.decide(self.index, facts)
        assert isinstance(decision, FromRegistry)
        return await self.gateway.fetch(decision, facts)


def route(authority: str, **fields: Any) -> DockerRoute:
    return DockerRoute(domains=("cr.acme.example",), registry=f"http://{authority}", **fields)


def run_story(story: Callable[[Fetcher, Clock], Awaitable[None]]) -> None:
    async def run_it() -> None:
        clock = Clock()
        async with fetcher(UpstreamConfig(tag_seconds=0), clock) as gateway:
            await story(gateway, clock)

    asyncio.run(run_it())


async def pull(client: Client, image: str, **headers: str) -> list[dict[str, str]]:
    """Pull as podman does, check every byte, and return each manifest's variables."""
    index = await client(f"/v2/{image}/manifests/1.0", **headers)
    assert (index.status, header(index, "Content-Type")) == (200, INDEX)
    told = [dict(index.hits[0].variables)]
    for child in json.loads(await body_of(index))["manifests"]:
        manifest = await client(f"/v2/{image}/manifests/{child['digest']}", **headers)
        assert manifest.status == 200
        told.append(dict(manifest.hits[0].variables))
        body = await body_of(manifest)
        assert f"sha256:{hashlib.sha256(body).hexdigest()}" == child["digest"]
        parts = json.loads(body)
        for blob in (parts["config"], *parts["layers"]):
            answer = await client(f"/v2/{image}/blobs/{blob['digest']}", **headers)
            content = await body_of(answer)
            assert header(answer, "Content-Length") == str(blob["size"]) == str(len(content))
            assert f"sha256:{hashlib.sha256(content).hexdigest()}" == blob["digest"]
    return told


def test_a_multi_platform_image_under_another_name(open_registry: str) -> None:
    async def story(gateway: Fetcher, _: Clock) -> None:
        client = Client(gateway, route(open_registry, image="tool", repository="acme/open"))
        index, *children = await pull(client, "tool")
        assert index["media_type"] == INDEX
        assert [child["platform"] for child in children] == ["linux/amd64", "linux/arm64"]
        assert {child["index"] for child in children} == {index["digest"]}

        head = await client("/v2/tool/manifests/1.0", "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert header(head, "Docker-Content-Digest") == index["digest"]
        tags = await client("/v2/tool/tags/list")
        assert json.loads(await body_of(tags))["tags"] == ["1.0"]
        missing = await client("/v2/tool/manifests/9.9")
        assert missing.status == 404
        assert json.loads(await body_of(missing))["errors"][0]["code"] == "MANIFEST_UNKNOWN"

    run_story(story)


def test_a_range_of_a_blob(open_registry: str) -> None:
    async def story(gateway: Fetcher, _: Clock) -> None:
        client = Client(gateway, route(open_registry, pattern="acme/*"))
        index = json.loads(await body_of(await client("/v2/acme/open/manifests/1.0")))
        digest = index["manifests"][0]["digest"]
        manifest = json.loads(await body_of(await client(f"/v2/acme/open/manifests/{digest}")))
        blob = f"/v2/acme/open/blobs/{manifest['config']['digest']}"
        everything = await body_of(await client(blob))
        rest = await client(blob, range="bytes=10-")
        assert rest.status == 206
        assert await body_of(rest) == everything[10:]
        head = await client(blob, "HEAD")
        assert (head.body, header(head, "Content-Length")) == (b"", str(len(everything)))

    run_story(story)


def test_a_manifest_outlives_its_registry(layout: Path, tmp_path: Path) -> None:
    async def story(gateway: Fetcher, _: Clock) -> None:
        with registry(tmp_path) as authority:
            client = Client(gateway, route(authority, image="acme/open"))
            await asyncio.to_thread(push, layout, authority, "acme/open:1.0")
            before = await client("/v2/acme/open/manifests/1.0")
        after = await client("/v2/acme/open/manifests/1.0")
        assert (after.status, after.body) == (200, before.body)
        assert (await client("/v2/acme/open/manifests/2.0")).status == 502

    run_story(story)


def test_the_gateway_makes_the_token_exchange_itself(
    token_registry: str, tokens: TokenService
) -> None:
    async def story(gateway: Fetcher, _: Clock) -> None:
        client = Client(gateway, route(token_registry, image="tool", repository="acme/open"))
        tokens.exchanges.clear()
        told = await pull(client, "tool")
        assert len(told) == 3
        assert tokens.exchanges == ["repository:acme/open:pull"]

    run_story(story)


def test_a_private_image_is_pulled_with_the_clients_own_credentials(token_registry: str) -> None:
    async def story(gateway: Fetcher, _: Clock) -> None:
        client = Client(gateway, route(token_registry, image="acme/secret", private=True))
        told = await pull(client, "acme/secret", authorization=basic(READER))
        assert told[1]["platform"] == "linux/amd64"
        for method in ("GET", "HEAD"):
            stranger = await client(
                "/v2/acme/secret/manifests/1.0", method, authorization=basic("who:x")
            )
            assert stranger.status == 401

    run_story(story)


def test_a_private_image_on_a_public_route_is_denied(token_registry: str) -> None:
    async def story(gateway: Fetcher, _: Clock) -> None:
        client = Client(gateway, route(token_registry, image="acme/secret"))
        answer = await client("/v2/acme/secret/manifests/1.0", authorization=basic(READER))
        assert answer.status == 403

    run_story(story)
