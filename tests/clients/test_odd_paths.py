"""Odd paths and queries: what curl and a browser ask for is what arrives upstream."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser import page
from tests.footfall import Footfall, curate, gateway, rows
from tests.programs import need, run

pytestmark = pytest.mark.clients

# What is asked for, and what arrives upstream by way of the template and of the catch-all.
SENT = [
    pytest.param("/a//b", "/a//b", id="double slashes"),
    pytest.param("/a/b/", "/a/b/", id="a slash at the end"),
    pytest.param("/a.b/..c/...", "/a.b/..c/...", id="dots that are no segments"),
    pytest.param("/a/%7Bb%7D", "/a/%7Bb%7D", id="escaped braces"),
    pytest.param("/a/{b}", "/a/%7Bb%7D", id="unexpanded braces"),
    pytest.param("/a%2Fb/c", "/a%2Fb/c", id="an escaped slash"),
    pytest.param("/a%20b+c", "/a%20b+c", id="a space and a plus"),
    pytest.param("/a%25b", "/a%25b", id="an escaped percent sign"),
    pytest.param("/caf%C3%A9/%E2%9C%93", "/caf%C3%A9/%E2%9C%93", id="unicode, escaped"),
    pytest.param("/café", "/caf%C3%A9", id="unicode as it is"),
    pytest.param("/a?", "/a", id="an empty query"),
    pytest.param("/a?b&c=&=d", "/a?b&c=&=d", id="empty keys and values"),
    pytest.param("/a?b=1&b=2", "/a?b=1", id="a key twice"),
    pytest.param("/a?x=%26%3D+%2B", "/a?x=%26%3D+%2B", id="escapes in a query"),
    pytest.param("/a?next=https://b.example/?c", "/a?next=https://b.example/?c", id="a URL"),
]


class _Upstream(http.server.BaseHTTPRequestHandler):
    arrived: list[str]

    def do_GET(self) -> None:
        self.arrived.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
        """Say nothing."""


@contextmanager
def upstream() -> Iterator[tuple[str, list[str]]]:
    arrived: list[str] = []
    handler = type("Handler", (_Upstream,), {"arrived": arrived})
    server = http.server.ThreadingHTTPServer(("127.0.0.6", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.6:{server.server_port}", arrived
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Footfall, list[str]]]:
    need("curl")
    home = tmp_path_factory.mktemp("odd")
    with upstream() as (target, arrived):
        routes = f"""
            [[route]]
            type = "file"
            domain = "127.0.0.1"
            package = "tool"
            incoming-path = "/get/{{+path}}"
            outgoing-url = "{target}/files/{{+path}}"

            [[route]]
            type = "catch-all"
            domain = "127.0.0.1"
            target = "{target}"
        """
        with gateway(home, routes) as footfall:
            yield footfall, arrived


def curl(footfall: Footfall, path: str) -> str:
    options = ["-s", "-g", "-L", "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}"]
    return run(["curl", *options, footfall.url + path])


@pytest.mark.parametrize(("asked", "expected"), SENT)
def test_what_curl_asks_for_arrives(
    served: tuple[Footfall, list[str]], asked: str, expected: str
) -> None:
    footfall, arrived = served
    arrived.clear()
    assert curl(footfall, f"/get{asked}") == "200"
    assert arrived == [f"/files{expected}"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        *SENT[:9],
        pytest.param("/café", "/caf%c3%a9", id="unicode, as curl escapes it"),
        pytest.param("/a?b&c=&=d", "/a?b&c=&=d", id="empty keys and values"),
        pytest.param("/a?b=1&b=2", "/a?b=1&b=2", id="a key twice"),
    ],
)
def test_a_catch_all_changes_nothing(
    served: tuple[Footfall, list[str]], asked: str, expected: str
) -> None:
    footfall, arrived = served
    arrived.clear()
    assert curl(footfall, asked) == "200"
    assert arrived == [expected]


@pytest.mark.parametrize("climb", ["/get/a/../../b", "/get/a/%2e%2e/b", "/get/./b", "/get/.."])
def test_dot_segments_that_curl_is_told_to_send_are_refused(
    served: tuple[Footfall, list[str]], climb: str
) -> None:
    footfall, arrived = served
    arrived.clear()
    assert curl(footfall, climb) == "400"
    assert arrived == []


def test_what_a_browser_asks_for_arrives(served: tuple[Footfall, list[str]]) -> None:
    footfall, arrived = served
    with page() as browser:
        for case in SENT:
            asked, expected = map(str, case.values)
            arrived.clear()
            # A browser goes on with the address that it was sent to, and says so.
            answer = browser.goto(f"{footfall.url}/get{asked}")
            assert answer is not None
            assert answer.status == 200
            reached = [path for path in arrived if path != "/favicon.ico"]
            assert reached == [f"/files{expected}"], case.id


def test_every_one_of_them_is_one_row(tmp_path: Path) -> None:
    need("curl")
    asked = [str(case.values[0]) for case in SENT]
    with upstream() as (target, _):
        routes = f"""
            [[route]]
            type = "file"
            domain = "127.0.0.1"
            package = "tool"
            incoming-path = "/get/{{+path}}"
            outgoing-url = "{target}/files/{{+path}}"
        """
        with gateway(tmp_path, routes) as footfall:
            for path in asked:
                curl(footfall, f"/get{path}")
            curl(footfall, "/get/a/../b")
    curate(footfall.lake)
    told = rows(footfall.lake, "SELECT count(*) AS n, sum(counted::INT) AS counted FROM lake")
    assert told == [{"n": len(asked), "counted": len(asked)}]
