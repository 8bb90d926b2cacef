"""Marked addresses go in everywhere; then every byte that was written is searched for them."""

import json
import resource
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from tests.attack.marks import found_in, found_in_table, spellings
from tests.attack.target import HERE, TOKEN, Gateway, gateway, wait_for
from tests.programs import module, run

# The socket's own address, and what proxies say: documentation networks, so that none is anybody's.
SOCKET = "127.99.88.77"
FORWARDED = ["203.0.113.201", "2001:db8:beef:1::77", "::ffff:203.0.113.202"]
# Somebody else's, which no rule can know in a name; in free text they must go.
STRANGERS = ["198.51.100.203", "2001:db8:cafe::99"]

HEADERS = [
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP",
    "CF-Connecting-IPv6", "CF-Pseudo-IPv4", "X-Client-IP", "X-Cluster-Client-IP",
    "Fastly-Client-IP", "X-Original-Forwarded-For", "X-Envoy-External-Address", "Via", "From",
    "Referer", "User-Agent",
    "Cookie", "Authorization", "Proxy-Authorization", "X-Forwarded", "Forwarded-For", "Origin",
    "X-Forwarded-Proto", "X-Forwarded-Port", "Client-IP", "WL-Proxy-Client-IP", "Range", "If-Range",
    "If-None-Match", "Accept", "Accept-Language", "Content-Type", "Content-Encoding", "Traceparent",
    "X-Request-ID", "Upgrade", "Expect-CT", "Warning", "X-Anything",
]  # fmt: skip


def written(mark: str) -> list[str]:
    """How clients write an address."""
    bare = mark.removeprefix("::ffff:")
    if ":" not in bare:
        return [bare, f"{bare}:4711", f"::ffff:{bare}", f"[::ffff:{bare}]:80", quote(bare, safe="")]
    return [bare, bare.upper(), f"[{bare}]", f"[{bare}]:4711", f"{bare}%eth0", quote(bare, safe="")]


def attack_headers(target: Gateway, mark: str) -> None:
    for text in written(mark):
        for name in HEADERS:
            value = {
                "Referer": f"https://{text}/page/{text}?ip={text}",
                "User-Agent": f"tool/1.0 (+http://{text}/; {text}) {text}",
                "Forwarded": f'for="{text}";by={text}',
                "Cookie": f"ip={text}",
                "From": f"me@{text}",
            }.get(name, text)
            target.ask_on("/tool/1.0/x.tgz", {name: value, **_forwarded(name, mark)}, source=SOCKET)


def attack_targets(target: Gateway, mark: str) -> None:
    for text in [*written(mark), quote(quote(mark, safe=""), safe="")]:
        for path in (
            f"/tool/{text}/{text}",
            f"/tool/1.0/a-{text}.tgz?ip={text}&{text}=1&client[{text}]={text}",
            f"/tree/{text}/{text}/x",
            f"/find?name={text}&other={text}",
            f"/re/{text}/{text}/x",
            f"/a.png?x-pxid=abc&page=https://{text}/{text}&Page={text}&n={text}",
            f"/v2/acme/tool/manifests/{text}",
            f"/v2/acme/tool/blobs/sha256:{'0' * 64}?ns={text}",
            f"/v2/sent/{text}/manifests/{text}",
            f"/v2/{text}/manifests/latest",
            f"/simple/{text}/",
            f"/packages/acme/acme-{text}.tar.gz",
            f"/{text}",
            f"//{text}//{text}",
            f"http://get.acme.example/tool/{text}/x",
            f"http://{text}/tool/{text}/x",
        ):
            if path.isascii():
                target.ask_on(path, _forwarded("", mark), source=SOCKET)
        target.ask_on(f"/{text}/x?{text}", {"Host": "all.acme.example", **_forwarded("", mark)})
        for host in (text, f"{text}.nip.example", f"get.acme.example:{text}"):
            target.ask_on("/tool/1.0/x", {"Host": host, **_forwarded("", mark)}, source=SOCKET)


