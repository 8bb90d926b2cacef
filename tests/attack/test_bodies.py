"""Bodies that want more than their share: of memory, of depth, of time, of events."""

import gzip
import json
import time
import zlib
from collections.abc import Iterator

import pytest

from gateway.protocols import files
from gateway.regexes import compile_regex
from gateway.request import Request
from gateway.routes import FileRoute, RegexRoute
from tests.attack.target import TOKEN, Gateway, gateway


# One gateway for all.
@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("bodies")) as target:
        yield target


BOMB = b'{"a": "' + b"x" * 50_000_000 + b'"}'
DEEP = 500_000
MANY_KEYS = json.dumps({f"k{number}": number for number in range(60_000)}).encode()


def post(target: Gateway, path: str, headers: dict[str, str], body: bytes) -> int:
    """Send a body; while the gateway has too much to do, which it may after another one, again."""
    for _ in range(50):
        status, _, _ = target.ask(path, headers, method="POST", body=body)
        if status != 503:
            return status
        time.sleep(0.1)
    return 503


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(gzip.compress(BOMB, 1), {"Content-Encoding": "gzip"}, 415, id="gzip bomb"),
        pytest.param(zlib.compress(BOMB, 1), {"Content-Encoding": "deflate"}, 415, id="deflate"),
        pytest.param(gzip.compress(b"{}"), {"Content-Encoding": "br, gzip"}, 415, id="two layers"),
        pytest.param(gzip.compress(BOMB, 1), {}, 400, id="an unnamed bomb"),
        pytest.param(b"[" * DEEP, {}, 400, id="deep lists"),
        pytest.param(b'{"a":' * 200_000, {}, 400, id="deep objects"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, {}, 400, id="deep and whole"),
        pytest.param(b'{"a":' + b"9" * 500_000 + b"}", {}, 400, id="a number of many digits"),
        pytest.param(b'{"a":1e999999999}', {}, 200, id="a number beyond all numbers"),
        pytest.param(b'{"a":NaN}', {}, 400, id="no number"),
        pytest.param(b'{"$time":1e400}', {}, 400, id="a time beyond all times"),
        pytest.param(b'{"$time":-1}', {}, 400, id="a time before all times"),
        pytest.param(b'{"a":1,"a":2,"$version":"1","$version":"2"}', {}, 200, id="a key twice"),
        pytest.param(b"{}" * 1001, {}, 413, id="too many events"),
        pytest.param(b"[" + b"{}," * 1000 + b"{}]", {}, 413, id="too many in a list"),
        pytest.param(b'{"a":"' + b"x" * 1_048_576 + b'"}', {}, 413, id="too large"),
        pytest.param(MANY_KEYS, {}, 200, id="many keys"),
        pytest.param(json.dumps({"k" * 300: 1}).encode(), {}, 400, id="a long key"),
        pytest.param(b'{"\\ud800": "\\udfff"}', {}, 200, id="halves of pairs"),
        pytest.param(b'{"a":"\\u0000\\u001b[31m"}', {}, 200, id="control characters"),
        pytest.param(b"\xff\xfe{}", {}, 400, id="no UTF-8"),
        pytest.param("{}".encode("utf-16"), {}, 400, id="UTF-16"),
        pytest.param(b"", {}, 200, id="nothing"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/beat", "/vouched"])
def test_a_body_is_answered_at_once(
    target: Gateway, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    started = time.monotonic()
    headers = {"Authorization": f"Bearer {TOKEN}", **headers}
    assert post(target, path, headers, body) == status
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "shown",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Basic secret", "bearer  secret x", "secret",
     "Bearer " + "x" * 8000, "Bearer s\xe9cret"],
)  # fmt: skip
def test_without_the_token_nothing_is_read(target: Gateway, shown: str) -> None:
    headers = {"Authorization": shown} if shown else {}
    assert post(target, "/vouched", headers, b"[" * DEEP) == 401


def test_the_gateway_is_well_after_all_that(target: Gateway) -> None:
    assert target.ask("/tool/1.0/x")[0] == 307
    assert len(target.children("worker")) == 1
    assert "ends by" not in target.log
    target.stop()
    table = target.raw()
    # Capped: 60,000 keys are no 60,000 variables.
    assert table["variables"].str.len_chars().max() < 20_000
    assert not table["variables"].str.contains("\x1b").any()


# Expressions and templates that take a backtracking engine longer than the universe is old.
EVIL_PATTERNS = ["/(a+)+$", "/(a|a)*b", "/(a|aa)+b", "/(.*)*x", "/(?:[^/]+)*z", "/(\\w+\\s?)*!"]
EVIL_TEMPLATES = [
    "/{a}-{b}-{c}-{d}-{e}!", "/{+a}/{+b}/{+c}/{+d}!", "/{a}a{b}a{c}a{d}z", "/{+a}{/b}{/c}!",
    "/x?q={a}-{b}-{c}-{d}!",
]  # fmt: skip


def seconds(index: files.FileIndex, path: str) -> float:
    """What one request costs, of the processor's time: whatever else the machine does is free."""
    taken = []
    for _ in range(3):
        started = time.thread_time()
        files.decide(index, Request("GET", "a", path, query="q=" + path[1:]))
        taken.append(time.thread_time() - started)
    return min(taken)


@pytest.mark.parametrize("pattern", EVIL_PATTERNS)
def test_expressions_take_time_in_proportion(pattern: str) -> None:
    compile_regex(pattern)
    index = files.build([RegexRoute(domains=("a",), package="p", pattern=pattern)])
    _is_linear(index)


@pytest.mark.parametrize("template", EVIL_TEMPLATES)
def test_templates_take_time_in_proportion(template: str) -> None:
    index = files.build([FileRoute(domains=("a",), package="p", incoming_path=template)])
    _is_linear(index)


def _is_linear(index: files.FileIndex) -> None:
    for piece in ("a", "a-", "a/", "aa", "-"):
        short = max(seconds(index, "/" + piece * 500), 1e-4)
        # Eight times the length; a square would be 64 times the time, a power would never end.
        assert seconds(index, "/" + piece * 4000) < 40 * short, piece
