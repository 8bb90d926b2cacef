"""The doctor on real folders and sockets of this machine; it needs no other."""

import datetime as dt
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.doctor import backlog, domains, examination, folders
from gateway.doctor.backlog import Waiting
from gateway.doctor.finding import Finding
from gateway.doctor.folders import Room
from gateway.ipdata import IpData
from tests.failure.small_disk import small_disk
from tests.gateway.running import HERE, ROUTES, gateway
from tests.programs import ROOT, free_port, module, need

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
LOCAL = ROUTES.replace("get.acme.example", "localhost").replace(
    "all.acme.example", "nosuch.invalid"
)


def doctor(home: Path, *extra: str, **env: str) -> tuple[int, dict[str, Finding]]:
    """Findings by subject; of several, the worst one."""
    command = module(
        "gateway", "doctor", "--json", "--routes", home / "routes.toml", "--data", home / "lake",
        "--salts", home / "salts", "--cache", home / "cache", "--ip-data", ROOT / "data/ip", *extra,
    )  # fmt: skip
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **env}
    )
    assert not done.stderr
    found: dict[str, Finding] = {}
    rank = ["ok", "warning", "broken"]
    for one in (Finding(**one) for one in json.loads(done.stdout)):
        if one.subject not in found or rank.index(one.level) > rank.index(found[one.subject].level):
            found[one.subject] = one
    return done.returncode, found


def fresh(home: Path, routes: str = ROUTES) -> list[str]:
    (home / "routes.toml").write_text(routes)
    return ["--port", str(free_port()), "--admin-port", str(free_port()), "--no-network"]


def test_a_fresh_deployment_is_sound(tmp_path: Path) -> None:
    status, found = doctor(tmp_path, *fresh(tmp_path))
    assert status == 0, found
    assert {"routes", "lake", "journal", "salts", "cache", "clock", "pipeline"} <= set(found)
    assert not list(tmp_path.glob("*/*"))  # it left nothing behind


def test_a_running_gateway_has_its_own_ports(tmp_path: Path) -> None:
    with gateway(tmp_path) as running:
        running.ask("/tool/1.0/x")
        ports = ["--port", str(running.port), "--admin-port", str(running.admin_port)]
        status, found = doctor(tmp_path, *ports, "--no-network")
        assert status == 0, found
        assert "which runs" in found[f"port {running.port}"].text
        (tmp_path / "routes.toml").write_text("nonsense")
        status, found = doctor(tmp_path, *ports, "--no-network")
        assert status == 1
        assert found["routes"].level == "broken"


def test_everything_wrong_at_once(tmp_path: Path) -> None:
    arguments = fresh(tmp_path)
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
        arguments[1] = str(port)
        old = time.time() - 4000
        for name in ("lake/journal/a.sealed", "lake/raw/date=2026-11-20/a.parquet"):
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).touch()
            os.utime(tmp_path / name, (old, old))
        (tmp_path / "salts").mkdir(mode=0o755)
        (tmp_path / "cache").touch()  # a file where a folder should be
        status, found = doctor(
            tmp_path, *arguments, "--trusted-proxies", "0.0.0.0/0",
            "--api-port", str(free_port()), "--dashboard-port", str(free_port()),
        )  # fmt: skip
    assert status == 1
    broken = {subject for subject, one in found.items() if one.level == "broken"}
    assert broken >= {
        f"port {port}", "journal", "pipeline", "salts", "cache", "trusted proxies",
    }  # fmt: skip
    assert found["salts"].remedy == f"chmod 700 {tmp_path / 'salts'}"
    assert all(one.remedy for one in found.values() if one.level != "ok")
    assert len([subject for subject in broken if subject.startswith(("API", "dashboard"))]) == 2


@contextmanager
def tls_server(home: Path) -> Iterator[tuple[int, Path]]:
    """A server on loopback with a certificate for localhost, of its own making."""
    need("openssl")
    key, certificate = home / "key.pem", home / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
         "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server((HERE, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    try:
                        context.wrap_socket(client, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], certificate
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_domains_and_certificates(tmp_path: Path) -> None:
    arguments = fresh(tmp_path, LOCAL)[:-1]
    with tls_server(tmp_path) as (port, certificate):
        arguments += ["--tls-port", str(port)]
        status, found = doctor(tmp_path, *arguments, SSL_CERT_FILE=str(certificate))
        assert "this machine" in found["DNS of localhost"].text
        assert found["TLS of localhost"].text.startswith("its certificate holds for 8")
        assert found["DNS of nosuch.invalid"].level == "broken"
        assert status == 1
        _, found = doctor(tmp_path, *arguments)
        assert "is refused" in found["TLS of localhost"].text


def test_tls_where_none_is() -> None:
    context = ssl.create_default_context()
    nobody = domains.certificate("localhost", HERE, free_port(), context)
    assert nobody.level == "warning"
    with socket.create_server((HERE, 0)) as server:

        def speak() -> None:
            client, _ = server.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            client.close()

        thread = threading.Thread(target=speak)
        thread.start()
        plain = domains.certificate("localhost", HERE, server.getsockname()[1], context)
        thread.join()
    assert plain.level == "broken"


