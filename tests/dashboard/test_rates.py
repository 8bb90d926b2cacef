"""What one client of the API may ask, as a rule and over real HTTP."""

import datetime as dt
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rates import EXPORTS, Rates, TooManyExportsError
from dashboard.tokens import create
from tests.dashboard.conftest import TODAY, event, write_lake
from tests.dashboard.large import repeat
from tests.dashboard.test_api import EVENTS_OF_ALL, EVER, eventually, served


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_empties_and_fills_again() -> None:
    clock = Clock()
    rates = Rates(60, clock=clock)
    assert [rates.take("a") for _ in range(61)] == [*[0] * 60, 1]
    assert rates.take("b") == 0
    clock.now += 1
    assert [rates.take("a"), rates.take("a")] == [0, 1]
    clock.now += 3600
    assert [rates.take("a") for _ in range(61)] == [*[0] * 60, 1]


@given(
    rate=st.integers(1, 50),
    waits=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200),
)
def test_never_more_than_a_bucket_and_the_pace(rate: int, waits: list[float]) -> None:
    clock = Clock()
    rates = Rates(rate, clock=clock)
    began, taken = clock.now, 0
    for wait in waits:
        clock.now += wait
        seconds = rates.take("a")
        taken += seconds == 0
        assert taken <= rate + (clock.now - began) * rate / 60 + 1e-6
        if seconds:
            clock.now += seconds
            assert rates.take("a") == 0, "Retry-After keeps its word"
            taken += 1


def test_memory_is_bounded_and_zero_is_no_limit() -> None:
    rates = Rates(1, clients=10, clock=Clock())
    for number in range(1000):
        assert rates.take(str(number)) == 0
    assert len(rates._buckets) == 10  # noqa: SLF001  what is bounded is inside
    free = Rates(0)
    assert {free.take("a") for _ in range(1000)} == {0}


def test_an_address_is_not_kept_as_it_is() -> None:
    rates = Rates(1)
    name = rates.client(None, "192.0.2.77")
    assert "192" not in name
    assert name == rates.client(None, "192.0.2.77") != rates.client(None, "192.0.2.78")
    assert name != Rates(1).client(None, "192.0.2.77")
    assert rates.client("ci", "192.0.2.77") == rates.client("ci", "192.0.2.78")


def test_a_place_is_given_back() -> None:
    rates = Rates(1)
    with ExitStack() as held:
        for _ in range(EXPORTS):
            held.enter_context(rates.export("a"))
        with pytest.raises(TooManyExportsError), rates.export("a"):
            pass
        with rates.export("b"):
            pass
    with rates.export("a"):
        pass


def test_requests_a_minute_over_http(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", [event(TODAY)])
    with served(lake, tmp_path, "--rate", "5") as api:
        statuses = [api.ask("/v2/packages/acme").status for _ in range(6)]
        assert statuses == [*[200] * 5, 429]
        refused = api.ask("/v2/packages/acme")
        assert 1 <= int(refused.headers["retry-after"]) <= 12
        assert refused.json["code"] == "too-many-requests"
        assert api.ask("/healthz").status == 200
        other = create(api.tokens, "other", dt.datetime.now(dt.UTC).date())
        assert api.ask("/v2/packages/acme", Authorization=f"Bearer {other}").status == 200
        wrong = [api.ask("/v2/packages/acme", Authorization="Bearer no").status for _ in range(6)]
        assert wrong == [*[401] * 5, 429], "guesses are limited by address"
    assert "127.0.0.1" not in api.log.read_text().replace(f"http://127.0.0.1:{api.port}", "")


def test_exports_at_once_over_http(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", [event(TODAY, artifact="x" * 200)])
    repeat(lake, TODAY, 500_000)
    target = f"{EVENTS_OF_ALL}?{EVER}"
    with served(lake, tmp_path) as api, ExitStack() as held:
        for _ in range(EXPORTS):
            connection = held.enter_context(api.open(target))
            connection.recv(1)
        refused = api.ask(target)
        assert (refused.status, refused.headers["retry-after"]) == (429, "5")
        assert api.ask("/v2/packages/acme").status == 200
        held.close()
        small = f"{EVENTS_OF_ALL}?start_date=2020-01-01&end_date=2020-01-01"
        assert eventually(lambda: api.ask(small).status == 200)


def test_a_body_and_long_headers_are_refused(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", [event(TODAY)])
    with served(lake, tmp_path) as api:
        assert api.ask("/v2/packages/acme", X_Long="x" * 9000).status == 413
        assert api.ask("/v2/packages/acme", X_Long="x" * 7000).status == 200
        post = b"POST /v2/packages/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
        with api.open("/healthz") as connection:
            connection.sendall(post + b"x" * 10_000)
            received = b""
            while b"413" not in received and (more := connection.recv(4096)):
                received += more
            assert b" 413 " in received
        assert api.ask("/v2/packages/acme").status == 200
