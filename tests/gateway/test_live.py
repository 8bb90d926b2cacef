"""Routes change while the gateway runs: no request is lost, and a bad file changes nothing."""

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from dashboard import gateway_status
from gateway.live import LiveRoutes
from tests.footfall import Footfall, gateway

IN_FORCE_SECONDS = 1.0
SWAPS = 8


def routes(generation: int) -> str:
    return f"""
        [[route]]
        type = "file"
        domain = "127.0.0.1"
        package = "tool"
        incoming-path = "/tool/{{version}}"
        outgoing-url = "https://files.example/{generation}/{{version}}"
    """


def replace(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


class Client(threading.Thread):
    """Asks steadily, on a new connection now and then so that both workers are met."""

    def __init__(self, footfall: Footfall) -> None:
        super().__init__(daemon=True)
        self.generations: Counter[str] = Counter()
        self.failures: list[str] = []
        self.newest: dict[int, str] = {}
        self._footfall = footfall
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            connection = http.client.HTTPConnection(
                self._footfall.host, self._footfall.port, timeout=30
            )
            try:
                for _ in range(5):
                    connection.request("GET", "/tool/1.0")
                    answer = connection.getresponse()
                    answer.read()
                    self._note(answer.status, answer.headers.get("location", ""))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            finally:
                connection.close()

    def finish(self) -> None:
        self._stop_asked.set()
        self.join(10)

    def _note(self, status: int, location: str) -> None:
        if status == 307:
            self.generations[location.split("/")[3]] += 1
        else:
            self.failures.append(f"{status}")


@contextmanager
def asking(footfall: Footfall, clients: int = 2) -> Iterator[list[Client]]:
    running = [Client(footfall) for _ in range(clients)]
    for client in running:
        client.start()
    try:
        yield running
    finally:
        for client in running:
            client.finish()


def generation_of(footfall: Footfall) -> str:
    connection = http.client.HTTPConnection(footfall.host, footfall.port, timeout=30)
    with closing(connection):
        connection.request("GET", "/tool/1.0")
        with connection.getresponse() as answer:
            location: str = answer.headers["location"]
    return location.split("/")[3]


def wait_for(holds: Callable[[], bool], seconds: float = 20) -> float:
    """How long it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < seconds
        time.sleep(0.02)
    return time.monotonic() - begun


def worker_of(footfall: Footfall) -> int:
    """The process that answers, by its command line; 0 while there is none."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if b"gateway.worker" in command and str(footfall.lake).encode() in command:
                return int(process.name)
    return 0


def test_many_swaps_under_steady_requests_lose_none(tmp_path: Path) -> None:
    with gateway(tmp_path, routes(0), "--workers", "2") as footfall, asking(footfall) as clients:
        file = tmp_path / "routes.toml"
        for generation in range(1, SWAPS + 1):
            replace(file, routes(generation))
            time.sleep(IN_FORCE_SECONDS)
            # With the routes in force in both workers, no connection meets the old ones.
            met = {generation_of(footfall) for _ in range(10)}
            assert met == {str(generation)}
    for client in clients:
        assert client.failures == []
    total = sum((client.generations for client in clients), Counter[str]())
    assert set(total) >= {str(generation) for generation in range(1, SWAPS + 1)}


def test_a_bad_file_is_refused_everywhere_and_the_last_good_one_stays(tmp_path: Path) -> None:
    def readyz() -> dict[str, dict[str, object]]:
        connection = http.client.HTTPConnection(footfall.host, footfall.admin_port, timeout=30)
        with closing(connection):
            connection.request("GET", "/readyz")
            with connection.getresponse() as answer:
                told: dict[str, dict[str, object]] = json.loads(answer.read())["checks"]
        return told

    with gateway(tmp_path, routes(0)) as footfall:
        wait_for(lambda: bool(gateway_status.read(footfall.lake)))
        assert gateway_status.read(footfall.lake)[0].refused == ()
        file = tmp_path / "routes.toml"
        replace(file, routes(1).replace("outgoing-url", "outgoing-ulr"))
        wait_for(lambda: not readyz()["routes"]["ok"])
        wait_for(lambda: bool(gateway_status.read(footfall.lake)[0].refused))
        (status,) = gateway_status.read(footfall.lake)
        reason = "outgoing-ulr: is no key here; did you mean 'outgoing-url'?"
        assert reason in str(readyz()["routes"]["detail"])
        assert any(reason in line for line in status.refused)
        assert reason in footfall.log.read_text()
        assert generation_of(footfall) == "0"
        # A worker that comes back meanwhile serves what the others serve.
        killed = worker_of(footfall)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: worker_of(footfall) not in {0, killed})
        assert generation_of(footfall) == "0"
        replace(file, routes(2))
        wait_for(lambda: generation_of(footfall) == "2")
        wait_for(lambda: gateway_status.read(footfall.lake)[0].refused == ())
        assert readyz()["routes"]["ok"]
    assert gateway_status.read(footfall.lake) == [], "a gateway that stopped has nothing to say"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "has no route at all", id="empty"),
        pytest.param("x = " + "[" * 5000, "is no TOML", id="deep"),
        pytest.param("[[route]]", "type: is missing", id="broken"),
    ],
)
def test_what_is_no_routes_file_changes_nothing(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(routes(0))
    live = LiveRoutes(file)
    before = live.table
    replace(file, text)
    os.utime(file, (1, 1))
    live.refresh()
    assert live.table is before
    assert reason in live.refused
    file.unlink()
    live.refresh()
    assert live.table is before
    assert "cannot be read" in live.refused


def test_a_file_that_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(routes(0))
    os.utime(file, (1, 1))
    live = LiveRoutes(file)
    before = live.table
    file.write_text(routes(1))
    live.refresh()
    assert live.table is before
    assert not live.refused
    time.sleep(0.12)
    live.refresh()
    assert live.table is not before
