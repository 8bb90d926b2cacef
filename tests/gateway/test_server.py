"""The real program on real sockets: what it answers, and what it writes and must never write."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from tests.gateway.running import HERE, ROUTES, Running, gateway, wait_for

CLIENT = "127.77.88.99"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One gateway for all tests that only ask."""
    with gateway(tmp_path_factory.mktemp("served")) as running:
        yield running


def test_a_redirect(served: Running) -> None:
    status, headers, body = served.ask("/tool/1.2/x.tgz")
    assert (status, body) == (307, b"")
    headers.pop("connection")
    assert headers == {
        "location": "https://files.acme.example/1.2/x.tgz",
        "cache-control": "no-store",
        "content-length": "0",
    }


def test_head_says_how_long_the_body_would_be(served: Running) -> None:
    _, got, image = served.ask("/a.png?x-pxid=abc")
    status, headers, body = served.ask("/a.png?x-pxid=abc", method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["content-length"] == got["content-length"] == str(len(image))


@pytest.mark.parametrize("path", ["/no/such", "/tool/1.2/x.tgz/more", "/%ff%00", "//", "/../etc"])
def test_an_unknown_path_is_404(served: Running, path: str) -> None:
    status, headers, body = served.ask(path)
    assert status == 404
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["status"] == 404


def test_the_path_is_taken_as_it_was_sent(served: Running) -> None:
    path = "//a/../b/%2e%2e/c%20d/%7Bversion%7D/?a=1&a=2&b"
    _, headers, _ = served.ask(path, host="all.acme.example")
    assert headers["location"] == f"https://files.acme.example{path}"


def test_an_absolute_target_names_the_host_and_none_in_the_location(served: Running) -> None:
    answer = served.raw_request(
        b"GET http://get.acme.example/tool/1.2/x.tgz HTTP/1.1\r\n"
        b"Host: other.example\r\nConnection: close\r\n\r\n"
    )
    assert b"307 Temporary Redirect" in answer
    assert b"location: https://files.acme.example/1.2/x.tgz\r\n" in answer


def test_http_1_0_is_answered_and_closed(served: Running) -> None:
    answer = served.raw_request(b"GET /tool/1.2/x.tgz HTTP/1.0\r\nHost: get.acme.example\r\n\r\n")
    assert b" 307 " in answer.splitlines()[0]


def test_an_unknown_method_is_answered(served: Running) -> None:
    assert served.ask("/tool/1.2/x.tgz", method="BREW")[0] in {404, 405, 501}


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /127.77.88.99 HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    ],
    ids=["version", "nonsense", "two hosts", "length"],
)
def test_a_malformed_request_is_400(served: Running, request_: bytes) -> None:
    assert served.raw_request(request_).startswith(b"HTTP/1.1 400 ")


def test_a_body_over_the_limit_is_413(served: Running) -> None:
    answer = served.raw_request(
        b"POST / HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 99999999\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_the_admin_port(served: Running) -> None:
    assert served.admin("/healthz") == (200, "ok\n")
    wait_for(lambda: served.admin("/readyz")[0] == 200)
    ready = json.loads(served.admin("/readyz")[1])
    assert ready["ready"] is True
    assert set(ready["checks"]) == {"routes", "journal", "events", "shipping", "targets", "ip_data"}
    assert served.admin("/-/tls-ask?domain=get.acme.example")[0] == 200
    assert served.admin("/-/tls-ask?domain=GET.acme.example.")[0] == 200
    assert served.admin("/-/tls-ask?domain=evil.example")[0] == 403
    assert served.admin("/-/tls-ask")[0] == 403


def test_two_thousand_redirects_are_two_thousand_rows_and_hold_no_address(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        client = http.client.HTTPConnection(HERE, running.port, 10, (CLIENT, 0))
        for number in range(2000):
            headers = {"Host": "get.acme.example", "User-Agent": f"curl/8 ({CLIENT})",
                       "Referer": f"https://{CLIENT}/a?{CLIENT}"}  # fmt: skip
            client.request("GET", f"/tool/1.0.{number}/{CLIENT}?x={CLIENT}", headers=headers)
            answer = client.getresponse()
            answer.read()
            assert answer.status == 307
        client.close()
        running.ask(f"/{CLIENT}", source=CLIENT)  # no route
        running.raw_request(f"GET /{CLIENT} HTTP/9\r\n\r\n".encode())
        _, metrics = running.admin("/metrics")
        assert 'footfall_requests_total{route_type="file",status="307"} 2000\n' in metrics
        assert CLIENT not in metrics
        running.stop()
        table = running.raw()
        assert table.height == table["event_id"].n_unique() == table["version"].n_unique() == 2000
        assert table["origin_id"].n_unique() == table["endpoint_id"].n_unique() == 1
        assert not list((running.lake / "journal").iterdir())
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CLIENT.encode() not in path.read_bytes(), path
    text = table.select(pl.col(pl.String)).unpivot()["value"].drop_nulls()
    assert not text.str.contains(CLIENT, literal=True).any()


def load(running: Running, acknowledged: list[str], tag: str) -> None:
    """Ask until the gateway is gone for good; note every answer that came whole."""
    number = 0
    while running.program.poll() is None and len(acknowledged) < 1500:
        number += 1
        name = f"{tag}-{number}"
        with suppress(OSError, http.client.HTTPException):
            if running.ask(f"/tool/{name}/x")[0] == 307:
                acknowledged.append(name)


def test_two_workers_share_the_salt_and_lose_and_double_nothing_by_kill_9(tmp_path: Path) -> None:
    with gateway(tmp_path, "--workers", "2", "--flush-seconds", "0.2") as running:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: running.ask(f"/tool/1.{n}/x", source=CLIENT), range(200)))
        acknowledged: list[str] = []
        with ThreadPoolExecutor(3) as pool:
            tasks = [pool.submit(load, running, acknowledged, tag) for tag in "abc"]
            for kind in ("worker", "keeper", "worker"):
                count = len(acknowledged)
                wait_for(lambda count=count: len(acknowledged) > count + 100)
                wait_for(lambda kind=kind: running.children(kind))
                os.kill(running.children(kind)[0], signal.SIGKILL)
            for task in tasks:
                task.result(60)
        running.stop()
        shared = pl.col("version").str.starts_with("1.")
        before = running.raw().filter(shared)
        assert before.height == 200
        assert before["origin_id"].n_unique() == 1
        versions = running.raw().filter(~shared)["version"]
        assert versions.n_unique() == len(versions)
        assert set(acknowledged) <= set(versions)
        assert len(versions) <= len(acknowledged) + 6  # a killed worker's last answers may be lost
    (salt,) = (tmp_path / "salts").iterdir()
    assert salt.stat().st_mode & 0o777 == 0o600
    assert salt.stat().st_size == 32