@pytest.mark.parametrize(
    ("days", "level"), [(60, "ok"), (13, "warning"), (-1, "warning")], ids=["long", "soon", "over"]
)
def test_the_end_of_a_certificate(days: int, level: str) -> None:
    assert domains.judge_end("x", NOW + dt.timedelta(days=days), NOW).level == level


@pytest.mark.parametrize(
    ("addresses", "level"),
    [
        ({}, "broken"),
        ({HERE: True}, "ok"),
        ({"203.0.113.1": False}, "ok"),
        ({HERE: True, "203.0.113.1": False}, "warning"),
    ],
    ids=["none", "ours", "a proxy's", "both"],
)
def test_where_a_domain_leads(addresses: dict[str, bool], level: str) -> None:
    assert domains.judge_addresses("get.acme.example", addresses).level == level


def test_addresses_of_this_machine() -> None:
    assert domains.is_ours(HERE)
    assert not domains.is_ours("203.0.113.1")


GIGABYTE = 1024**3


@pytest.mark.parametrize(
    ("room", "levels"),
    [
        (Room(50 * GIGABYTE, 100 * GIGABYTE, 10**6, 10**7), []),
        (Room(2 * GIGABYTE, 100 * GIGABYTE, 10**6, 10**7), ["warning"]),
        (Room(GIGABYTE // 10, 100 * GIGABYTE, 10**6, 10**7), ["broken"]),
        (Room(50 * GIGABYTE, 100 * GIGABYTE, 10**5, 10**7), ["warning"]),
        (Room(50 * GIGABYTE, 100 * GIGABYTE, 10, 10**7), ["broken"]),
        (Room(50 * GIGABYTE, 100 * GIGABYTE, 0, 0), []),
    ],
    ids=["plenty", "tight", "full", "few inodes", "no inodes", "inodes without limit"],
)
def test_room(room: Room, levels: list[str]) -> None:
    assert [one.level for one in folders.judge_room("lake", room)] == levels


def test_a_small_disk_is_noticed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "lake", "size=1m") as disk:
        assert "broken" in {one.level for one in folders.examine("lake", disk.path)}
        (tmp_path / "other").mkdir()
        (tmp_path / "journal").mkdir()
        assert [one.level for one in folders.one_file_system(tmp_path, ("lake", "journal"))] == [
            "broken"
        ]
        assert disk.remount("ro")
        (found,) = folders.examine("lake", disk.path)
        assert "cannot be written" in found.text


@pytest.mark.parametrize(
    ("host", "trusted", "level"),
    [
        (HERE, 0, "warning"),
        ("0.0.0.0", 0, "ok"),
        ("0.0.0.0", 1, "warning"),
        (HERE, 1, "ok"),
        ("::", ("10.0.0.0/8", "fd00::/16"), "ok"),
        ("::", ("::/0",), "broken"),
        ("gateway.internal", 1, "ok"),
    ],
)
def test_trusted_proxies(host: str, trusted: int | tuple[str, ...], level: str) -> None:
    assert examination.proxies(host, trusted).level == level


def test_old_missing_and_broken_ip_data(tmp_path: Path) -> None:
    shipped = IpData.open(ROOT / "data/ip")
    built = shipped.sources[0].built
    assert [one.level for one in examination.ip_data(shipped, built)] == ["ok"]
    later = built + dt.timedelta(days=121)
    assert [one.level for one in examination.ip_data(shipped, later)] == ["warning"]
    (tmp_path / "a.mmdb").write_bytes(b"nonsense")
    levels = [one.level for one in examination.ip_data(IpData.open(tmp_path), NOW)]
    assert levels == ["broken", "warning"]


def test_a_clock_of_long_ago() -> None:
    assert examination.clock(NOW).level == "ok"
    assert examination.clock(dt.datetime(1970, 1, 2, tzinfo=dt.UTC)).level == "broken"


@pytest.mark.parametrize(
    ("waiting", "broken"),
    [
        (Waiting((), (), None), set()),
        (Waiting((5.0,), (30.0,), NOW.date()), set()),
        (Waiting((500.0,), (), None), {"journal"}),
        (Waiting((), (700.0,), None), {"pipeline"}),
        (Waiting((), (-500.0,), None), {"clock"}),
    ],
    ids=["nothing", "young", "gateway", "pipeline", "future"],
)
def test_what_waits(waiting: Waiting, broken: set[str]) -> None:
    assert {one.subject for one in backlog.judge(waiting) if one.level != "ok"} == broken


def test_the_newest_curated_day_is_found(tmp_path: Path) -> None:
    for day in ("2026-11-20", "2026-11-22"):
        (tmp_path / f"events/date={day}").mkdir(parents=True)
    assert backlog.look(tmp_path, 0).newest_day == dt.date(2026, 11, 22)
