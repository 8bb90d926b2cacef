"""What is recorded of a request, and of whom: on a real socket, into a real journal."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.served import HERE, Client, Served, serving

ROUTES = """
[[route]]
type = "file"
domain = "get.acme.example"
package = "tool"
incoming-path = "/tool/{version}/{file}"
outgoing-url = "https://files.acme.example/{version}/{file}"
"""
CLIENT = "127.77.88.99"


@pytest.fixture(params=[True, False], ids=["quick", "ordinary"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def ask(
    served: Served, version: str, *headers: str, source: str = HERE, host: str = "get.acme.example"
) -> bytes:
    lines = [f"GET /tool/{version}/x HTTP/1.1", f"Host: {host}", *headers, "", ""]
    client = Client(served, source)
    answer, _ = client.ask("\r\n".join(lines).encode())
    client.close()
    return answer[9:12]


@pytest.mark.parametrize("header", ["DNT: 1", "Sec-GPC: 1"])
def test_who_asks_not_to_be_recorded_is_served_and_not_recorded(
    tmp_path: Path, header: str, *, fast: bool
) -> None:
    served = Served(tmp_path / "home", ROUTES, fast=fast)
    with serving(served):
        for _ in range(3):
            assert ask(served, "1.2", header) == b"307"
    assert served.counters.fates()["unrecorded"] == 3
    assert not (tmp_path / "home/journal").exists()
    assert not (tmp_path / "salts").exists()


def test_a_salt_folder_that_cannot_be_made_still_records(tmp_path: Path, *, fast: bool) -> None:
    (tmp_path / "salts").write_text("a file where the folder should be")
    served = Served(tmp_path / "home", ROUTES, fast=fast)
    with serving(served):
        assert ask(served, "1.1") == b"307"
        assert len(served.events()) == 1


def test_a_journal_that_cannot_be_made_still_redirects_and_counts_what_is_lost(
    tmp_path: Path, *, fast: bool
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/journal").write_text("a file where the folder should be")
    served = Served(tmp_path / "home", ROUTES, fast=fast)
    with serving(served):
        for _ in range(3):
            assert ask(served, "1.1") == b"307"
        assert served.counters.fates()["disk"] == 3
        (tmp_path / "home/journal").unlink()
        assert ask(served, "1.1") == b"307"
        assert len(served.events()) == served.counters.fates()["journaled"] == 1


def test_a_trusted_proxy_is_believed_and_nobody_else(tmp_path: Path, *, fast: bool) -> None:
    served = Served(tmp_path / "home", ROUTES, (f"{HERE}/32",), fast=fast)
    chain, host = "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Host: get.acme.example"
    with serving(served):
        assert ask(served, "1.1", chain, host, host="inner.example") == b"307"
        assert ask(served, "1.2", chain) == b"307"
        assert ask(served, "1.3", chain, host, host="inner.example", source=CLIENT) == b"404"
        assert ask(served, "1.4", chain, host, source=CLIENT) == b"307"
        assert ask(served, "1.5", source=CLIENT) == b"307"
        ids = {event["version"]: event["endpoint_id"] for event in served.events()}
    assert ids["1.1"] == ids["1.2"] != ids["1.4"] == ids["1.5"]


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "home", ROUTES)
    with serving(served):
        yield served


def test_no_answer_is_sent_before_its_event_is_written(busy: Served) -> None:
    """Many connections at once, so that the answers of one turn share one write."""
    connections = [busy.connect() for _ in range(50)]
    request = b"GET /tool/%d/x HTTP/1.1\r\nHost: get.acme.example\r\n\r\n"
    answered = written = 0
    for turn in range(10):
        for connection in connections:
            connection.sendall(request % turn)
        for connection in connections:
            assert connection.recv(4096).startswith(b"HTTP/1.1 307 ")
            answered += 1
            written += len(busy.events())
            assert written >= answered
    assert written == answered
    for connection in connections:
        connection.close()


def test_stopping_sends_what_is_owed_and_closes_idle_connections_at_once(tmp_path: Path) -> None:
    served = Served(tmp_path / "home", ROUTES)
    with serving(served):
        idle = served.connect()
        assert ask(served, "1.1") == b"307"
        start = time.monotonic()
    assert time.monotonic() - start < 1
    assert idle.recv(10) == b""
    idle.close()
