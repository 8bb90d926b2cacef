"""A real Caddy before a real gateway: no request hides in another one, and no lie gets through.

All clients share the front's one connection to the gateway, which is how a smuggled request would
reach somebody else. Whoever comes after an attack must get the answer to what they asked; and in
the end there must be an event for each answer that a client got, and no other.
"""

import re
from collections.abc import Iterator

import pytest

from tests.attack import frames
from tests.attack.front import OTHER, Front, front_of
from tests.attack.target import in_time
from tests.programs import need

HOST = b"Host: get.acme.example\r\n"
ASKED = b"GET /tool/asked/x HTTP/1.1\r\n" + HOST
BODY = b"POST /beat HTTP/1.1\r\n" + HOST
# What an attacker would like the gateway to take for somebody's next request.
SMUGGLED = b"GET /tool/smuggled/x HTTP/1.1\r\n" + HOST + b"\r\n"
# Begins in one request and ends in the next client's.
PREFIX = b"GET /tool/smuggled/x HTTP/1.1\r\nX: "
CHUNKED = b"Transfer-Encoding: chunked\r\n"
END = b"GET /tool/end/x HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


def length(of: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(of)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST = b"0\r\n\r\n"
LENGTH = length(SMUGGLED)
IN_A_CHUNK = chunk(SMUGGLED) + LAST

ATTACKS: dict[str, bytes] = {
    # Where one counts bytes and the other chunks.
    "CL.TE": BODY + length(LAST + SMUGGLED) + CHUNKED + b"\r\n" + LAST + SMUGGLED,
    "CL.TE, open": BODY + length(LAST + PREFIX) + CHUNKED + b"\r\n" + LAST + PREFIX,
    "TE.CL": BODY + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n" + IN_A_CHUNK,
    "TE before CL": BODY + CHUNKED + b"Content-Length: 4\r\n\r\n" + IN_A_CHUNK,
    "TE.CL of nothing": BODY + b"Content-Length: 0\r\n" + CHUNKED + b"\r\n" + IN_A_CHUNK,
    "GET with CL.TE": ASKED + length(LAST + SMUGGLED) + CHUNKED + b"\r\n" + LAST + SMUGGLED,
    "GET with a body": ASKED + LENGTH + b"\r\n" + SMUGGLED,
    "GET with chunks": ASKED + CHUNKED + b"\r\n" + IN_A_CHUNK,
    "HEAD with a body": ASKED.replace(b"GET", b"HEAD") + LENGTH + b"\r\n" + SMUGGLED,
    "head in small letters": ASKED.replace(b"GET", b"head") + b"\r\n" + SMUGGLED,
    "CONNECT": ASKED.replace(b"GET", b"CONNECT") + b"\r\n" + SMUGGLED,
    "CONNECT to a host": b"CONNECT get.acme.example:80 HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    # Two lengths, or one that is none.
    "two lengths": BODY + LENGTH + b"Content-Length: 0\r\n\r\n" + SMUGGLED,
    "two lengths, reversed": BODY + b"Content-Length: 0\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "one length twice": BODY + LENGTH + LENGTH + b"\r\n" + SMUGGLED,
    "a list of lengths": BODY + b"Content-Length: 0, %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    "a plus": BODY + b"Content-Length: +%d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    "a minus": BODY + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
    "zeros": BODY + b"Content-Length: 000%d\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    "sixteenths": BODY + b"Content-Length: 0x%x\r\n\r\n" % len(SMUGGLED) + SMUGGLED,
    "an underscore": BODY + b"Content-Length: 1_0\r\n\r\n" + SMUGGLED,
    "no length": BODY + b"Content-Length:\r\n\r\n" + SMUGGLED,
    "a length beyond numbers": BODY + b"Content-Length: 18446744073709551616\r\n\r\n" + SMUGGLED,
    # Ways to write a header so that one sees it and the other does not.
    **{
        f"TE.TE {line!r}": BODY + length(LAST + SMUGGLED) + line + b"\r\n\r\n" + LAST + SMUGGLED
        for line in (
            b"Transfer-Encoding: xchunked",
            b"Transfer-Encoding : chunked",
            b"Transfer-Encoding\t: chunked",
            b"Transfer-Encoding:\tchunked",
            b"Transfer-Encoding:\x0bchunked",
            b"Transfer-Encoding: chunked\x0b",
            b"Transfer-Encoding: Chunked",
            b"Transfer-Encoding: chunked, identity",
            b"Transfer-Encoding: identity, chunked",
            b"Transfer-Encoding: chunked, chunked",
            b"Transfer-Encoding: identity",
            b"Transfer-Encoding: chunked;q=1",
            b'Transfer-Encoding: "chunked"',
            b"Transfer-Encoding:",
            b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
            b"Transfer-Encoding:\r\n chunked",
            b"X: y\r\n Transfer-Encoding: chunked",
            b" Transfer-Encoding: chunked",
            b"X: y\nTransfer-Encoding: chunked",
            b"X: y\rTransfer-Encoding: chunked",
            b"X: y\0\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding\0: chunked",
            b"Transfer_Encoding: chunked",
            b"Transfer-Encoding\xa0: chunked",
            b"\xefTransfer-Encoding: chunked",
            b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
        )
    },
    "a length that is taken away": BODY + b"Connection: Content-Length\r\n" + LENGTH + b"\r\n"
    + SMUGGLED,
    "a folded length": BODY + b"X: y\r\n\t" + LENGTH + b"\r\n" + SMUGGLED,
    "a length after a bare line end": BODY + b"X: y\n" + LENGTH + b"\r\n" + SMUGGLED,
    "bare line ends": (BODY + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + SMUGGLED,
    "a header that ends the headers": ASKED + b"X: y\n\n" + SMUGGLED,
    "a name with a space": ASKED + b"X Y: z\r\n\r\n" + SMUGGLED,
    "no name": ASKED + b": z\r\n\r\n" + SMUGGLED,
    "no colon": ASKED + b"XYZ\r\n\r\n" + SMUGGLED,
    "a null byte": ASKED + b"X: a\0b\r\n\r\n" + SMUGGLED,
    "underscores": ASKED + b"Content_Length: 9\r\nX_Forwarded_For: 8.8.8.8\r\n\r\n" + SMUGGLED,
    # Chunks that can be read in two ways.
    **{
        f"chunks {data!r}": BODY + CHUNKED + b"\r\n" + data + SMUGGLED
        for data in (
            b"2;name=value\r\n{}\r\n0\r\n\r\n",
            b'2;name="\r\n"\r\n{}\r\n0\r\n\r\n',
            b"2;name=a\nb\r\n{}\r\n0\r\n\r\n",
            b"2;name=\r\r\n{}\r\n0\r\n\r\n",
            b"2 ;a\r\n{}\r\n0 \r\n\r\n",
            b"2\n{}\r\n0\r\n\r\n",
            b"2\r\n{}\n0\n\r\n",
            b"2\r\n{}XX0\r\n\r\n",
            b"0x2\r\n{}\r\n0\r\n\r\n",
            b"+2\r\n{}\r\n0\r\n\r\n",
            b"-1\r\n{}\r\n0\r\n\r\n",
            b"2_\r\n{}\r\n0\r\n\r\n",
            b"00000000000000002\r\n{}\r\n0\r\n\r\n",
            b"10000000000000002\r\n{}\r\n0\r\n\r\n",
            b"2\r\n{}\r\n0\r\nX-Trailer: y\r\n\r\n",
            b"2\r\n{}\r\n0\r\nContent-Length: 99\r\nHost: evil.example\r\n\r\n",
            b"2\r\n{}\r\n0\r\n",
            b"\r\n2\r\n{}\r\n0\r\n\r\n",
        )
    },
    "announced trailers": BODY + CHUNKED + b"Trailer: X-Forwarded-For, Host\r\n\r\n" + chunk(b"{}")
    + b"0\r\nX-Forwarded-For: 8.8.8.8\r\nHost: evil.example\r\n\r\n" + SMUGGLED,
    # Targets, hosts and versions.
    "another host in the target": ASKED.replace(b" /", b" http://evil.example/") + b"\r\n",
    "the host in the target": ASKED.replace(b" /", b" http://get.acme.example/", 1).replace(
        HOST, b"Host: evil.example\r\n") + b"\r\n",
    "a line in the target": b"GET /tool/asked/x?%0d%0aX:%20y HTTP/1.1\r\n" + HOST + b"\r\n",
    "a space in the target": b"GET /tool/asked/x HTTP/1.1 HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
    "a request in the target": b"GET /tool/asked/x\tHTTP/1.1\n\nGET / HTTP/1.1\r\n" + HOST
    + b"\r\n" + SMUGGLED,
    "two hosts": ASKED + b"Host: evil.example\r\n\r\n" + SMUGGLED,
    "no host": ASKED.replace(HOST, b"") + b"\r\n" + SMUGGLED,
    "HTTP/1.0": ASKED.replace(b"1.1", b"1.0") + b"\r\n" + SMUGGLED,
    "HTTP/1.0 kept": ASKED.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n\r\n" + SMUGGLED,
    "HTTP/1.0 in chunks": BODY.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n" + CHUNKED
    + b"\r\n" + IN_A_CHUNK,
    "HTTP/0.9": b"GET /tool/asked/x\r\n\r\n" + SMUGGLED,
    "HTTP/1.10": ASKED.replace(b"1.1", b"1.10") + b"\r\n" + SMUGGLED,
    # Other protocols, and answers that come early.
    "a continued body": BODY + b"Expect: 100-continue\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "an early answer": BODY.replace(b"/beat", b"/none") + b"Expect: 100-continue\r\n" + LENGTH
    + b"\r\n" + SMUGGLED,
    "another expectation": BODY + b"Expect: 200-ok\r\n" + LENGTH + b"\r\n" + SMUGGLED,
    "h2c": ASKED + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n" + SMUGGLED,
    "h2c, not in Connection": ASKED + b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    + SMUGGLED,
    "websocket": ASKED + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + SMUGGLED,
    "websocket with a body": BODY + b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + LENGTH
    + b"\r\n" + SMUGGLED,
    "more headers than fit": ASKED + b"X: " + b"y" * 20_000 + b"\r\n\r\n" + SMUGGLED,
    "a longer target than fits": ASKED.replace(b"/x", b"/" + b"x" * 20_000) + b"\r\n" + SMUGGLED,
    "a larger body than is read": BODY + length(b"x" * 1_200_000) + b"\r\n" + b"x" * 1_200_000
    + SMUGGLED,
}  # fmt: skip

# What a client says of itself and of others; none of it is believed.
LIES: dict[str, bytes] = {
    "an address": b"X-Forwarded-For: 8.8.8.8",
    "two addresses": b"X-Forwarded-For: 8.8.8.8\r\nX-Forwarded-For: 1.1.1.1",
    "an address that is taken away": b"Connection: X-Forwarded-For\r\nX-Forwarded-For: 8.8.8.8",
    "any address that is taken away": b"Connection: keep-alive, x-forwarded-for",
    "an address with an underscore": b"X_Forwarded_For: 8.8.8.8",
    "an address after a bare line end": b"X: y\nX-Forwarded-For: 8.8.8.8",
    "an address in a folded line": b"X: y\r\n X-Forwarded-For: 8.8.8.8",
    "other headers": b"Forwarded: for=8.8.8.8;host=all.acme.example\r\nX-Real-IP: 8.8.8.8",
    "a host": b"X-Forwarded-Host: all.acme.example",
    "a host that is taken away": b"Connection: X-Forwarded-Host\r\n"
    b"X-Forwarded-Host: all.acme.example",
    "the host that is taken away": b"Connection: Host, X-Forwarded-Host, X-Forwarded-Proto",
    "a scheme": b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on",
    "a rewritten target": b"X-Original-URL: /tool/smuggled/x\r\nX-Rewrite-URL: /tool/smuggled/x",
    "another method": b"X-HTTP-Method-Override: DELETE",
}  # fmt: skip

# In HTTP/2 the length of everything is known, so that whatever is in it could become a line of
# HTTP/1.1 behind the front. What is changed in a request, and its body.
_LINES = b" HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED
IN_FRAMES: dict[str, tuple[dict[bytes, bytes], bytes]] = {
    "chunks in the body": (
        {b":method": b"POST", b"transfer-encoding": b"chunked"}, LAST + SMUGGLED),
    "a length too short": ({b":method": b"POST", b"content-length": b"0"}, SMUGGLED),
    "a length too long": ({b":method": b"POST", b"content-length": b"999"}, SMUGGLED),
    "a length of a GET": ({b"content-length": b"0"}, SMUGGLED),
    "a body of a GET": ({}, SMUGGLED),
    "lines in a value": ({b"x": b"y\r\n\r\n" + SMUGGLED}, b""),
    "a header in a value": ({b"x": b"y\r\ntransfer-encoding: chunked"}, LAST + SMUGGLED),
    "lines in a name": ({b"x: y\r\n\r\n" + SMUGGLED: b""}, b""),
    "a header in a name": ({b"transfer-encoding: chunked\r\nx": b"y"}, LAST + SMUGGLED),
    "a colon in a name": ({b"transfer-encoding:": b"chunked"}, LAST + SMUGGLED),
    "a space in a name": ({b"transfer-encoding ": b"chunked"}, LAST + SMUGGLED),
    "a capital in a name": ({b"Transfer-Encoding": b"chunked"}, LAST + SMUGGLED),
    "a connection": ({b"connection": b"x-forwarded-for, content-length"}, SMUGGLED),
    "an upgrade": ({b"connection": b"upgrade", b"upgrade": b"websocket"}, SMUGGLED),
    "lines in the path": ({b":path": b"/tool/asked/x" + _LINES}, b""),
    "a space in the path": ({b":path": b"/tool/asked/x HTTP/1.1"}, b""),
    "lines in the method": ({b":method": b"GET /tool/smuggled/x" + _LINES}, b""),
    "a target in the method": ({b":method": b"GET /tool/smuggled/x?"}, b""),
    "lines in the authority": ({b":authority": b"get.acme.example\r\n\r\n" + SMUGGLED}, b""),
    "lines in the scheme": ({b":scheme": b"http\r\n\r\n" + SMUGGLED}, b""),
    "a URL in the scheme": ({b":scheme": b"http://get.acme.example/tool/smuggled/x?"}, b""),
    "two hosts": ({b"host": b"evil.example"}, b""),
    "an address": ({b"x-forwarded-for": b"8.8.8.8"}, b""),
    "head in small letters": ({b":method": b"head"}, b""),
}  # fmt: skip


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    need("caddy")
    with front_of(tmp_path_factory.mktemp("smuggling")) as front:
        yield front


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_whoever_comes_next_gets_their_own_answer(front: Front, attack: bytes) -> None:
    answer = front.send(attack + END)
    assert statuses(answer), "an answer at least"
    assert 500 not in statuses(answer)
    front.is_well()


def test_a_request_that_never_ends_is_nobody_elses_beginning(front: Front) -> None:
    for data in (BODY + LENGTH + b"\r\n" + SMUGGLED[:-4], BODY + CHUNKED + b"\r\n" + chunk(PREFIX)):
        with front.connect() as connection:
            connection.sendall(data)
        front.is_well()


def test_requests_in_a_row_are_answered_in_their_order(front: Front) -> None:
    names = [b"first", b"second", b"third"]
    data = b"".join(ASKED.replace(b"asked/x", b"row/" + name) + b"\r\n" for name in names)
    data += BODY + b"Content-Length: 2\r\n\r\n{}" + END
    answer = in_time(lambda: front.send(data))
    assert statuses(answer) == [307, 307, 307, 200, 307]
    assert re.findall(rb"/row/(\w+)\r\n", answer) == names


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_nobody_says_who_they_are_or_whom_they_ask(front: Front, lie: bytes) -> None:
    page = b"GET /simple/acme/ HTTP/1.1\r\n" + HOST + lie + b"\r\n\r\n"
    answer = front.send(ASKED + lie + b"\r\n\r\n" + page + END)
    assert statuses(answer) == [307, 200, 307]
    assert b"\r\nLocation: https://files.acme.example/asked/x\r\n" in answer
    assert b"http://get.acme.example/packages/acme/" in answer
    front.is_well()


@pytest.mark.parametrize(("changed", "body"), IN_FRAMES.values(), ids=IN_FRAMES)
def test_frames_do_not_become_lines(front: Front, changed: dict[bytes, bytes], body: bytes) -> None:
    front.send_frames({**frames.ASKED, **changed}, body)
    front.is_well()


def test_frames_as_they_should_be_are_answered(front: Front) -> None:
    assert front.send_frames({**frames.ASKED, b":path": b"/tool/frames/x"}, b"")


def test_there_is_an_event_for_each_answer_and_no_other(front: Front) -> None:
    front.ask("other", source=OTHER)
    front.target.stop()
    events = front.target.raw()
    assert front.unexplained(events) == {}
    # The two whom the front names, and neither itself nor anybody whom they named.
    assert events["endpoint_id"].n_unique() == 2
    assert events.filter(artifact="other").height == 1
    assert events["country"].null_count() == events.height
