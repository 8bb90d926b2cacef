"""An upstream that wants the gateway to ask somebody else, somewhere inside."""

import asyncio
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import FromPackageRegistry, FromRegistry, FromSimpleIndex
from gateway.request import Request
from gateway.upstream.boundary import is_elsewhere, is_inner_address, is_public
from gateway.upstream.client import Client
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.trouble import Trouble
from tests.gateway.upstreams import Upstream, body_of, fetcher, upstream

# Each leads to this machine or into a network of somebody's own; PORT is where the victim listens.
PLACES = [
    "http://127.0.0.2:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST.:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://127.1:PORT/",
    "http://2130706434:PORT/",
    "http://0x7f000002:PORT/",
    "http://0177.0.0.2:PORT/",
    "http://[::1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.2]:PORT/",
    "http://[64:ff9b::7f00:2]:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1%25lo]:PORT/",
    "http://10.0.0.1:PORT/",
    "http://evil.example@127.0.0.2:PORT/",
    "http://127.0.0.2:PORT\\@evil.example/",
    "//127.0.0.2:PORT/",
    "file:///etc/passwd",
    "ftp://127.0.0.2:PORT/",
    "gopher://127.0.0.2:PORT/",
    "http://[",
    "http://",
]
ASKED = Request("GET", "acme.example", "/")

Ask = Callable[..., Any]


def simple_index(url: str, *, allow: bool) -> FromSimpleIndex:
    return FromSimpleIndex(
        index=f"{url}/simple/", project="acme", base="http://acme.example/", allow_private=allow
    )


def package_registry(url: str, *, allow: bool) -> FromPackageRegistry:
    return FromPackageRegistry(
        registry=f"{url}/", name="acme", base="http://acme.example/", allow_private=allow
    )


def registry(url: str, *, allow: bool) -> FromRegistry:
    return FromRegistry(
        registry=url, repository="acme/tool", image="acme/tool", endpoint="manifests",
        reference="1.0", allow_private=allow,
    )  # fmt: skip


def led(place: str, ask: Ask, *, allow: bool = False) -> tuple[int, bytes, Upstream]:
    """Let an upstream lead the gateway to a place; return what a client is told, and the victim."""

    async def victim(_: web.Request) -> web.StreamResponse:
        return web.json_response({"token": "t", "versions": {}, "files": [], "name": "acme"})

    async def run() -> tuple[int, bytes, Upstream]:
        async with upstream(victim) as inner:
            where = place.replace("PORT", inner.url.rpartition(":")[2])

            async def misleading(request: web.Request) -> web.StreamResponse:
                if request.path.startswith("/v2/"):
                    challenge = f'Bearer realm="{where}",service="s"'
                    return web.Response(status=401, headers={"WWW-Authenticate": challenge})
                return web.Response(status=302, headers={"Location": where})

            async with upstream(misleading) as outer, fetcher() as made:
                answer = await made.fetch(ask(outer.url, allow=allow), ASKED)
                return answer.status, await body_of(answer), inner

    return asyncio.run(run())


@pytest.mark.parametrize("ask", [simple_index, package_registry, registry])
@pytest.mark.parametrize("place", PLACES)
def test_an_upstream_leads_the_gateway_nowhere_inside(place: str, ask: Ask) -> None:
    status, body, victim = led(place, ask)
    assert status == 502
    assert victim.asked == []
    assert b"passwd" not in body


@pytest.mark.parametrize("ask", [simple_index, package_registry, registry])
def test_it_says_what_would_allow_it(ask: Ask) -> None:
    assert b"allow-private = true" in led("http://localhost:PORT/", ask)[1]


@pytest.mark.parametrize("ask", [simple_index, package_registry, registry])
def test_a_route_may_allow_it(ask: Ask) -> None:
    # The upstream itself is on loopback here and is asked: the route names it.
    _, _, victim = led("http://localhost:PORT/", ask, allow=True)
    assert len(victim.asked) == 1


def test_the_host_that_the_route_names_may_lead_to_itself() -> None:
    _, _, victim = led("http://127.0.0.1:PORT/", registry)
    assert len(victim.asked) == 1


def test_a_client_is_sent_where_the_upstream_says() -> None:
    """That is the client's own network, and its own business."""

    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://10.0.0.1/blob"})

    async def run() -> int:
        async with upstream(handle) as outer, fetcher() as made:
            return (await made.fetch(registry(outer.url, allow=False), ASKED)).status

    assert asyncio.run(run()) == 307


def test_credentials_never_leave_https_for_a_token_service_on_http() -> None:
    async def run(realm: str) -> str:
        from gateway.upstream.tokens import Access, Tokens  # noqa: PLC0415 only here

        client = Client(UpstreamConfig(connect_seconds=0.2))
        tokens = Tokens(client)
        access = Access("https://cr.acme.example", "acme/tool", "Basic c2VjcmV0", True)
        with pytest.raises(Trouble) as trouble:
            await tokens.obtain(access, f'Bearer realm="{realm}"', None)
        await tokens.close()
        await client.close()
        return trouble.value.reason

    assert "in the clear" in asyncio.run(run("http://127.0.0.1:9/token"))
    assert "in the clear" not in asyncio.run(run("https://127.0.0.1:9/token"))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("64:ff9b::101:101", True),
        ("::ffff:1.1.1.1", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("100.64.0.1", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("fd00::1", False),
        ("169.254.169.254", False),
        ("fd00:ec2::254", False),
        ("255.255.255.255", False),
        ("0.0.0.0", False),
    ],
)
def test_public_addresses(address: str, *, public: bool) -> None:
    assert is_public(ip_address(address)) is public
    assert is_inner_address(address) is not public


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_url_is_judged(url: str, other: str) -> None:
    is_inner_address(url)
    if re.match("https?://", url):
        is_elsewhere(url, other)


def test_the_check_is_where_the_connection_is_made() -> None:
    """In the resolver, so that a name cannot have another address a moment later."""

    async def run() -> None:
        client = Client(UpstreamConfig(connect_seconds=1))
        try:
            with pytest.raises(Trouble, match="is not public"):
                await client.open("GET", "http://localhost:9/", only_public=True)
        finally:
            await client.close()

    asyncio.run(run())
