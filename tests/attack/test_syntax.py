"""Requests that two servers could read in two ways: one answer each, and nothing smuggled."""

import re
from collections.abc import Iterator

import pytest

from tests.attack.target import Gateway, gateway, in_time

HOST = b"Host: get.acme.example\r\n"
ASKED = b"GET /tool/1.0/asked HTTP/1.1\r\n" + HOST
# What an attacker would like the server to take for somebody's next request.
SMUGGLED = b"GET /tool/6.6.6/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
BODY = b"POST /beat HTTP/1.1\r\n" + HOST


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("syntax")) as target:
        yield target


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


LENGTH = b"Content-Length: %d\r\n" % len(SMUGGLED)
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "head",
    [
        BODY + LENGTH + CHUNKED + b"\r\n" + b"0\r\n\r\n",
        BODY + CHUNKED + LENGTH + b"\r\n" + b"0\r\n\r\n",
        BODY + LENGTH + b"Content-Length: 0\r\n\r\n",
        BODY + b"Content-Length: 0\r\n" + LENGTH + b"\r\n",
        BODY + b"Content-Length: 0, %d\r\n\r\n" % len(SMUGGLED),
        BODY + b"Content-Length: +%d\r\n\r\n" % len(SMUGGLED),
        BODY + b"Content-Length: -1\r\n\r\n",
        BODY + b"Content-Length: 0x10\r\n\r\n",
        BODY + b"Content-Length : %d\r\n\r\n" % len(SMUGGLED),
        BODY + b"Content-Length\t: %d\r\n\r\n" % len(SMUGGLED),
        BODY + b" Content-Length: %d\r\n\r\n" % len(SMUGGLED),
        BODY + b"X: y\r\n\tContent-Length: %d\r\n\r\n" % len(SMUGGLED),
        BODY + b"X: y\n" + LENGTH + b"\r\n",
        BODY + b"X: y\r" + LENGTH + b"\r\n",
        BODY + b"X: y\0\r\n\r\n",
        BODY + b"Content-Length\0: 1\r\n\r\n",
        BODY + b": nameless\r\n\r\n",
        BODY + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        BODY + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        BODY + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        BODY + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        BODY + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        BODY + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        BODY + CHUNKED + b"\r\n-1\r\n\r\n",
        BODY + CHUNKED + b"\r\n0\r\nX-Trailer: y\r\n\r\n",
        BODY + CHUNKED + b"\r\n5\r\nhelloXX0\r\n\r\n",
        BODY + CHUNKED + b"\r\n0x0\r\n\r\n",
        BODY + CHUNKED + b'\r\n0;ext="\r\n"\r\n\r\n',
        BODY + CHUNKED + b"\r\n0\n\r\n\r\n",
        ASKED + b"Host: other.example\r\n\r\n",
        b"GET  /tool/1.0/asked HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /tool/1.0/asked  HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /tool/1.0/asked\r\n" + HOST + b"\r\n",
        b"GET /tool/1.0/asked HTTP/1.2\r\n" + HOST + b"\r\n",
        b"GET\t/tool/1.0/asked\tHTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)  # fmt: skip
def test_a_request_that_can_be_read_in_two_ways_is_the_last_on_its_connection(
    target: Gateway, head: bytes
) -> None:
    answer = target.send(head + SMUGGLED)
    assert len(statuses(answer)) == 1, answer
    assert statuses(answer)[0] // 100 in {2, 4}, answer
    assert b"smuggled" not in answer


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (ASKED + b"\r\n", [307, 307]),
        (BODY + b"Content-Length: 2\r\n\r\n{}", [200, 307]),
        (ASKED + b"Content-Length: 2\r\n\r\n{}", [307, 307]),
        # Chunks are taken, and nothing after them.
        (BODY + CHUNKED + b"\r\n2;name=value\r\n{}\r\n0\r\n\r\n", [200]),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [404, 307]),
        (b"CONNECT get.acme.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", [400]),
    ],
)
def test_requests_in_a_row_get_an_answer_each(
    target: Gateway, head: bytes, wanted: list[int]
) -> None:
    assert statuses(in_time(lambda: target.send(head + SMUGGLED))) == wanted


