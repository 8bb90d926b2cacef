"""Telemetry has a limit for each client; downloads have none."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rates import COLUMNS, Rates, shared
from tests.gateway.running import ROUTES, Running, gateway, wait_for
from tests.gateway.test_overload import TELEMETRY, Clock

FIRST, SECOND = "198.51.100.7", "198.51.100.8"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_bucket_empties_and_fills_again(clock: Clock) -> None:
    rates = Rates(60, clock=clock)
    assert [rates.take(FIRST) for _ in range(61)] == [*[0] * 60, 1]
    assert rates.take(SECOND) == 0
    clock.now += 1
    assert [rates.take(FIRST), rates.take(FIRST)] == [0, 1]
    clock.now += 3600
    assert [rates.take(FIRST) for _ in range(61)] == [*[0] * 60, 1]


@given(rate=st.integers(1, 50), waits=st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_never_more_than_a_bucket_and_the_pace(rate: int, waits: list[float]) -> None:
    clock = Clock()
    rates = Rates(rate, clock=clock)
    began, taken = clock.now, 0
    for wait in waits:
        clock.now += wait
        seconds = rates.take(FIRST)
        taken += seconds == 0
        assert taken <= rate + (clock.now - began) * rate / 60 + 1e-6
        if seconds:
            clock.now += seconds
            assert rates.take(FIRST) == 0, "Retry-After keeps its word"
            taken += 1


def test_a_network_of_ipv6_is_one_client(clock: Clock) -> None:
    rates = Rates(1, clock=clock)
    assert rates.take("2001:db8:0:1::1") == 0
    assert rates.take("2001:db8:0:1:ffff::2") > 0
    assert rates.take("2001:db8:0:2::1") == 0


def test_who_is_not_limited(clock: Clock) -> None:
    rates = Rates(1, clock=clock)
    assert [rates.take(address) for address in ["127.0.0.1", "::1", ""] * 3] == [0] * 9
    assert [Rates(0, clock=clock).take(FIRST) for _ in range(3)] == [0] * 3


def test_workers_share_the_buckets(clock: Clock) -> None:
    fd = shared()
    first, second = Rates(4, fd, clock=clock), Rates(4, fd, clock=clock)
    alone = Rates(4, clock=clock)
    os.close(fd)
    taken = [rates.take(FIRST) for rates in (first, second) * 3]
    assert taken == [0, 0, 0, 0, 15, 15]
    assert alone.take(FIRST) == second.take(SECOND) == 0
    clock.now += 15
    assert [first.take(FIRST), second.take(FIRST)] == [0, 15]


def test_memory_is_bounded_and_holds_no_address(clock: Clock) -> None:
    rates = Rates(1, rows=2, clock=clock)
    for number in range(1000):
        assert rates.take(f"10.0.{number // 250}.{number % 250}") == 0
    kept = rates._clients  # noqa: SLF001  what is kept is inside
    assert len(kept) == 2 * COLUMNS
    assert all(client > 2**32 for client in kept), "a hash, and none is an address"
    again = Rates(1, rows=2, clock=clock)
    again.take("10.0.3.249")
    assert not set(again._clients.tolist()) & set(kept.tolist()) - {0}, "under another key"  # noqa: SLF001


def test_who_has_asked_most_is_forgotten_last(clock: Clock) -> None:
    rates = Rates(10, rows=1, clock=clock)
    assert [rates.take(FIRST) for _ in range(11)] == [*[0] * 10, 6]
    for number in range(100):
        assert rates.take(f"10.0.0.{number}") == 0
    assert rates.take(FIRST) > 0


def test_who_is_quiet_for_a_minute_is_forgotten(clock: Clock) -> None:
    rates = Rates(2, rows=100, clock=clock)
    for number in range(200):
        rates.take(f"10.0.0.{number}")
    clock.now += 40
    assert rates.take(FIRST) == rates.take(FIRST) == 0
    for _ in range(2):
        rates.forget()
    assert sum(map(bool, rates._clients)) == 1  # noqa: SLF001
    assert rates.take(FIRST) > 0
    clock.now += 60
    for _ in range(2):
        rates.forget()
    assert not any(rates._clients)  # noqa: SLF001
    assert not any(rates._full_at)  # noqa: SLF001


def post(served: Running, address: str) -> bytes:
    return served.raw_request(
        b"POST /telemetry HTTP/1.1\r\nHost: get.acme.example\r\nContent-Length: 8\r\n"
        b"X-Forwarded-For: " + address.encode() + b'\r\nConnection: close\r\n\r\n{"a": 1}'
    ).lower()


@contextmanager
def asleep(worker: int) -> Iterator[None]:
    """Let the other worker answer everything."""
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def test_telemetry_over_http(tmp_path: Path) -> None:
    settings = ("--trusted-proxies", "1", "--telemetry-rate", "5", "--workers", "2")
    with gateway(tmp_path, *settings, routes=ROUTES + TELEMETRY) as served:
        wait_for(lambda: len(served.children("worker")) == 2)
        first, second = served.children("worker")
        with asleep(second):
            answers = [post(served, FIRST) for _ in range(7)]
            assert [answer[9:12] for answer in answers] == [*[b"200"] * 5, *[b"429"] * 2]
            assert b"\r\nretry-after: " in answers[-1]
        with asleep(first):
            assert post(served, FIRST)[9:12] == b"429"
            assert post(served, SECOND)[9:12] == b"200"
        download = (
            b"GET /tool/1.0/x HTTP/1.1\r\nHost: get.acme.example\r\nConnection: close\r\n"
            b"X-Forwarded-For: " + FIRST.encode() + b"\r\n\r\n"
        )
        assert {served.raw_request(download)[9:12] for _ in range(20)} == {b"307"}
        metrics = served.admin("/metrics")[1]
        assert 'footfall_events_total{fate="journaled"} 26\n' in metrics
        assert "footfall_requests_throttled_total 3\n" in metrics
    assert FIRST not in (tmp_path / "log").read_text()
