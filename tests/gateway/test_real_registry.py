"""The upstream side against a real `docker-registry`, open and with tokens, and a real image."""

import asyncio
import base64
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.decision import FromRegistry
from gateway.protocols import docker
from gateway.request import Request
from gateway.routes import DockerRoute
from gateway.upstream.answer import Answer
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from tests.gateway.upstreams import Clock, body_of, fetcher, header
from tests.oci import INDEX, MANIFEST, make_layout
from tests.programs import free_port, need, run, running

SERVICE, ISSUER = "registry.example", "tokens.example"
PUSHER, READER = "pusher:p", "reader:r"


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


class TokenService:
    """Makes the tokens of a registry: anybody pulls acme/open, two users pull everything."""

    def __init__(self, home: Path) -> None:
        self.key, self.certificate = home / "key.pem", home / "certificate.pem"
        run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             f"/CN={ISSUER}", "-keyout", self.key, "-out", self.certificate]
        )  # fmt: skip
        self.exchanges: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                credentials = self.headers.get("Authorization", "")
                body = json.dumps(service.answer(query.get("scope", []), credentials)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
                """Say nothing on the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"

    def answer(self, scopes: list[str], credentials: str) -> dict[str, Any]:
        self.exchanges += scopes
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            wanted = set(actions.split(","))
            may = {"pull"} if name == "acme/open" or credentials == basic(READER) else set()
            may = {"pull", "push"} if credentials == basic(PUSHER) else may
            access.append({"type": kind, "name": name, "actions": sorted(wanted & may)})
        return {"token": self._signed(access), "expires_in": 60}

    def _signed(self, access: list[dict[str, Any]]) -> str:
        now = int(time.time())
        certificate = "".join(self.certificate.read_text().splitlines()[1:-1])
        parts = [
            {"typ": "JWT", "alg": "RS256", "x5c": [certificate]},
            {"iss": ISSUER, "aud": SERVICE, "sub": "", "jti": str(time.time_ns()), "iat": now,
             "nbf": now - 5, "exp": now + 60, "access": access},
        ]  # fmt: skip
        unsigned = b".".join(_base64url(json.dumps(part).encode()) for part in parts)
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.key],
            input=unsigned, capture_output=True, check=True,
        ).stdout  # fmt: skip
        return f"{unsigned.decode()}.{_base64url(signature).decode()}"


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextmanager
def docker_registry(home: Path, auth: dict[str, Any] | None = None) -> Iterator[str]:
    """Serve a registry out of home until the block ends; yields its authority."""
    port = free_port()
    config: dict[str, Any] = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(home / "store")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "log": {"accesslog": {"disabled": True}, "level": "warn"},
    }
    if auth:
        config["auth"] = auth
    (home / "config.json").write_text(json.dumps(config))  # JSON is YAML
    command: list[str | Path] = ["docker-registry", "serve", home / "config.json"]
    with running(command, host="127.0.0.1", port=port, log=home / "log", clean_exit=False):
        yield f"127.0.0.1:{port}"


def push(layout: Path, target: str, *options: str) -> None:
    run(
        ["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false", *options,
         f"oci:{layout}:latest", f"docker://{target}"]
    )  # fmt: skip


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("docker-registry", "skopeo", "openssl")
    made = tmp_path_factory.mktemp("layout")
    make_layout(made, ("amd64", "arm64"))
    return made


@pytest.fixture(scope="module")
def open_registry(layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("open")) as authority:
        push(layout, f"{authority}/acme/open:1.0")
        yield authority


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenService]:
    need("docker-registry", "skopeo", "openssl")
    service = TokenService(tmp_path_factory.mktemp("tokens"))
    thread = threading.Thread(target=service.server.serve_forever, daemon=True)
    thread.start()
    yield service
    service.server.shutdown()
    service.server.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def token_registry(
    layout: Path, tokens: TokenService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    auth = {
        "token": {
            "realm": tokens.url,
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(tokens.certificate),
        }
    }
    with docker_registry(tmp_path_factory.mktemp("closed"), auth) as authority:
        for image in ("acme/open", "acme/secret"):
            push(layout, f"{authority}/{image}:1.0", "--dest-creds", PUSHER)
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
        with docker_registry(tmp_path) as authority:
            client = Client(gateway, route(authority, image="acme/open"))
            await asyncio.to_thread(push, layout, f"{authority}/acme/open:1.0")
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
