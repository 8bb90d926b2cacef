"""A process that hangs is killed and started again, and sleep is no hanging."""

import http.client
import os
import signal
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from gateway.heartbeats import LOOKS, LOOKS_AT_START, Heartbeats, Silence
from tests.gateway.running import HERE, gateway, wait_for

HUNG_SECONDS = 6.0


def looks(silence: Silence, beats: int, times: list[float]) -> list[bool]:
    return [silence.look(beats, now) for now in times]


def begun() -> Silence:
    silence = Silence(30, 0, 0.0)
    silence.look(1, 0.0)
    return silence


def test_a_process_that_was_silent_for_so_many_looks_hangs() -> None:
    assert looks(begun(), 1, [5.0 * n for n in range(1, LOOKS + 1)]) == [False] * 5 + [True]


def test_a_beat_ends_the_silence() -> None:
    silence = begun()
    looks(silence, 1, [5.0, 10.0, 15.0, 20.0, 25.0])
    assert not silence.look(2, 30.0)
    assert not silence.look(2, 35.0)


def test_looks_that_come_early_do_not_count() -> None:
    assert not any(looks(begun(), 1, [n / 10 for n in range(1, 100)]))


def test_a_look_after_long_sleep_counts_once() -> None:
    assert not any(looks(begun(), 1, [5.0, 10.0, 15.0, 86_400.0]))


def test_a_process_that_still_starts_may_take_longer() -> None:
    silence = Silence(30, 7, 0.0)
    judged = looks(silence, 7, [5.0 * n for n in range(1, LOOKS_AT_START + 1)])
    assert judged == [False] * (LOOKS_AT_START - 1) + [True]
    assert silence.seconds == 300


def test_each_process_beats_and_ends_by_itself() -> None:
    beats = Heartbeats.create(3)
    beats.ended(1, "hung")
    assert [beats.ends(slot, "hung") for slot in range(3)] == [0, 1, 0]
    assert [beats.ends(slot, "died") for slot in range(3)] == [0, 0, 0]
    assert [beats.beats(slot) for slot in range(3)] == [0, 0, 0]


def test_a_stopped_worker_gives_way_to_a_new_one_and_a_stopped_group_goes_on(
    tmp_path: Path,
) -> None:
    words = ("--workers", "2", "--hung-seconds", str(HUNG_SECONDS))
    with gateway(tmp_path, *words) as served, ExitStack() as kept_open:

        def both_have_begun() -> bool:
            # Each holds connections that it has accepted.
            connection = socket.create_connection((HERE, served.port))
            kept_open.callback(connection.close)
            lines = served.admin("/metrics")[1].splitlines()
            held = [line for line in lines if line.startswith("footfall_connections{")]
            return len([line for line in held if float(line.split()[-1]) > 0]) == 2

        wait_for(both_have_begun, 60)
        group = [served.program.pid, *served.children("worker"), *served.children("keeper")]
        assert len(group) == 4
        for pid in group:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(HUNG_SECONDS + 2)
        for pid in group:
            os.kill(pid, signal.SIGCONT)
        for _ in range(20):
            assert served.ask("/tool/1/x")[0] == 307
        assert sorted(group[1:3]) == sorted(served.children("worker"))

        # Connections stay with the worker that has accepted them.
        kept = [http.client.HTTPConnection(HERE, served.port, timeout=30) for _ in range(8)]
        for connection in kept:
            connection.request("GET", "/tool/2/x", headers={"Host": "get.acme.example"})
            assert connection.getresponse().read() == b""
            kept_open.callback(connection.close)
        stopped = group[1]
        os.kill(stopped, signal.SIGSTOP)
        for _ in range(20):
            assert served.ask("/tool/3/x")[0] == 307
        wait_for(lambda: stopped not in served.children("worker"), 30)
        wait_for(lambda: len(served.children("worker")) == 2, 30)
        for connection in kept:  # none waits for ever
            with suppress(ConnectionError):
                connection.request("GET", "/tool/4/x", headers={"Host": "get.acme.example"})
                connection.getresponse().read()
        restarted = 'footfall_processes_restarted_total{process="worker '
        lines = [line for line in served.admin("/metrics")[1].splitlines() if restarted in line]
        assert sorted(float(line.split()[-1]) for line in lines) == [0, 0, 0, 1]
        assert '"hung"} 1' in "".join(lines)
        assert served.log.count("has given no sign of life for 6 s and is killed") == 1