@pytest.mark.parametrize("method", [b"head", b"HeaD", b"get"])
def test_a_method_in_small_letters_is_another_one(target: Gateway, method: bytes) -> None:
    answer = target.send(method + b" /tool/1.0/asked HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED)
    assert statuses(answer) == [405, 307]
    head, _, rest = answer.partition(b"\r\n\r\n")
    announced = int(re.findall(rb"content-length: (\d+)", head)[0])
    assert rest[announced:].startswith(b"HTTP/1.1 307 "), "an answer as long as it says"


@pytest.mark.parametrize(
    "host",
    [
        "get.acme.example@evil.example",
        "get.acme.example:80@evil.example",
        "user:word@get.acme.example",
        "get.acme.example:80:80",
        "get.acme.example/evil",
        "get.acme.example?evil",
        "get.acme.example#evil",
        "get.acme.example\\evil",
        "get.acme.example evil.example",
        "get.acme.example,evil.example",
        "get.acme.example%2eevil.example",
        'get.acme.example"onload="alert(1)',
        "<script>",
        "[::1",
        "[::1]evil.example",
        "[evil.example]",
        "get.acme.example:8o",
        "get.acme.example:999999",
        "g\xe9t.acme.example",
    ],
)
def test_a_host_that_is_none_is_refused(target: Gateway, host: str) -> None:
    line = b"Host: " + host.encode() + b"\r\n"
    for request in (
        b"GET /simple/acme/ HTTP/1.1\r\n" + line + b"\r\n",
        b"GET /tool/1.0/x HTTP/1.1\r\n" + line + b"\r\n",
    ):
        assert statuses(target.send(request)) == [400]


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        (b"GET /tool/1.0/x", b"get.acme.example", 307),
        (b"GET /tool/1.0/x", b"GET.ACME.EXAMPLE", 307),
        (b"GET /tool/1.0/x", b"get.acme.example.", 307),
        (b"GET /tool/1.0/x", b"get.acme.example:8080", 307),
        (b"GET /tool/1.0/x", b"get.acme.example:", 307),
        (b"GET /tool/1.0/x", b"evil.example", 404),
        (b"GET /tool/1.0/x", b"", 404),
        (b"GET http://get.acme.example/tool/1.0/x", b"evil.example", 307),
        (b"GET http://evil.example/tool/1.0/x", b"get.acme.example", 404),
        (b"GET http://user@get.acme.example/tool/1.0/x", b"evil.example", 307),
        (b"GET http://get.acme.example@evil.example/tool/1.0/x", b"get.acme.example", 404),
        (b"GET http://evil.example\\@get.acme.example/tool/1.0/x", b"a", 307),
        (b"GET http:///tool/1.0/x", b"get.acme.example", 404),
        (b"GET http://[::1/tool/1.0/x", b"get.acme.example", 400),
        (b"GET ftp://get.acme.example/tool/1.0/x", b"get.acme.example", 400),
        (b"GET tool/1.0/x", b"get.acme.example", 400),
        (b"GET get.acme.example:80/tool/1.0/x", b"get.acme.example", 400),
        (b"GET //evil.example/tool/1.0/x", b"get.acme.example", 404),
    ],
)
def test_one_host_is_asked_whatever_names_it(
    target: Gateway, request_line: bytes, host: bytes, status: int
) -> None:
    answer = target.send(request_line + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert statuses(answer) == [status]
    assert b"evil" not in answer


def test_links_in_a_page_lead_to_the_host_that_was_asked(target: Gateway) -> None:
    page = target.ask("/simple/acme/", {"Host": "GET.acme.example:8080"})
    assert page[0] == 200
    assert b"http://GET.acme.example:8080/packages/acme/" in page[2]


def test_the_gateway_is_well_after_all_that(target: Gateway) -> None:
    assert target.ask("/tool/1.0/x")[0] == 307
    assert "Traceback" not in target.log
