"""Pixels, and the views that they count."""

import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import Refusal, Reply
from gateway.protocols import pixel
from gateway.request import Request
from gateway.routes import PixelRoute

DOCS = PixelRoute(domains=("*",), package="docs", package_id="p1", pixel_id="ID")
INDEX = pixel.build([DOCS])


def ask(query: str, path: str = "/a.png", method: str = "GET", index: Any = INDEX) -> Any:
    return pixel.decide(index, Request(method, "static.example", path, query))


def test_the_picture_is_one_transparent_pixel() -> None:
    png, chunks, at = pixel.PIXEL_PNG, {}, 8
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(kind + data),)
        chunks[kind] = data
        at += 12 + length
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (width, height, depth, colour, rest) == (1, 1, 8, 4, [0, 0, 0])
    assert zlib.decompress(chunks[b"IDAT"]) == b"\0\0\0"  # no filter, grey 0, alpha 0
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]


def test_a_view_is_counted_and_never_cached() -> None:
    reply = ask("x-pxid=ID")
    assert isinstance(reply, Reply)
    assert (reply.status, reply.content_type, reply.body) == (200, "image/png", pixel.PIXEL_PNG)
    for word in ("no-store", "no-cache", "max-age=0"):
        assert word in reply.cache_control
    (hit,) = reply.hits
    assert (hit.event_type, hit.route_type, hit.package_id) == ("view", "pixel", "p1")
    assert (hit.package, hit.referrer, hit.variables) == ("docs", None, {})


@pytest.mark.parametrize(
    ("query", "referrer", "variables"),
    [
        pytest.param(
            "x-pxid=ID&page=https%3A%2F%2Fa.example%2Fb", "https://a.example/b", {}, id="page"
        ),
        pytest.param("Page=http://a.example/&x-pxid=ID", "http://a.example/", {}, id="Page"),
        pytest.param("x-pxid=ID&page=/docs", None, {"page": "/docs"}, id="a page that is no URL"),
        pytest.param("x-pxid=ID&1700000000", None, {}, id="valueless timestamp"),
        pytest.param("x-pxid=ID&a=1&b=&a=2", None, {"a": "1", "b": ""}, id="variables"),
        pytest.param("x-pxid=ID&page=http://[", None, {"page": "http://["}, id="broken URL"),
    ],
)
def test_the_query_says_more(query: str, referrer: str | None, variables: dict[str, str]) -> None:
    (hit,) = ask(query).hits
    assert (hit.referrer, hit.variables) == (referrer, variables)


@pytest.mark.parametrize(
    ("query", "method", "status"),
    [
        pytest.param("x-pxid=other", "GET", 404, id="unknown id"),
        pytest.param("x-pxid=", "GET", 404, id="empty id"),
        pytest.param("x-pxid=ID", "POST", 405, id="posted"),
    ],
)
def test_refusals(query: str, method: str, status: int) -> None:
    refusal = ask(query, method=method)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status


@pytest.mark.parametrize(("path", "query"), [("/a.png", ""), ("/b.png", "x-pxid=ID")])
def test_other_pictures_are_left_to_other_protocols(path: str, query: str) -> None:
    assert ask(query, path=path) is None


def test_a_route_for_every_id_takes_what_no_other_has() -> None:
    index = pixel.build([PixelRoute(domains=("*",), pixel_id="*"), DOCS])
    assert ask("x-pxid=ID", index=index).hits[0].package == "docs"
    other = ask("x-pxid=other", index=index).hits[0]
    assert (other.package_id, other.package) == ("other", "other")


@given(st.text(), st.text())
def test_decide_is_total(path: str, query: str) -> None:
    for tried in (path, "/a.png"):
        pixel.decide(INDEX, Request("GET", "h", tried, f"x-pxid=ID&{query}"))
