"""Conditional targets through the real server: place, lot, DNT, and the quick way beside them."""

import http.client
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.footfall import Footfall, curate, gateway, rows

ROUTES = """
[[route]]
type = "file"
domain = "127.0.0.1"
package = "placed"
incoming-path = "/placed/{file}"
outgoing-url = "https://own.example/{file}"

[[route.target]]
url = "https://america.example/{file}"
when = { continent = "NA" }

[[route]]
type = "file"
domain = "127.0.0.1"
package = "drawn"
incoming-path = "/drawn"
outgoing-url = "https://own.example/drawn"

[[route.target]]
url = "https://new.example/drawn"
when = { share = 50 }
name = "new"

[[route]]
type = "file"
domain = "127.0.0.1"
package = "plain"
incoming-path = "/plain"
outgoing-url = "https://own.example/plain"
"""
AMERICAN, GERMAN = "8.8.8.8", "193.99.144.80"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Footfall]:
    home = tmp_path_factory.mktemp("surroundings")
    with gateway(home, ROUTES, "--trusted-proxies", "1", "--workers", "2") as footfall:
        yield footfall


def host(footfall: Footfall, path: str, **headers: str) -> str:
    """The host that a request is sent on to, on a connection of its own."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection(footfall.host, footfall.port, timeout=30)) as client:
        client.request("GET", path, headers=named)
        with client.getresponse() as answer:
            assert answer.status == 307
            return str(answer.headers["location"]).split("/")[2].removesuffix(".example")


def test_the_place_of_the_visitor_decides(served: Footfall) -> None:
    for _ in range(3):  # in turn, so that nothing is remembered of one for the other
        assert host(served, "/placed/a", X_Forwarded_For=AMERICAN) == "america"
        assert host(served, "/placed/a", X_Forwarded_For=GERMAN) == "own"
        assert host(served, "/plain", X_Forwarded_For=AMERICAN) == "own"


@pytest.mark.parametrize("wish", [{"DNT": "1"}, {"Sec_GPC": "1"}])
def test_who_asks_not_to_be_recorded_is_not_looked_up(
    served: Footfall, wish: dict[str, str]
) -> None:
    assert host(served, "/placed/a", X_Forwarded_For=AMERICAN, **wish) == "own"
    drawn = {host(served, "/drawn", User_Agent=f"x/{number}", **wish) for number in range(12)}
    assert drawn == {"own"}


def test_a_visitor_keeps_its_lot_with_every_worker(served: Footfall) -> None:
    lots = {
        number: {host(served, "/drawn", User_Agent=f"tool/{number}") for _ in range(4)}
        for number in range(24)
    }
    assert all(len(met) == 1 for met in lots.values())
    # That all of 24 draw the same half happens once in eight million days.
    assert set.union(*lots.values()) == {"own", "new"}


def test_the_event_says_the_target_and_nothing_of_the_lot(served: Footfall) -> None:
    agents = [f"told/{number}" for number in range(24)]
    met = [host(served, "/drawn?run=told", User_Agent=agent) for agent in agents]
    deadline = time.monotonic() + 20
    told: dict[str, int] = {}
    while sum(told.values()) < len(agents) and time.monotonic() < deadline:
        time.sleep(0.5)
        curate(served.lake)
        if not any(served.lake.glob("events/*/data.parquet")):
            continue  # the journal is shipped within a second
        found = rows(
            served.lake,
            "SELECT variables, count(*) AS n FROM lake WHERE variables LIKE '%told%' GROUP BY ALL",
        )
        told = {row["variables"]: row["n"] for row in found}
    assert told == {
        '{"run":"told","target":"new"}': met.count("new"),
        '{"run":"told"}': met.count("own"),
    }