def test_kill_9_of_the_supervisor_ends_all_and_the_lake_is_whole(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        for number in range(50):
            running.ask(f"/tool/1.{number}/x")
        family = [*running.children("worker"), *running.children("keeper")]
        assert len(family) == 2
        running.program.kill()
        wait_for(lambda: not any(Path(f"/proc/{pid}/status").exists() and
                                 "zombie" not in Path(f"/proc/{pid}/status").read_text()
                                 for pid in family))  # fmt: skip
        assert running.raw().height == 50


def test_a_segment_left_by_a_crash_is_shipped_by_the_next_start(tmp_path: Path) -> None:
    with gateway(tmp_path, "--flush-seconds", "3600") as running:
        running.ask("/tool/1.1/x")
        for pid in [running.program.pid, *running.children("keeper"), *running.children("worker")]:
            os.kill(pid, signal.SIGKILL)
        running.program.wait()
    with gateway(tmp_path) as running:
        wait_for(lambda: list(running.lake.glob("raw/*/*.parquet")))
        assert running.raw()["version"].to_list() == ["1.1"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_still_redirects_and_recovers(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", lake]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        with gateway(tmp_path, "--flush-seconds", "3600") as running:
            running.ask("/tool/1.1/x")
            (lake / "ballast").write_bytes(b"")
            with suppress(OSError), (lake / "ballast").open("wb", buffering=0) as ballast:
                while True:
                    ballast.write(bytes(512))
            for number in range(100):
                assert running.ask(f"/tool/2.{number}/{'x' * 400}")[0] == 307
            _, metrics = running.admin("/metrics")
            assert 'fate="no-space"} 0' not in metrics
            assert running.log.count("events are lost") == 1
            (lake / "ballast").unlink()
            assert running.ask("/tool/3.1/x")[0] == 307
            running.stop()
            versions = running.raw()["version"].to_list()
            assert versions[0] == "1.1"
            assert versions[-1] == "3.1"
    finally:
        subprocess.run(["umount", "-l", lake], check=True)


def test_a_lake_that_cannot_be_written_still_redirects(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the lake should be")
    with gateway(tmp_path) as running:
        assert running.ask("/tool/1.1/x")[0] == 307
        assert running.admin("/readyz")[0] == 503
        assert 'fate="disk"} 1' in running.admin("/metrics")[1]
        assert running.admin("/healthz")[0] == 200


def test_changed_routes_are_taken_and_bad_ones_refused(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        file = tmp_path / "routes.toml"
        file.write_text(ROUTES.replace("/tool/", "/gadget/"))
        wait_for(lambda: running.ask("/gadget/1.1/x")[0] == 307)
        file.write_text("[[route]]\ntype = 'nonsense'\n")
        wait_for(lambda: running.admin("/readyz")[0] == 503)
        assert running.ask("/gadget/1.1/x")[0] == 307
        assert "is refused" in running.log
        file.write_text(ROUTES)
        wait_for(lambda: running.ask("/tool/1.1/x")[0] == 307)
        wait_for(lambda: running.admin("/readyz")[0] == 200)


def test_stopping_lets_a_request_in_flight_finish(tmp_path: Path) -> None:
    with gateway(tmp_path) as running, socket.create_connection((HERE, running.port)) as client:
        # The head is there and the body is not: the request is in the handler.
        client.sendall(
            b"POST /tool/1.1/x HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 4\r\n\r\nab"
        )
        time.sleep(0.3)
        running.program.terminate()
        time.sleep(0.3)
        client.sendall(b"cd")
        assert client.recv(100).startswith(b"HTTP/1.1 ")
        assert running.program.wait(10) == 0
