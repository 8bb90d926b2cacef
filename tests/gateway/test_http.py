"""HTTP as it is spoken badly: slowly, partly, in two meanings, too much; and streams in between."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from tests.gateway.served import HERE, Client, Served, serving

DIGEST = f"sha256:{'a' * 64}"
REQUEST_SECONDS = 0.4
IDLE_SECONDS = 0.6
LARGE = 400_000_000
CHUNK = bytes(65_536)

ROUTES = """
[[route]]
type = "file"
domain = "get.acme.example"
package = "tool"
incoming-path = "/tool/{{version}}/{{file}}"
outgoing-url = "https://files.acme.example/{{version}}/{{file}}"

[[route]]
type = "telemetry"
domain = "get.acme.example"
package = "told"
path = "/told"
max-body-bytes = 3000000

[[route]]
type = "docker"
domain = "get.acme.example"
image = "acme/tool"
registry = "http://{upstream}"

[[route]]
type = "docker"
domain = "get.acme.example"
image = "acme/other"
registry = "http://{other}"
"""


class Upstream:
    """A registry that is told what to do with the next connections."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HERE, 0))
        self.address = f"{HERE}:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.sent = 0
        self.ended = threading.Event()
        self.answers: Callable[[socket.socket, int], None] = lambda _connection, _number: None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(
                    target=self._serve, args=(connection, self.connections), daemon=True
                ).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            self.answers(connection, number)
        self.ended.set()

    def expect(self, answers: Callable[[socket.socket, int], None]) -> None:
        self.connections = self.sent = 0
        self.ended.clear()
        self.answers = answers

    def pour(self, connection: socket.socket, _number: int) -> None:
        """Send a blob for as long as it is taken."""
        asked(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
        while self.sent < LARGE:
            self.sent += connection.send(CHUNK)

    def close(self) -> None:
        self._listener.close()


def asked(connection: socket.socket) -> bytes:
    """Read the head of one request; empty when there is none."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = connection.recv(4096)
        if not data:
            return b""
        head += data
    return head


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with closing(Upstream()) as made:
        yield made


@pytest.fixture(scope="module")
def other() -> Iterator[Upstream]:
    """A registry to which no connection was made yet."""
    with closing(Upstream()) as made:
        yield made


@pytest.fixture(scope="module")
def served(
    upstream: Upstream, other: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("http") / "home"
    routes = ROUTES.format(upstream=upstream.address, other=other.address)
    made = Served(home, routes, request_seconds=REQUEST_SECONDS)
    made.app.config.KEEP_ALIVE_TIMEOUT = IDLE_SECONDS
    with serving(made):
        yield made


def get(target: str = "/tool/1/x", *headers: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", "Host: get.acme.example", *headers, "", ""]
    return "\r\n".join(lines).encode()


def post(body: bytes, *headers: str, target: str = "/told") -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: get.acme.example", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def to_the_end(served: Served, request: bytes) -> bytes:
    """Everything that is answered until the gateway closes the connection."""
    with served.connect() as connection:
        connection.sendall(request)
        text = b""
        with suppress(ConnectionResetError):
            while data := connection.recv(65_536):
                text += data
        return text


def one(served: Served, request: bytes) -> bytes:
    client = Client(served)
    answer, _ = client.ask(request)
    client.close()
    return answer


def test_a_tls_hello_is_refused_at_once_and_in_words(served: Served) -> None:
    trust = ssl.create_default_context()
    start = time.monotonic()
    with served.connect() as connection, pytest.raises(ssl.SSLError):
        trust.wrap_socket(connection, server_hostname="get.acme.example")
    assert time.monotonic() - start < 0.1
    hello = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        trust.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="get.acme.example").do_handshake()
    answer = to_the_end(served, hello.read())
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert answer.endswith(b"this port speaks HTTP without TLS\n")


def test_a_byte_now_and_then_does_not_keep_a_request_open(served: Served) -> None:
    start = time.monotonic()
    with served.connect() as connection:
        answer = b""
        for byte in get():
            with suppress(OSError):
                connection.sendall(bytes([byte]))
            connection.settimeout(0.05)
            with suppress(TimeoutError):
                answer = connection.recv(4096)
                break
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - start < REQUEST_SECONDS * 3


@pytest.mark.parametrize("first", [b"", get(), get("/tool/1/x", "Expect: 100-continue")],
                         ids=["nothing", "a quick one", "an ordinary one"])  # fmt: skip
def test_an_idle_connection_is_closed(served: Served, first: bytes) -> None:
    with served.connect() as connection:
        if first:
            connection.sendall(first)
            assert connection.recv(4096).startswith(b"HTTP/1.1 307 ")
        start = time.monotonic()
        assert connection.recv(4096) == b""
        assert IDLE_SECONDS * 0.5 < time.monotonic() - start < IDLE_SECONDS * 3
    served.events()


def test_two_hundred_slow_clients_stop_nobody(served: Served) -> None:
    slow = [served.connect() for _ in range(200)]
    for connection in slow:
        connection.sendall(b"GET /tool/1/x HTTP/1.1\r\nHost: get")
    client = Client(served)
    for number in range(100):
        assert client.ask(get(f"/tool/{number}/x"))[0].startswith(b"HTTP/1.1 307 ")
    client.close()
    for connection in slow:
        # All of them are cut off as well.
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")
        connection.close()
    served.events()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 20_000, 414),
        (get("/tool/1/x", "X: " + "a" * 20_000), 431),
        (get("/tool/1/x", *[f"X-{number}: a" for number in range(3000)]), 431),
        (post(b"", "Content-Length: 99999999"), 413),
        (post(b"", "Content-Length: 2", "Expect: 200-maybe"), 417),
        (b"GET / HTTP/3\r\n\r\n", 400),
        (b"\x00\x01\x02\r\n\r\n", 400),
    ],
    ids=["target", "one header", "many headers", "body", "expectation", "version", "no HTTP"],
)
def test_what_is_too_much_is_refused_with_its_own_status(
    served: Served, request_: bytes, status: int
) -> None:
    answer = to_the_end(served, request_)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == status


def test_a_route_may_take_larger_bodies_than_others(served: Served) -> None:
    large = json.dumps({"a": "x" * 2_500_000}).encode()
    length = f"Content-Length: {len(large)}"
    assert one(served, post(large, length)).startswith(b"HTTP/1.1 200 ")
    assert len(served.events()) == 1
    larger = json.dumps({"a": "x" * 3_010_000}).encode()
    answer = one(served, post(larger, f"Content-Length: {len(larger)}"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"larger than 3000000 bytes" in answer


def test_a_client_that_asks_first_is_told_to_go_on(served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(post(b"", "Content-Length: 9", "Expect: 100-continue"))
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"a":"b"}')
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert len(served.events()) == 1


def test_a_body_in_chunks_is_one_body(served: Served) -> None:
    body = b'5\r\n{"a":\r\n4;x=y\r\n"b"}\r\n0\r\n\r\n'
    answer = one(served, post(body, "Transfer-Encoding: chunked"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    (event,) = served.events()
    assert json.loads(event["variables"]) == {"a": "b"}


SMUGGLED = get("/tool/smuggled/x")
CHUNKED = b"0\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        post(CHUNKED, "Content-Length: 5", "Transfer-Encoding: chunked"),
        post(CHUNKED, "Transfer-Encoding: chunked", "Content-Length: 5"),
        post(b"ab", "Content-Length: 2", "Content-Length: 3"),
        post(b"ab", "Content-Length: +2"),
        post(b"ab", "Content-Length: 2, 2"),
        post(b"ab", "Content-Length: 0x2"),
        post(CHUNKED, "Transfer-Encoding: xchunked"),
        post(CHUNKED, "Transfer-Encoding: chunked, identity"),
        post(CHUNKED, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        post(CHUNKED, "Transfer-Encoding : chunked"),
        post(b"-1\r\n\r\n", "Transfer-Encoding: chunked"),
        post(b"0\r\nX: y\r\n\r\n", "Transfer-Encoding: chunked"),
        get("/tool/1/x", "X: a\nTransfer-Encoding: chunked"),
        get("/tool/1/x", "Host: other.example"),
        get("/tool/1/x", "X: a", " Transfer-Encoding: chunked"),
    ],
    ids=["length and chunks", "chunks and length", "two lengths", "sign", "list of lengths", "hex",
         "unknown coding", "two codings", "two coding headers", "space", "negative chunk",
         "trailer", "line feed", "two hosts", "folded"],
)  # fmt: skip
def test_no_second_request_hides_in_the_first(served: Served, request_: bytes) -> None:
    answer = to_the_end(served, request_ + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert served.events() == []


BLOB = get(f"/v2/acme/tool/blobs/{DIGEST}")


def test_a_client_that_reads_slowly_slows_the_upstream(served: Served, upstream: Upstream) -> None:
    upstream.expect(upstream.pour)
    with served.connect() as connection:
        connection.sendall(BLOB)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        sent = -1
        while sent < upstream.sent:  # until nothing moves
            sent = upstream.sent
            time.sleep(0.3)
        # What the sockets' own buffers hold, of both connections, and little more.
        assert sent < LARGE / 8
        assert one(served, get()).startswith(b"HTTP/1.1 307 ")
    # The client has gone: its upstream connection is let go of.
    assert upstream.ended.wait(5)
    assert upstream.sent < LARGE
    served.events()


def test_a_client_that_goes_away_frees_the_upstream(served: Served, upstream: Upstream) -> None:
    upstream.expect(upstream.pour)
    connection = served.connect()
    connection.sendall(BLOB)
    assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    connection.close()
    assert upstream.ended.wait(5)
    assert upstream.sent < LARGE
    served.events()


def small(connection: socket.socket, _number: int) -> None:
    """Answer every request with headers of all kinds."""
    while asked(connection):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nOCI-Filters-Applied: a\r\n"
            b"OCI-Filters-Applied: b\r\nConnection: keep-alive, X-Named\r\nX-Named: secret\r\n"
            b"Keep-Alive: timeout=5\r\nSet-Cookie: a=b\r\nProxy-Authenticate: Basic\r\n\r\nok"
        )


def test_headers_of_one_connection_stay_there_and_repeated_ones_pass(
    served: Served, upstream: Upstream
) -> None:
    upstream.expect(small)
    client = Client(served)
    for _ in range(3):
        head, _, body = client.ask(BLOB)[0].partition(b"\r\n\r\n")
        assert body == b"ok"
        names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
        assert names.count(b"oci-filters-applied") == 2
        assert names.count(b"connection") == names.count(b"content-length") == 1
        assert not {b"x-named", b"keep-alive", b"set-cookie", b"proxy-authenticate"} & set(names)
    client.close()
    assert upstream.connections == 1, "the upstream's connection is used again"
    served.events()


def test_a_connection_that_breaks_before_the_answer_is_tried_again(
    served: Served, other: Upstream
) -> None:
    def broken_first(connection: socket.socket, number: int) -> None:
        if number == 1:
            asked(connection)
        else:
            small(connection, number)

    other.expect(broken_first)
    assert one(served, BLOB.replace(b"tool", b"other")).startswith(b"HTTP/1.1 200 ")
    assert other.connections == 2
    served.events()