def attack_bodies(target: Gateway, mark: str) -> None:
    for text in written(mark):
        event = {
            "ip": text, text: 1, "nested": {"client": [text, {"a": text}]}, "t": f"from {text}!",
            "$remote_address": text, "$user_agent": f"x/1 ({text})", "$domain": text,
            "$referrer": f"https://{text}/{text}", "$version": text, "$type": text,
            "$headers": [{"name": name, "value": text} for name in HEADERS],
        }  # fmt: skip
        report = {
            "dependencyInfo": {
                "parent": {"name": "acme", "version": text},
                "scarf": {"version": text},
                "rootPackage": {"name": text, "packageJsonPath": f"/home/{text}"},
            },
            "rawPlatform": text,
            "ip": text,
        }
        bodies = [json.dumps(event), json.dumps(report), f'{{"ip": "{text}"', text, "\0" + text]
        install = "/package-event/install"
        for path in ("/beat", "/vouched", install, f"{install}/{text}", "/tool/1.0/x"):
            for body in bodies:
                headers = {"Authorization": f"Bearer {TOKEN}", **_forwarded("", mark)}
                target.ask_on(path, headers, method="POST", body=body.encode(), source=SOCKET)


def attack_syntax(target: Gateway, mark: str) -> None:
    """Requests that no server can answer well."""
    word = mark.encode()
    for data in (
        word,
        word + b"\r\n\r\n",
        b"GET " + word + b"\r\n\r\n",
        b"GET /" + word + b" HTTP/9\r\n\r\n",
        word + b" / HTTP/1.1\r\nHost: " + word + b"\r\n\r\n",
        b"GET /" + word + b" HTTP/1.1\r\nHost: a\r\nHost: " + word + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + word + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + word + b": " + word + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + word + b"\r\n\t" + word + b"\r\n\r\n",
        b"GET /\xff\xfe" + word + b" HTTP/1.1\r\nHost: get.acme.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: get.acme.example\r\nX-Big: " + word * 4000 + b"\r\n\r\n",
        b"GET /" + word * 4000 + b" HTTP/1.1\r\nHost: get.acme.example\r\n\r\n",
        b"POST /beat HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: " + word + b"\r\n\r\n",
        b"POST /beat HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 9\r\n\r\n" + word[:5],
        b"POST /beat HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 99999999\r\n\r\n" + word,
        b"POST /beat HTTP/1.1\r\nHost: get.acme.example\r\nTransfer-Encoding: chunked\r\n\r\n"
        + word + b"\r\n",
        b"POST /beat HTTP/1.1\r\nHost: get.acme.example\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;ip=" + word + b"\r\n" + word[:5] + b"\r\n0\r\nX-Trailer: " + word + b"\r\n\r\n",
        b"POST /beat HTTP/1.1\r\nHost: get.acme.example\r\nExpect: " + word + b"\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: " + word + b"\r\n\r\n",
        b"CONNECT " + word + b":443 HTTP/1.1\r\nHost: " + word + b":443\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + word + bytes(range(256)),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + word,
        b"PROXY TCP4 " + word + b" 127.0.0.1 4711 80\r\n"
        b"GET /tool/1.0/x HTTP/1.1\r\nHost: get.acme.example\r\n\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + word,
        bytes(range(256)) * 20 + word,
    ):  # fmt: skip
        target.send(data, source=SOCKET)


def attack_with_halves(target: Gateway) -> list[socket.socket]:
    """Requests that never end. They are still open when the workers die."""
    halves = []
    for data in (
        f"GET /tool/{SOCKET}/x HTTP/1.1\r\nX-Forwarded-For: {FORWARDED[0]}\r\nX: {SOCKET}",
        f'POST /beat HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 999\r\n\r\n{{"{SOCKET}',
    ):
        for _ in range(8):
            half = socket.create_connection((HERE, target.port), 5, (SOCKET, 0))
            half.sendall(data.encode())
            halves.append(half)
    return halves


def _forwarded(name: str, mark: str) -> dict[str, str]:
    return {} if name == "X-Forwarded-For" else {"X-Forwarded-For": mark}


