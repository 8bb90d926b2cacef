"""OCI registries: what reaches them, what is kept of them, and what clients get when they fail."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decision import FromRegistry, Hit, Source
from gateway.request import Request
from gateway.upstream.answer import Answer, UpstreamBroke
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from tests.gateway.upstreams import Clock, Upstream, body_of, fetcher, header, upstream
from tests.programs import free_port

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
BLOB = "sha256:" + "b" * 64


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


CHILD = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE}).encode()
ATTESTATION = b'{"schemaVersion": 2, "attests": true}'
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "manifests": [
            {
                "digest": digest_of(CHILD),
                "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
            },
            {
                "digest": digest_of(ATTESTATION),
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
            },
        ],
    }
).encode()


def ask(url: str, reference: str, endpoint: Any = "manifests", **fields: Any) -> FromRegistry:
    hit = Hit(
        event_type="pull",
        route_type="docker",
        package_id="p",
        package="p",
        variables={"rule-id": "r"},
    )
    return FromRegistry(
        registry=url, repository="up/tool", image="acme/tool", endpoint=endpoint,
        reference=reference, hits=(hit,), **fields,
    )  # fmt: skip


def request(method: str = "GET", **headers: str) -> Request:
    accept = {"accept": f"{INDEX_TYPE}, {MANIFEST_TYPE}"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "cr.acme.example", "/", "", {**accept, **named})


def variables(answer: Answer) -> dict[str, str]:
    (hit,) = answer.hits
    return dict(hit.variables)


class FakeRegistry:
    """A registry whose tag can be moved and whose health can be chosen."""

    def __init__(self) -> None:
        self.tags = {"1.0": INDEX}
        self.manifests = {digest_of(body): body for body in (INDEX, CHILD, ATTESTATION)}
        self.failing = 0  # the status of every answer; 0: it is well
        self.seconds = 0.0
        self.digest_header = True

    async def __call__(self, asked: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self.seconds)
        if self.failing:
            return web.Response(status=self.failing, headers={"Retry-After": "7"})
        reference = asked.path.rpartition("/")[2]
        body = self.tags.get(reference) or self.manifests.get(reference)
        if body is None:
            errors = {"errors": [{"code": "MANIFEST_UNKNOWN"}]}
            return web.json_response(errors, status=404)
        kind = INDEX_TYPE if b"manifests" in body else MANIFEST_TYPE
        headers = {"Content-Type": kind}
        if self.digest_header:
            headers["Docker-Content-Digest"] = digest_of(body)
        return web.Response(body=body, headers=headers)


def with_registry(
    story: Callable[[FakeRegistry, Upstream, Fetcher, Clock], Awaitable[None]],
    config: UpstreamConfig | None = None,
) -> None:
    """Run a story against one registry and one gateway."""

    async def run() -> None:
        registry, clock = FakeRegistry(), Clock()
        async with upstream(registry) as told, fetcher(config, clock) as gateway:
            await story(registry, told, gateway, clock)

    asyncio.run(run())


def test_a_tag_is_fetched_once_and_then_only_asked_about() -> None:
    async def story(_: FakeRegistry, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        for _round in range(3):
            answer = await gateway.fetch(ask(told.url, "1.0"), request())
            assert answer.status == 200
            assert await body_of(answer) == INDEX
            assert header(answer, "Content-Type") == INDEX_TYPE
            assert header(answer, "Docker-Content-Digest") == digest_of(INDEX)
            assert header(answer, "Cache-Control") == "no-store"
            clock.now += 60
        assert (told.count("GET"), told.count("HEAD")) == (1, 2)
        assert told.asked[0].target == "/v2/up/tool/manifests/1.0"
        assert told.asked[0].headers["accept"] == f"{INDEX_TYPE}, {MANIFEST_TYPE}"

    with_registry(story)


def test_within_its_age_a_tag_is_believed() -> None:
    async def story(_: FakeRegistry, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told.url, "1.0"), request())
        clock.now += 9
        await gateway.fetch(ask(told.url, "1.0"), request())
        assert len(told.asked) == 1

    with_registry(story)


def test_a_moved_tag_is_noticed() -> None:
    async def story(registry: FakeRegistry, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told.url, "1.0"), request())
        registry.tags["1.0"] = CHILD
        clock.now += 60
        answer = await gateway.fetch(ask(told.url, "1.0"), request())
        assert await body_of(answer) == CHILD
        del registry.tags["1.0"]
        clock.now += 60
        assert (await gateway.fetch(ask(told.url, "1.0"), request())).status == 404
        registry.failing = 503
        assert (await gateway.fetch(ask(told.url, "1.0"), request())).status == 503

    with_registry(story)


def test_head_of_a_tag_is_answered_with_its_length_and_no_body() -> None:
    async def story(_: FakeRegistry, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        for _round in range(2):
            answer = await gateway.fetch(ask(told.url, "1.0"), request("HEAD"))
            assert (answer.status, answer.body) == (200, b"")
            assert header(answer, "Content-Length") == str(len(INDEX))
            assert header(answer, "Docker-Content-Digest") == digest_of(INDEX)
            assert variables(answer)["digest"] == digest_of(INDEX)
        assert (told.count("GET"), told.count("HEAD")) == (0, 1)

    with_registry(story)


def test_head_by_digest_relays_a_404_until_the_manifest_was_seen() -> None:
    async def story(registry: FakeRegistry, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        digest = digest_of(CHILD)
        held = registry.manifests.pop(digest)
        answer = await gateway.fetch(ask(told.url, digest), request("HEAD"))
        assert answer.status == 404
        registry.manifests[digest] = held
        await gateway.fetch(ask(told.url, digest), request())
        answer = await gateway.fetch(ask(told.url, digest), request("HEAD"))
        assert (answer.status, header(answer, "Content-Length")) == (200, str(len(CHILD)))
        assert told.count("GET") == 1

    with_registry(story)


def test_a_thousand_pulls_at_once_are_one_get() -> None:
    async def story(registry: FakeRegistry, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        registry.seconds = 0.05
        asks = [gateway.fetch(ask(told.url, "1.0"), request()) for _ in range(1000)]
        answers = await asyncio.gather(*asks)
        assert {answer.body for answer in answers} == {INDEX}
        assert len(told.asked) == 1

    with_registry(story)


def test_a_client_that_leaves_takes_nobody_with_it() -> None:
    async def story(registry: FakeRegistry, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        registry.seconds = 0.05
        leaving, staying = (
            asyncio.ensure_future(gateway.fetch(ask(told.url, "1.0"), request())) for _ in range(2)
        )
        await asyncio.sleep(0.01)
        leaving.cancel()
        assert (await staying).body == INDEX
        assert len(told.asked) == 1

    with_registry(story)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_manifest_seen_before_outlives_its_registry(status: int) -> None:
    async def story(registry: FakeRegistry, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told.url, "1.0"), request())
        registry.failing = status
        clock.now += 3600
        for method, body in (("GET", INDEX), ("HEAD", b"")):
            answer = await gateway.fetch(ask(told.url, "1.0"), request(method))
            assert (answer.status, answer.body) == (200, body)
        unseen = await gateway.fetch(ask(told.url, "2.0"), request())
        assert (unseen.status, header(unseen, "Retry-After")) == (status, "7")

    with_registry(story)


def test_clients_that_read_other_types_are_asked_for_by_themselves() -> None:
    async def story(_: FakeRegistry, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        await gateway.fetch(ask(told.url, "1.0"), request())
        turned = request(accept=f"{MANIFEST_TYPE}, {INDEX_TYPE}")
        await gateway.fetch(ask(told.url, "1.0"), turned)
        assert told.count("GET") == 1
        await gateway.fetch(ask(told.url, "1.0"), request(accept=MANIFEST_TYPE))
        assert told.count("GET") == 2

    with_registry(story)


def test_the_index_tells_the_platforms_of_its_children() -> None:
    async def story(_: FakeRegistry, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        before = await gateway.fetch(ask(told.url, digest_of(CHILD)), request())
        assert "platform" not in variables(before)
        index = await gateway.fetch(ask(told.url, "1.0"), request())
        assert variables(index) == {
            "rule-id": "r",
            "digest": digest_of(INDEX),
            "media_type": INDEX_TYPE,
        }
        child = await gateway.fetch(ask(told.url, digest_of(CHILD)), request())
        assert variables(child) == {
            "rule-id": "r",
            "digest": digest_of(CHILD),
            "media_type": MANIFEST_TYPE,
            "platform": "linux/arm64/v8",
            "index": digest_of(INDEX),
        }
        attestation = await gateway.fetch(ask(told.url, digest_of(ATTESTATION)), request())
        assert variables(attestation)["platform"] == "unknown/unknown"

    with_registry(story)


def test_a_manifest_that_is_not_its_digest_is_handed_on_and_not_kept() -> None:
    async def story(registry: FakeRegistry, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        digest = digest_of(CHILD)
        registry.manifests[digest] = b'{"forged": true}'
        for _round in range(2):
            await gateway.fetch(ask(told.url, digest), request())
        assert told.count("GET") == 2

    with_registry(story)


def test_a_registry_that_tells_no_digest() -> None:
    async def story(registry: FakeRegistry, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        registry.digest_header = False
        for _round in range(2):
            answer = await gateway.fetch(ask(told.url, "1.0"), request())
            assert answer.body == INDEX
            assert header(answer, "Docker-Content-Digest") == digest_of(INDEX)
            head = await gateway.fetch(ask(told.url, "1.0"), request("HEAD"))
            assert head.status == 200
            clock.now += 60

    with_registry(story)


def test_a_registry_that_knows_no_head() -> None:
    async def handler(asked: web.Request) -> web.Response:
        if asked.method == "HEAD":
            return web.Response(status=405)
        return web.Response(body=CHILD, content_type=MANIFEST_TYPE)

    async def run() -> None:
        clock = Clock()
        async with upstream(handler) as told, fetcher(None, clock) as gateway:
            for _round in range(3):
                answer = await gateway.fetch(ask(told.url, "1.0"), request())
                assert (answer.status, answer.body) == (200, CHILD)
                clock.now += 60
            assert (await gateway.fetch(ask(told.url, "1.0"), request("HEAD"))).status == 405

    asyncio.run(run())


def test_the_manifest_cache_stays_within_its_budget() -> None:
    async def story(_: FakeRegistry, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        for _round in range(2):
            for body in (CHILD, ATTESTATION):
                await gateway.fetch(ask(told.url, digest_of(body)), request())
        assert told.count("GET") == 4

    with_registry(story, UpstreamConfig(manifest_cache_bytes=len(CHILD)))


class TestPassedThrough:
    """Blobs and lists."""

    def run(
        self,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        story: Callable[[Upstream, Fetcher], Awaitable[None]],
        config: UpstreamConfig | None = None,
    ) -> None:
        async def run() -> None:
            async with upstream(handler) as told, fetcher(config) as gateway:
                await story(told, gateway)

        asyncio.run(run())

    @pytest.mark.parametrize(
        ("where", "location"),
        [
            pytest.param(
                "https://store.example/b%2Fc?X-Sig=a%2Fb+c&&x=", None, id="signed, byte for byte"
            ),
            pytest.param("/store/blob?x=1", "{url}/store/blob?x=1", id="relative"),
        ],
    )
    def test_redirects_of_blobs_are_passed_on(self, where: str, location: str | None) -> None:
        async def handler(_: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": where})

        async def story(told: Upstream, gateway: Fetcher) -> None:
            answer = await gateway.fetch(ask(told.url, BLOB, "blobs"), request())
            assert answer.status == 307
            assert header(answer, "Location") == (location or where).format(url=told.url)
            assert (answer.body, len(told.asked)) == (b"", 1)

        self.run(handler, story)

    def test_blobs_are_streamed_with_their_range(self) -> None:
        async def handler(asked: web.Request) -> web.StreamResponse:
            assert asked.headers["Range"] == "bytes=5-"
            response = web.StreamResponse(
                status=206,
                headers={"Content-Range": "bytes 5-9/10", "Set-Cookie": "a=b", "ETag": '"x"'},
            )
            response.content_length = 5
            await response.prepare(asked)
            await response.write(b"56789")
            return response

        async def story(told: Upstream, gateway: Fetcher) -> None:
            asked = request(range="bytes=5-", authorization="Basic c2VjcmV0")
            answer = await gateway.fetch(ask(told.url, BLOB, "blobs"), asked)
            assert (answer.status, header(answer, "Content-Range")) == (206, "bytes 5-9/10")
            assert header(answer, "Content-Length") == "5"
            assert (header(answer, "ETag"), header(answer, "Set-Cookie")) == ('"x"', None)
            assert not isinstance(answer.body, bytes)
            assert await body_of(answer) == b"56789"
            # The client's credentials are its own, and are not for this registry.
            assert "authorization" not in told.asked[0].headers

        self.run(handler, story)

    def test_a_blob_is_in_memory_a_piece_at_a_time(self) -> None:
        sent = 0

        async def handler(asked: web.Request) -> web.StreamResponse:
            nonlocal sent
            response = web.StreamResponse()
            await response.prepare(asked)
            for _ in range(1024):
                await response.write(b"x" * 65536)
                sent += 65536
            return response

        async def story(told: Upstream, gateway: Fetcher) -> None:
            answer = await gateway.fetch(ask(told.url, BLOB, "blobs"), request())
            await asyncio.sleep(0.2)
            assert not isinstance(answer.body, bytes)
            assert sent < 16 * 1024 * 1024, "the upstream is held back while nobody reads"
            await answer.body.aclose()
            await answer.body.aclose()

        self.run(handler, story)

    def test_a_blob_that_breaks_off_says_so(self) -> None:
        async def handler(asked: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            response.content_length = 100
            await response.prepare(asked)
            await response.write(b"half")
            assert asked.transport is not None
            asked.transport.abort()
            return response

        async def story(told: Upstream, gateway: Fetcher) -> None:
            answer = await gateway.fetch(ask(told.url, BLOB, "blobs"), request())
            with pytest.raises(UpstreamBroke):
                await body_of(answer)

        self.run(handler, story)

    def test_the_next_page_of_tags_has_the_public_name(self) -> None:
        async def handler(_: web.Request) -> web.Response:
            link = '</v2/up/tool/tags/list?last=b&n=2>; rel="next"'
            return web.json_response({"tags": ["a", "b"]}, headers={"Link": link})

        async def story(told: Upstream, gateway: Fetcher) -> None:
            answer = await gateway.fetch(ask(told.url, "list", "tags", query="n=2"), request())
            assert json.loads(await body_of(answer)) == {"tags": ["a", "b"]}
            assert header(answer, "Link") == '</v2/acme/tool/tags/list?last=b&n=2>; rel="next"'
            assert told.asked[0].target == "/v2/up/tool/tags/list?n=2"

        self.run(handler, story)

    def test_an_upstream_that_does_not_answer_is_504(self) -> None:
        async def handler(_: web.Request) -> web.Response:
            await asyncio.sleep(2)
            return web.Response()

        async def story(told: Upstream, gateway: Fetcher) -> None:
            for endpoint, reference in (("blobs", BLOB), ("manifests", "1.0")):
                answer = await gateway.fetch(ask(told.url, reference, endpoint), request())
                assert answer.status == 504
                error = json.loads(await body_of(answer))["errors"][0]
                assert "127.0.0.1 does not answer in time" in error["message"]
                assert len(answer.hits) == 1

        self.run(handler, story, UpstreamConfig(read_seconds=0.1))


@pytest.mark.parametrize("endpoint", ["blobs", "manifests", "tags"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_upstream_that_is_not_there_is_502(endpoint: str, method: str) -> None:
    async def run() -> None:
        async with fetcher() as gateway:
            url = f"http://127.0.0.1:{free_port()}"
            answer = await gateway.fetch(ask(url, BLOB, endpoint), request(method))
            assert answer.status == 502
            assert b"127.0.0.1 cannot be reached" in await body_of(answer)

    asyncio.run(run())


@pytest.mark.parametrize("url", ["http://", "http://[", "nonsense", "http://h:99999"])
def test_a_registry_that_is_no_url_is_502(url: str) -> None:
    async def run() -> None:
        async with fetcher() as gateway:
            assert (await gateway.fetch(ask(url, "1.0"), request())).status == 502

    asyncio.run(run())


def test_a_connection_that_breaks_is_tried_again() -> None:
    tries = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        if tries > 1:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, fetcher() as gateway:
            answer = await gateway.fetch(ask(f"http://127.0.0.1:{port}", BLOB, "blobs"), request())
            assert await body_of(answer) == b"ok"
        assert tries == 2

    asyncio.run(run())


class Tokens:
    """A registry that wants a token, and the service that makes them."""

    def __init__(self, expires_in: int | None = 300) -> None:
        self.expires_in = expires_in
        self.made = 0
        self.valid: set[str] = set()
        self.needs = ""  # a Basic header; "": anybody gets a token
        self.refuses_with = 401
        self.seconds = 0.0
        self.challenge = 'Bearer realm="{url}/token",service="registry.example"'
        self.key = "token"

    async def __call__(self, asked: web.Request) -> web.Response:
        if asked.path == "/token":
            await asyncio.sleep(self.seconds)
            if self.needs and asked.headers.get("Authorization") != self.needs:
                return web.json_response({}, status=self.refuses_with)
            self.made += 1
            token = f"t{self.made}"
            self.valid.add(token)
            told: dict[str, Any] = {self.key: token}
            if self.expires_in is not None:
                told["expires_in"] = self.expires_in
            return web.json_response(told)
        if asked.headers.get("Authorization", "").removeprefix("Bearer ") not in self.valid:
            url = f"http://{asked.host}"
            challenge = self.challenge.format(url=url)
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return web.Response(body=CHILD, content_type=MANIFEST_TYPE)


def with_tokens(
    tokens: Tokens, story: Callable[[Upstream, Fetcher, Clock], Awaitable[None]]
) -> None:
    async def run() -> None:
        clock = Clock()
        async with upstream(tokens) as told, fetcher(None, clock) as gateway:
            await story(told, gateway, clock)

    asyncio.run(run())


class TestTokens:
    @pytest.mark.parametrize("key", ["token", "access_token"])
    def test_one_exchange_serves_until_shortly_before_it_expires(self, key: str) -> None:
        tokens = Tokens()
        tokens.key = key

        async def story(told: Upstream, gateway: Fetcher, clock: Clock) -> None:
            for reference in ("1.0", "2.0"):
                assert (await gateway.fetch(ask(told.url, reference), request())).status == 200
            assert [one.target for one in told.asked] == [
                "/v2/up/tool/manifests/1.0",
                "/token?service=registry.example&scope=repository%3Aup%2Ftool%3Apull",
                "/v2/up/tool/manifests/1.0",
                "/v2/up/tool/manifests/2.0",
            ]
            clock.now += 269
            await gateway.fetch(ask(told.url, "3.0"), request())
            assert tokens.made == 1
            clock.now += 2
            await gateway.fetch(ask(told.url, "4.0"), request())
            assert tokens.made == 2

        with_tokens(tokens, story)

    def test_a_token_that_is_revoked_is_replaced(self) -> None:
        tokens = Tokens()

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            await gateway.fetch(ask(told.url, "1.0"), request())
            tokens.valid.clear()
            assert (await gateway.fetch(ask(told.url, "2.0"), request())).status == 200
            assert tokens.made == 2

        with_tokens(tokens, story)

    def test_one_exchange_is_in_flight(self) -> None:
        tokens = Tokens()
        tokens.seconds = 0.05

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            asks = [gateway.fetch(ask(told.url, f"{n}"), request()) for n in range(20)]
            assert {answer.status for answer in await asyncio.gather(*asks)} == {200}
            assert tokens.made == 1

        with_tokens(tokens, story)

    def test_the_registrys_own_scope_is_preferred(self) -> None:
        tokens = Tokens()
        tokens.challenge = 'Basic realm="x", bearer Realm = "{url}/token?a=1" , SCOPE=aws'

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            assert (await gateway.fetch(ask(told.url, "1.0"), request())).status == 200
            assert told.asked[1].target == "/token?a=1&scope=aws"

        with_tokens(tokens, story)

    def test_an_image_that_anonymous_clients_may_not_read_is_403_with_the_remedy(self) -> None:
        tokens = Tokens()
        tokens.needs = "Basic bWU6eA=="

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            asked = request(authorization=tokens.needs)
            answer = await gateway.fetch(ask(told.url, "1.0"), asked)
            assert answer.status == 403
            assert b"private = true" in await body_of(answer)
            assert header(answer, "WWW-Authenticate") is None

        with_tokens(tokens, story)

    def test_a_private_images_credentials_are_passed_on_and_shared_with_nobody(self) -> None:
        tokens = Tokens()
        tokens.needs = "Basic bWU6eA=="

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            def as_one(credentials: str) -> FromRegistry:
                return ask(told.url, "1.0", authorization=credentials)

            for _round in range(2):
                mine = await gateway.fetch(as_one(tokens.needs), request())
                assert (mine.status, await body_of(mine)) == (200, CHILD)
            assert tokens.made == 1
            for method in ("GET", "HEAD"):
                wrong = await gateway.fetch(as_one("Basic d3Jvbmc6eA=="), request(method))
                assert wrong.status == 401
                assert (header(wrong, "WWW-Authenticate") or "").startswith("Basic ")
            manifests = [one for one in told.asked if one.target.startswith("/v2/")]
            assert len(manifests) == 5, "every request of a private image reaches its registry"

        with_tokens(tokens, story)

    def test_a_login_is_judged_by_the_registry(self) -> None:
        tokens = Tokens()
        tokens.needs = "Basic bWU6eA=="

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            def log_in(credentials: str) -> FromRegistry:
                return FromRegistry(registry=told.url, endpoint="ping", authorization=credentials)

            for _round in range(2):
                right = await gateway.fetch(log_in(tokens.needs), request())
                assert (right.status, right.hits) == (200, ())
                await body_of(right)
            assert [one.target for one in told.asked] == [
                "/v2/", "/token?service=registry.example", "/v2/", "/v2/"
            ]  # fmt: skip
            wrong = await gateway.fetch(log_in("Basic d3Jvbmc6eA=="), request())
            assert wrong.status == 401
            assert (header(wrong, "WWW-Authenticate") or "").startswith("Basic ")
            assert b"does not accept these credentials" in await body_of(wrong)

        with_tokens(tokens, story)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
    def test_credentials_that_are_nonsense_bring_no_registry_down(self, status: int) -> None:
        tokens = Tokens()
        tokens.needs, tokens.refuses_with = "Basic bWU6eA==", status

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            wrong = await gateway.fetch(ask(told.url, "1.0", authorization="Basic %"), request())
            assert wrong.status == 401
            # One that is down would be asked after its fallback.
            fallback = Source(registry=f"{told.url}/fallback", repository="tool")
            asked = ask(told.url, "1.0", authorization=tokens.needs, fallbacks=(fallback,))
            before = len(told.asked)
            assert (await gateway.fetch(asked, request())).status == 200
            assert told.asked[before].target.startswith("/v2/")

        with_tokens(tokens, story)

    @pytest.mark.parametrize(
        "challenge",
        [
            "",
            "Negotiate",
            "Bearer",
            'Bearer realm="file:///etc/passwd"',
            'Bearer realm="',
            "=,=",
            "Basic",
        ],
    )
    def test_strange_challenges_are_answered_with_an_error(self, challenge: str) -> None:
        tokens = Tokens()
        tokens.challenge = challenge

        async def story(told: Upstream, gateway: Fetcher, _: Clock) -> None:
            answer = await gateway.fetch(ask(told.url, "1.0"), request())
            assert answer.status in {403, 502}
            assert json.loads(await body_of(answer))["errors"]

        with_tokens(tokens, story)

    @pytest.mark.parametrize(
        "answer",
        [b"", b"[]", b"{}", b'{"token": "a\\nb"}', b'{"token": 1}', b'{"token": "\xff"}'],
    )
    def test_strange_token_services_are_a_502(self, answer: bytes) -> None:
        async def handler(asked: web.Request) -> web.Response:
            if asked.path == "/token":
                return web.Response(body=answer)
            challenge = f'Bearer realm="http://{asked.host}/token"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})

        async def run() -> None:
            async with upstream(handler) as told, fetcher() as gateway:
                assert (await gateway.fetch(ask(told.url, "1.0"), request())).status == 502

        asyncio.run(run())


def test_basic_challenges_are_met_with_the_clients_own_credentials() -> None:
    async def handler(asked: web.Request) -> web.Response:
        if asked.headers.get("Authorization") == "Basic bWU6eA==":
            return web.Response(body=CHILD, content_type=MANIFEST_TYPE)
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="r"'})

    async def run() -> None:
        async with upstream(handler) as told, fetcher() as gateway:
            fetch = ask(told.url, "1.0", authorization="Basic bWU6eA==")
            assert (await gateway.fetch(fetch, request())).status == 200
            wrong = msgspec.structs.replace(fetch, authorization="Basic b25lOnk=")
            assert (await gateway.fetch(wrong, request())).status == 401

    asyncio.run(run())


headers = st.dictionaries(
    st.sampled_from(["accept", "range", "if-none-match", "if-range", "authorization"]),
    st.text() | st.sampled_from(["a\r\nb: c", "\udcff", "bytes=0-", INDEX_TYPE]),
)


@settings(max_examples=20)
@given(st.lists(headers, min_size=20, max_size=40))
def test_whatever_a_client_sends_there_is_an_answer(asked: list[dict[str, str]]) -> None:
    async def story(_: FakeRegistry, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        for sent in asked:
            for endpoint, reference in (("manifests", "1.0"), ("blobs", BLOB)):
                fetch = ask(told.url, reference, endpoint)
                answer = await gateway.fetch(fetch, Request("GET", "h", "/", "", sent))
                await body_of(answer)
                assert answer.status in {200, 404, 502}
        assert all("b" not in one.headers for one in told.asked)

    with_registry(story)
