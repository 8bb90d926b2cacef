"""Many connections: the idlest make room, so that a client that asks is answered."""

import logging
import os
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.counters import Counters
from gateway.room import MOST, POOL_MOST, Room, most_of, pool_of, raise_limit
from tests.gateway.running import ROUTES, gateway, wait_for
from tests.gateway.served import HERE, Client, Served, serving

MOST_HERE = 20
IDLE_SECONDS = 1.5
ASK = b"GET /tool/1.0/x HTTP/1.1\r\nHost: get.acme.example\r\n\r\n"


class Connection:
    def __init__(self, since: float, *, at_work: bool = False) -> None:
        self._waiting = at_work, since
        self.is_closed = False

    def waiting(self) -> tuple[bool, float]:
        return self._waiting

    def give_way(self) -> None:
        self.is_closed = True


def test_the_idlest_goes_first_and_who_waits_for_an_answer_last() -> None:
    at_work, old, new = Connection(1, at_work=True), Connection(2), Connection(3)
    connections = [new, at_work, old]
    room = Room(Counters.create(1), most=2)
    for goes in (old, new, at_work):
        assert room.make(connections) == [goes]
        assert goes.is_closed
        connections.remove(goes)


def test_of_many_some_go_at_once_because_looking_costs(caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters.create(1)
    room = Room(counters, most=320)
    with caplog.at_level(logging.WARNING):
        gone = room.make([Connection(since) for since in range(321)])
        room.make([Connection(since) for since in range(321)])
    assert [connection.waiting()[1] for connection in gone] == list(range(10))
    assert counters.closed() == 20
    assert len(caplog.messages) == 1
    assert "a worker holds 320" in caplog.text


@pytest.mark.parametrize(
    ("descriptors", "most", "pool"),
    [(1024, 768, 102), (20_000, 15_000, 2000), (1_048_576, MOST, POOL_MOST), (1, 1, 1)],
    ids=["small", "usual", "more than memory is for", "none"],
)
def test_clients_and_upstreams_have_shares_of_the_descriptors(
    descriptors: int, most: int, pool: int
) -> None:
    assert most_of(descriptors) == most
    assert pool_of(descriptors) == pool


def test_the_limit_of_descriptors_is_raised_to_the_hard_one() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] - 1, before[1]))
    try:
        assert raise_limit() == before[1]
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "home", ROUTES, request_seconds=IDLE_SECONDS)
    served.app.room = Room(served.counters, most=MOST_HERE)
    with serving(served):
        yield served


def one(served: Served) -> bytes:
    client = Client(served)
    answer, _ = client.ask(ASK)
    client.close()
    return answer


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_a_client_that_asks_is_answered_among_more_that_do_not(served: Served) -> None:
    used = Client(served)
    with ExitStack() as held:
        for _ in range(3 * MOST_HERE):
            held.enter_context(served.connect())
            assert used.ask(ASK)[0].startswith(b"HTTP/1.1 307 ")
        assert one(served).startswith(b"HTTP/1.1 307 ")
        assert served.counters.closed() >= 2 * MOST_HERE
        assert served.counters.connections() <= [MOST_HERE]
    used.close()
    wait_for(lambda: served.counters.connections() == [0])


def test_a_request_that_stopped_half_way_makes_room(served: Served) -> None:
    with served.connect() as half, ExitStack() as held:
        start = time.monotonic()
        half.sendall(ASK[:20])
        used = Client(served)
        for _ in range(MOST_HERE):
            held.enter_context(served.connect())
            used.ask(ASK)
        assert half.recv(1) == b""
        assert time.monotonic() - start < IDLE_SECONDS  # not because it took too long
        used.close()


def test_who_never_asks_is_closed_sooner_than_who_has_asked(served: Served) -> None:
    with served.connect() as asked, served.connect() as silent:
        asked.sendall(ASK)
        assert asked.recv(4096).startswith(b"HTTP/1.1 307 ")
        assert silent.recv(1) == b""
        assert is_open(asked)


def test_a_client_that_leaves_half_way_is_no_error(served: Served) -> None:
    with served.connect() as half:
        half.sendall(ASK[:20])
        one(served)
    wait_for(lambda: served.counters.connections() == [0])
    one(served)
    assert [status for _, status, _ in served.counters.requests()] == [307]


def limits(pid: int) -> tuple[int, int]:
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)


def test_slow_clients_cannot_take_the_last_descriptor(tmp_path: Path) -> None:
    with gateway(tmp_path) as running, ExitStack() as held:
        (first,) = running.children("worker")
        assert limits(first)[0] == limits(first)[1]
        # Another worker, with few descriptors.
        resource.prlimit(running.program.pid, resource.RLIMIT_NOFILE, (200, 200))
        os.kill(first, 9)
        wait_for(lambda: running.children("worker") not in ([first], []), 60)
        (worker,) = running.children("worker")
        running.ask("/tool/1.0/x")
        assert limits(worker) == (200, 200)
        for _ in range(400):
            held.enter_context(socket.create_connection((HERE, running.port), timeout=10))
        asked = [running.ask(f"/tool/1.{n}/x")[0] for n in range(20)]
        assert asked == [307] * 20
        assert len(list(Path(f"/proc/{worker}/fd").iterdir())) < 200
        metrics = running.admin("/metrics")[1]
        closed = re.search(r"^footfall_connections_closed_total (\d+)$", metrics, re.MULTILINE)
        assert closed
        assert int(closed[1]) >= 250
        assert 'footfall_connections{worker="0"}' in metrics
        assert 'fate="descriptors"} 0' in metrics