@pytest.fixture
def core_files() -> Iterator[None]:
    """Let this machine write core files as large as it likes, as many machines do."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("core_files")
def test_no_address_is_in_any_byte_that_is_written(tmp_path: Path) -> None:
    marks = [SOCKET, *FORWARDED, *(mark.removeprefix("::ffff:") for mark in FORWARDED)]
    with gateway(tmp_path, "--trusted-proxies", "1", "--workers", "2") as target:
        for mark in FORWARDED:
            attack_headers(target, mark)
            attack_targets(target, mark)
            attack_bodies(target, mark)
            attack_syntax(target, mark)
        attack_syntax(target, SOCKET)
        halves = attack_with_halves(target)
        pages = [target.admin(page) for page in ("/metrics", "/readyz", "/healthz")]
        for page in (f"/{SOCKET}", f"/-/tls-ask?domain={SOCKET}"):
            target.admin(page)
        for number in (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV):
            target.kill("worker", number)
            attack_bodies(target, FORWARDED[0])
        target.kill("keeper", signal.SIGABRT)
        target.kill("keeper", signal.SIGKILL)
        # What lies in the journal is searched before it is shipped, too.
        assert list(found_in(tmp_path, marks)) == []
        pages.append(target.admin("/metrics"))
        for half in halves:
            half.close()
        target.stop()
        table = target.raw()
    assert table.height > 1000
    assert {"docker", "file", "npm", "pixel", "telemetry", "catch-all"} <= set(table["route_type"])
    run(module("pipeline", "run", "--data", tmp_path / "lake"))
    assert list(tmp_path.glob("lake/events/*/data.parquet"))
    # The auditor, who does not know the marks, agrees. A status other than 0 fails here.
    report = run(
        module("pipeline", "privacy", "--data", tmp_path / "lake", "--salts", tmp_path / "salts")
    )
    assert "Every promise" in report
    assert list(found_in(tmp_path, marks)) == []
    for page in pages:
        assert not any(text in page for mark in marks for text in spellings(mark))


def test_an_address_that_nobody_believes_leaves_free_text_too(tmp_path: Path) -> None:
    with gateway(tmp_path, "--log-format", "json") as target:  # the other test has the other form
        for mark in STRANGERS:
            attack_headers(target, mark)
            attack_syntax(target, mark)
            for text in written(mark):
                target.ask_on(f"/tool/1.0/x?ip={text}&{text}=1", source=SOCKET)
                body = json.dumps({"ip": text, text: 1, "text": f"from {text}!"}).encode()
                target.ask_on("/beat", method="POST", body=body, source=SOCKET)
        target.stop()
        assert target.raw().height > 100
    assert list(found_in(tmp_path, [SOCKET, *STRANGERS])) == []


def test_the_search_finds_what_it_must(tmp_path: Path) -> None:
    """A canary that cannot die warns of nothing."""
    mark = "203.0.113.201"
    for number, text in enumerate(spellings(mark)):
        (tmp_path / f"{number}.log").write_text(f"before {text.upper()} after")
    (tmp_path / "packed").write_bytes(b"x" + bytes([203, 0, 113, 201]))
    assert len({line.split(":")[0] for line in found_in(tmp_path, [mark])}) == len(
        list(tmp_path.iterdir())
    )
    frame = pl.DataFrame(
        {"number": [3405803977], "variables": ['{"a": "203.0.113.\\u0032\\u00301"}']}
    )
    frame.write_parquet(tmp_path / "table.parquet")
    assert len(list(found_in_table(tmp_path / "table.parquet", [mark]))) == 3


@pytest.mark.usefixtures("core_files")
def test_a_crash_leaves_no_core_file(tmp_path: Path) -> None:
    with gateway(tmp_path) as target:
        pids = [target.program.pid, *target.children("worker"), *target.children("keeper")]
        for pid in pids:
            soft, hard = resource.prlimit(pid, resource.RLIMIT_CORE)
            # One byte is too few for a file, and tells the kernel not to run a handler either.
            assert (soft, hard) in {(1, 1), (0, 0)}
        target.ask_on("/tool/1.0/x", source=SOCKET)
        target.kill("worker", signal.SIGABRT)
        wait_for(lambda: target.ask("/tool/1.0/x")[0] == 307)
        time.sleep(0.2)
        assert not list(tmp_path.rglob("core*"))
