"""The quick way and the ordinary way are one: the same bytes in, the same bytes out, one event."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import routefile
from gateway.fastpath import FastPath
from tests.gateway.served import HERE, Client, Served, serving
from tests.gateway.test_decide import CASES, Case, served

ROUTES = """
[[route]]
type = "file"
domain = "get.acme.example"
package = "tool"
incoming-path = "/tool/{version}/{file}"
outgoing-url = "https://files.acme.example/{version}/{file}"

[[route]]
type = "file"
domain = "get.acme.example"
package = "kept"
incoming-path = "/kept/{file}"
outgoing-url = "https://files.acme.example/{file}"
cache-control = "max-age=60"

[[route]]
type = "file"
domain = "get.acme.example"
package = "answered"
incoming-path = "/answered"

[[route]]
type = "pixel"
domain = "get.acme.example"
package = "site"
pixel-id = "abc"

[[route]]
type = "python"
domain = "get.acme.example"
package = "listed"
files = [{ url = "https://files.acme.example/listed-1.0.tar.gz" }]

[[route]]
type = "docker"
domain = "get.acme.example"
image = "acme/tool"
registry = "registry.acme.example"
mode = "redirect"

[[route]]
type = "catch-all"
domain = "all.acme.example"
target = "https://files.acme.example"
"""
CLIENT = "127.77.88.99"


class Pair:
    """A gateway with the quick way and one without."""

    def __init__(self, home: Path, trusted: int | tuple[str, ...] = 0) -> None:
        self.quick = Served(home / "quick", ROUTES, trusted)
        self.plain = Served(home / "plain", ROUTES, trusted, fast=False)
        self._clients = Client(self.quick, CLIENT), Client(self.plain, CLIENT)

    def compare(self, request: bytes, *, head: bool = False) -> bytes:
        """Ask both, the quick one three times, since in the end it remembers."""
        quick, plain = self._clients
        expected = plain.ask(request, head=head)
        events = self.plain.events()
        for _ in range(3):
            assert quick.ask(request, head=head) == expected
            # The answer is here, so the event must be there.
            assert self.quick.events() == events
        assert self.quick.counters.fates()["error"] == self.plain.counters.fates()["error"] == 0
        return expected[0]

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("pair"))
    with serving(made.quick, made.plain):
        yield made
        made.close()


@pytest.fixture(scope="module", params=[1, ("127.0.0.0/8",)], ids=["hop", "network"])
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("proxied"), request.param)
    with serving(made.quick, made.plain):
        yield made
        made.close()


def get(target: str = "/tool/1.2/x.tgz", *headers: str, host: str = "get.acme.example") -> bytes:
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", *headers, "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def _told(file: Path) -> Case:
    return msgspec.convert(tomllib.loads(file.read_text()), Case)


# What an upstream would be asked for takes the ordinary way by definition.
ANSWERED = [
    file for file in CASES if _told(file).expect["answer"] in {"redirect", "reply", "refusal"}
]


@pytest.mark.parametrize("file", ANSWERED, ids=lambda file: file.stem)
def test_every_golden_case_is_one_answer_and_one_event(pair: Pair, file: Path) -> None:
    case = _told(file)
    pair.quick.routes.table = pair.plain.routes.table = served(case)
    asked = case.request
    target = asked.path + (f"?{asked.query}" if asked.query else "")
    lines = [f"{asked.method} {target} HTTP/1.1", f"Host: {asked.authority or asked.host}"]
    lines += [f"{name}: {value}" for name, value in asked.headers.items()]
    body = asked.body.encode()
    if body:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
    pair.compare(head + body, head=asked.method == "HEAD")


PLAIN = {
    "redirect": get(),
    "redirect with a query": get("/tool/1.2/x.tgz?a=1&a=2&b"),
    "redirect to be kept": get("/kept/x.tgz"),
    "answer without a body": get("/answered"),
    "picture": get("/a.png?x-pxid=abc"),
    "list of files": get("/simple/listed/"),
    "ping of a registry": get("/v2/"),
    "manifest": get("/v2/acme/tool/manifests/1.0"),
    "catch-all": get("//a/../b?c", host="all.acme.example"),
    "no route": get("/nothing"),
    "no such host": get(host="other.example"),
    "no host": b"GET /tool/1.2/x.tgz HTTP/1.1\r\nUser-Agent: x\r\n\r\n",
    "not to be recorded": get("/tool/1.2/x.tgz", "DNT: 1"),
    "client of its own": get("/tool/1.2/x.tgz", "User-Agent: curl/8", "Referer: https://a.example"),
    "range": get("/tool/1.2/x.tgz", "Range: bytes=100-"),
    "own address as a version": get(f"/tool/{CLIENT}/x.tgz?a={CLIENT}", f"User-Agent: ({CLIENT})"),
    "repeated header": get("/tool/1.2/x.tgz", "Accept: a", "Accept: b"),
    "kept alive": get("/tool/1.2/x.tgz", "Connection: Keep-Alive"),
    "end": get("/tool/1.2/x.tgz", "Connection: close"),
    "end of a list": get("/simple/listed/", "Connection: Close"),
    "end without a route": get("/nothing", "connection:close"),
    "secret": get("/tool/1.2/x.tgz", "Authorization: Bearer abc", "Cookie: a=b"),
    "asked whether it has changed": get("/tool/1.2/x.tgz", 'If-None-Match: "a"'),
    "two chains": get("/kept/x.tgz", "X-Forwarded-For: 127.0.0.5", "X-Forwarded-For: 127.0.0.6"),
    "somebody else's chain": get("/tool/1.2/x.tgz", "X-Forwarded-For: 198.51.100.7"),
}  # fmt: skip
UNUSUAL = {
    "body": get("/tool/1.2/x.tgz", "Content-Length: 2").replace(b"GET", b"POST") + b"{}",
    "empty body": get("/tool/1.2/x.tgz", "Content-Length: 0"),
    "end or not": get("/tool/1.2/x.tgz", "Connection: close", "Connection: keep-alive"),
    "not or end": get("/tool/1.2/x.tgz", "Connection: keep-alive", "Connection: close"),
    "end and more": get("/tool/1.2/x.tgz", "Connection: close, te"),
    "old": b"GET /tool/1.2/x.tgz HTTP/1.0\r\nHost: get.acme.example\r\n\r\n",
    "absolute": get("http://get.acme.example/tool/1.2/x.tgz"),
    "upgrade": get("/tool/1.2/x.tgz", "Connection: Upgrade", "Upgrade: h2c"),
    "expectation": get("/tool/1.2/x.tgz", "Expect: 100-continue"),
    "bytes beyond ASCII": get("/tool/1.2/x.tgz", "User-Agent: \u00fc"),
    "bytes that are no text": get("/tool/1.2/x.tgz", "User-Agent: \udcff"),
    "target beyond ASCII": get("/tool/1.2/\u00fc"),
    "space in the target": get("/tool/1.2/x y"),
    "two hosts": get("/tool/1.2/x.tgz", "Host: other.example"),
    "no colon": get("/tool/1.2/x.tgz", "nonsense"),
    "space before the colon": get("/tool/1.2/x.tgz", "X : a"),
    "folded": get("/tool/1.2/x.tgz", "X: a", " b"),
    "nul": get("/tool/1.2/x.tgz", "X: \0"),
    "half a line end": get("/tool/1.2/x.tgz", "X: a\nY: b"),
    "long": get("/tool/1.2/x.tgz", "X: " + "a" * 5000),
    "asterisk": get("*"),
    "another version": b"GET / HTTP/1.2\r\nHost: get.acme.example\r\n\r\n",
    "smuggled": b"GET / HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.fixture
def own_routes(pair: Pair) -> None:
    for each in (pair.quick, pair.plain):
        if len(each.routes.table.routes) != ROUTES.count("[[route]]"):
            each.routes.table = routefile.load(each.file)


@pytest.mark.usefixtures("own_routes")
@pytest.mark.parametrize("request_", PLAIN.values(), ids=PLAIN)
def test_a_plain_request_takes_the_quick_way_to_the_same_end(pair: Pair, request_: bytes) -> None:
    pair.quick.quick.clear()
    pair.compare(request_)
    assert all(pair.quick.quick)


@pytest.mark.usefixtures("own_routes")
@pytest.mark.parametrize("request_", UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_one_takes_the_ordinary_way(pair: Pair, request_: bytes) -> None:
    pair.quick.quick.clear()
    pair.compare(request_)
    assert not any(pair.quick.quick)


TARGETS = st.sampled_from(
    [
        "/tool/1.2/x.tgz",
        "/tool/{}/x",
        "/kept/%2F",
        "/answered",
        "/a.png?x-pxid=abc",
        "/simple/",
        "/simple/listed/",
        "/v2/",
        "/v2/acme/tool/manifests/latest",
        "//",
        "/%ff%00?=&&a",
        "*",
    ]
) | st.text(st.characters(max_codepoint=255), max_size=20).map(lambda text: f"/tool/{text}")
HEADERS = st.lists(
    st.sampled_from(
        [f"User-Agent: curl/8 {CLIENT}", "user-agent: a", "DNT: 1", "Sec-GPC: 1", "Range: bytes=-5",
         "Referer: https://a.example/b?c", "Connection: keep-alive", "Connection:  close",
         "Content-Length: 0", "Accept: application/vnd.pypi.simple.v1+json", "X-Forwarded-For: a",
         "X-Forwarded-For: 198.51.100.7, 203.0.113.9", "x-forwarded-for:198.51.100.8",
         "X-Forwarded-Host: all.acme.example", "X-Forwarded-Proto: https", "Forwarded: for=1.2.3.4",
         "Authorization: Basic YTpi", "If-None-Match: *", "Host: b.example", "Host : c", " folded",
         "Expect: 100-continue", "TE: trailers", "A:", ":", ""]
    )
    | st.text(st.characters(max_codepoint=255, exclude_characters="\r"), max_size=20).map(
        lambda text: f"X-A: {text}"
    ),
    max_size=5,
)  # fmt: skip


@pytest.mark.usefixtures("own_routes")
@settings(max_examples=150)
@given(TARGETS, HEADERS)
def test_any_request_is_one_answer_and_one_event(
    pair: Pair, target: str, headers: list[str]
) -> None:
    pair.compare(cut(get(target, *headers)))


@settings(max_examples=75)
@given(TARGETS, HEADERS)
def test_any_request_through_a_proxy_is_one_answer_and_one_event(
    proxied: Pair, target: str, headers: list[str]
) -> None:
    proxied.compare(cut(get(target, *headers)))


ADDRESS = "198.51.100.77"
IN_A_PATH = "203.0.113.66"
NAMING = [
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Via",
    "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP", "X-Original-Forwarded-For", "From",
    "Authorization", "Cookie", "X-Anything-Else",
]  # fmt: skip
FAST = "/tool/1.2/x.tgz"  # whose answer rests on no header
ASKED = "/v2/acme/tool/manifests/1.0"  # whose answer may


@pytest.mark.usefixtures("own_routes")
@pytest.mark.parametrize("header", NAMING)
@pytest.mark.parametrize("target", [FAST, ASKED])
def test_what_names_a_client_is_not_kept_in_memory(pair: Pair, header: str, target: str) -> None:
    pair.quick.quick.clear()
    pair.compare(get(target, f"{header}: {ADDRESS}"))
    assert all(pair.quick.quick)
    assert not any(ADDRESS in text for text in held_texts(pair.quick.app.fast_path))


def test_what_a_trusted_proxy_says_of_a_client_is_not_kept_either(proxied: Pair) -> None:
    proxied.quick.quick.clear()
    proxied.compare(get(FAST, f"X-Forwarded-For: {ADDRESS}"))
    proxied.compare(get(FAST, f"X-Forwarded-For: {ADDRESS}", f"X-Real-IP: {ADDRESS}"))
    assert all(proxied.quick.quick)
    assert not any(ADDRESS in text for text in held_texts(proxied.quick.app.fast_path))


@pytest.mark.usefixtures("own_routes")
def test_what_is_kept_in_memory_is_found_by_these_tests(pair: Pair) -> None:
    pair.compare(get(f"/tool/{IN_A_PATH}/y", "Accept: in-a-header"))
    held = list(held_texts(pair.quick.app.fast_path))
    assert any(IN_A_PATH in text for text in held)
    assert any("in-a-header" in text for text in held)


def held_texts(fast: object) -> Iterator[str]:
    """Every text that the memory of the quick way holds on to."""
    assert isinstance(fast, FastPath)
    todo = [vars(fast)[name] for name in ("_heads", "_targets", "_seen", "_owed")]
    while todo:
        each = todo.pop()
        if isinstance(each, str | bytes):
            yield each if isinstance(each, str) else each.decode("latin-1")
        elif isinstance(each, dict):
            todo += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple):
            todo += each
        elif isinstance(each, msgspec.Struct):
            todo += [getattr(each, name) for name in each.__struct_fields__]
        elif hasattr(each, "__dict__"):
            todo += vars(each).values()


def cut(request: bytes) -> bytes:
    """One request, since a second one would have an answer of its own."""
    return request[: request.index(b"\r\n\r\n") + 4]


def test_two_chains_are_joined(proxied: Pair) -> None:
    proxied.compare(
        get("/tool/1/x", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 198.51.100.8")
    )


def test_requests_of_one_proxy_are_told_apart(proxied: Pair) -> None:
    ids = set()
    for number in range(1, 6):
        chain = f"X-Forwarded-For: 198.51.100.{number}"
        proxied.quick.quick.clear()
        proxied.compare(get("/tool/1.2/x.tgz", chain))
        assert all(proxied.quick.quick)
        proxied.compare(get("/tool/1.2/x.tgz", chain, "User-Agent: a"))
    client = Client(proxied.quick)
    for number in range(1, 6):
        client.ask(get("/tool/1.2/x.tgz", f"X-Forwarded-For: 198.51.100.{number}"))
        (event,) = proxied.quick.events()
        ids.add(event["endpoint_id"])
    client.close()
    assert len(ids) == 5


@pytest.mark.usefixtures("own_routes")
def test_the_connection_ends_with_the_last_answer(pair: Pair) -> None:
    request = PLAIN["end"]
    for each in (pair.quick, pair.plain):
        with each.connect() as connection:
            connection.sendall(request + request)  # the second one comes too late
            assert connection.makefile("rb").read().count(b"HTTP/1.1 307 ") == 1
        with each.connect() as connection:
            connection.sendall(request)
            assert b"\r\nconnection: close\r\n" in connection.makefile("rb").read()
        each.events()


@pytest.mark.usefixtures("own_routes")
def test_pipelined_requests_are_answered_in_their_order(pair: Pair) -> None:
    targets = [f"/tool/1.{number}/x" for number in range(20)]
    with pair.quick.connect() as connection:
        connection.sendall(b"".join(get(target) for target in targets[:10]))
        for target in targets[10:]:
            connection.sendall(get(target))
        text = b""
        while text.count(b"\r\n\r\n") < 20:
            text += connection.recv(65_536)
    places = [text.index(f"files.acme.example{t[5:]}\r\n".encode()) for t in targets]
    assert places == sorted(places)
    assert len(pair.quick.events()) == 20


@pytest.mark.usefixtures("own_routes")
def test_a_request_in_pieces_is_answered_and_the_next_one_quickly(pair: Pair) -> None:
    whole = get()
    with pair.quick.connect() as connection:
        for at in range(0, len(whole), 20):
            connection.sendall(whole[at : at + 20])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 307 ")
        pair.quick.quick.clear()
        connection.sendall(whole)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 307 ")
        assert pair.quick.quick == [True]
    pair.quick.events()


@pytest.mark.usefixtures("own_routes")
def test_changed_routes_are_followed_by_what_is_remembered(pair: Pair) -> None:
    client = Client(pair.quick, HERE)
    client.ask(get("/kept/x.tgz"))
    pair.quick.file.write_text(ROUTES.replace("/kept/{file}", "/gone/{file}"))
    try:
        pair.quick.routes.table = routefile.load(pair.quick.file)
        assert client.ask(get("/kept/x.tgz"))[0].startswith(b"HTTP/1.1 404 ")
    finally:
        pair.quick.file.write_text(ROUTES)
        pair.quick.routes.table = routefile.load(pair.quick.file)
    client.close()
    pair.quick.events()
