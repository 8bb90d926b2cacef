"""Overload: who is turned away, by whom, and until when."""

import asyncio
import socket
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
import uvloop

from gateway.overload import BODIES, LATE_SECONDS, SHARE, WINDOW, Overload
from tests.gateway.running import HERE, ROUTES, gateway, wait_for

BEAT = 0.1
TELEMETRY = """
[[route]]
type = "telemetry"
domain = "get.acme.example"
package = "tool"
path = "/telemetry"
"""


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def beat(overload: Overload, clock: Clock, after: float = BEAT) -> None:
    clock.now += after
    overload.beat()


def test_a_worker_that_keeps_time_takes_bodies(clock: Clock) -> None:
    overload = Overload(BEAT, clock=clock)
    for after in (0.0, BEAT, BEAT + LATE_SECONDS / 2):
        beat(overload, clock, after)
        assert overload.takes_bodies


def test_a_late_beat_turns_away_until_one_is_in_time(clock: Clock) -> None:
    overload = Overload(BEAT, clock=clock)
    beat(overload, clock)
    beat(overload, clock, BEAT + 2 * LATE_SECONDS)
    assert not overload.takes_bodies
    beat(overload, clock)
    assert overload.takes_bodies


def test_bodies_in_hand_are_limited(clock: Clock) -> None:
    overload = Overload(BEAT, bodies=2, clock=clock)
    with overload.body():
        assert overload.takes_bodies
        with overload.body():
            assert not overload.takes_bodies
        assert overload.takes_bodies


def test_work_on_bodies_takes_no_more_than_its_share(clock: Clock) -> None:
    overload = Overload(BEAT, clock=clock)
    worked, start = 0.0, clock.now
    while clock.now < start + 20 * WINDOW:
        if overload.takes_bodies:
            with overload.work():
                clock.now += 0.01
            worked += 0.01
        else:
            clock.now += 0.01
    assert SHARE < worked / (20 * WINDOW) < 1.1 * SHARE


def test_a_burst_that_is_short_is_taken_whole(clock: Clock) -> None:
    overload = Overload(BEAT, clock=clock)
    for _ in range(9):
        assert overload.takes_bodies
        with overload.work():
            clock.now += SHARE * WINDOW / 10


def test_one_long_answer_is_forgiven_soon(clock: Clock) -> None:
    overload = Overload(BEAT, clock=clock)
    with overload.work():
        clock.now += 3600
    beats = 0
    while not overload.takes_bodies:
        beat(overload, clock)
        beats += 1
    assert 0 < beats <= WINDOW / BEAT + 1


async def turns(overload: Overload) -> list[str]:
    """What happens while three bodies are here and the event loop comes round."""
    happened: list[str] = []

    async def body(number: int) -> None:
        await overload.turn()
        happened.append(f"body {number}")

    bodies = [asyncio.create_task(body(number)) for number in range(3)]
    while not all(task.done() for task in bodies):
        await asyncio.sleep(0)
        happened.append("else")
    return happened


def test_the_event_loop_comes_round_between_two_bodies() -> None:
    happened = uvloop.run(turns(Overload(BEAT)))
    places = [happened.index(f"body {number}") for number in range(3)]
    assert places == sorted(places)
    assert all("else" in happened[a:b] for a, b in pairwise(places))


def test_a_body_whose_connection_is_lost_keeps_none_waiting() -> None:
    async def lost() -> list[str]:
        overload = Overload(BEAT)
        await overload.turn()
        waiting = asyncio.create_task(overload.turn())
        await asyncio.sleep(0)
        waiting.cancel()
        return await asyncio.wait_for(turns(overload), 10)

    assert "body 2" in uvloop.run(lost())


def to_its_end(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as reader:
        return reader.read()


def test_telemetry_is_turned_away_first_and_redirects_never(tmp_path: Path) -> None:
    post = (
        b"POST /telemetry HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 8\r\n"
        b"Connection: close\r\n\r\n{"
    )
    rest = b'"a": 1}'
    with gateway(tmp_path, routes=ROUTES + TELEMETRY) as served, ExitStack() as held:
        assert served.raw_request(post + rest).startswith(b"HTTP/1.1 200 ")
        started = [
            held.enter_context(socket.create_connection((HERE, served.port), timeout=10))
            for _ in range(BODIES)
        ]
        for one in started:
            one.sendall(post)
        # One more than there is room for is answered before its body is whole.
        wait_for(lambda: served.raw_request(post + rest).startswith(b"HTTP/1.1 503 "))
        answer = served.raw_request(post + rest).lower()
        assert b"\r\nretry-after: 5\r\n" in answer
        before = time.monotonic()
        assert served.ask("/tool/1.0/x")[0] == 307
        assert time.monotonic() - before < 5
        for one in started:
            one.sendall(rest)
        answers = Counter(to_its_end(one).split(maxsplit=2)[1] for one in started)
        # Some were turned away at once if the machine was late just then.
        assert answers.keys() <= {b"200", b"503"}
        assert answers[b"200"] > 0
        wait_for(lambda: served.raw_request(post + rest).startswith(b"HTTP/1.1 200 "))
        assert "footfall_requests_shed_total 0\n" not in served.admin("/metrics")[1]
