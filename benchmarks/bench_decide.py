"""What a decision costs with ten routes and with ten thousand."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from gateway import table
from gateway.decide import decide
from gateway.decision import Redirect
from gateway.request import Request
from gateway.routes import FileRoute, RegexRoute, Route

HOST = "get.acme.example"
SIZES = (10, 10_000)
ROUNDS = 500
PATHS = 100  # different ones, asked for in turn

# How the n-th of many routes looks, and a path that it matches.
SHAPES: dict[str, tuple[Callable[[int], Route], str]] = {
    "literal paths": (lambda n: _file(f"/get/tool{n}.tgz"), "/get/tool{n}.tgz"),
    "one prefix each": (
        lambda n: _file(f"/pkg{n}/{{version}}/{{file}}"),
        "/pkg{n}/1.2.3/tool.tar.gz",
    ),
    "told apart behind a variable": (
        lambda n: _file(f"/dl/{{version}}/tool{n}.tar.gz"),
        "/dl/1.2.3/tool{n}.tar.gz",
    ),
    "told apart by an ending": (
        lambda n: _file(f"/dl/{{version}}-tool{n}.tar.gz"),
        "/dl/1.2.3-tool{n}.tar.gz",
    ),
    "rest of the path": (lambda n: _file(f"/pkg{n}/{{+path}}"), "/pkg{n}/a/b/c.tar.gz"),
    "told apart by the query": (
        lambda n: _file(f"/get/{{version}}?file=tool{n}.tar.gz"),
        "/get/1.2.3?file=tool{n}.tar.gz",
    ),
    "regular expressions": (
        lambda n: RegexRoute(
            domains=(HOST,),
            package="p",
            pattern=f"/pkg{n}/(?<name>.*)-(?<version>[0-9].*)",
            outgoing_url="https://files.acme.example/{name}/{version}",
        ),
        "/pkg{n}/tool-1.2.3.tar.gz",
    ),
}


def _file(incoming: str) -> FileRoute:
    return FileRoute(
        domains=(HOST,),
        package="p",
        incoming_path=incoming,
        outgoing_url="https://files.acme.example/x",
    )


def microseconds(make: Callable[[int], Route], path: str) -> list[float]:
    """The best of many short rounds for each size, in turn, so that both meet the same noise."""
    runs = [_prepared(make, path, count) for count in SIZES]
    best = [float("inf")] * len(runs)
    for _ in range(ROUNDS):
        for place, (routes, requests) in enumerate(runs):
            best[place] = min(best[place], _round(routes, requests))
    return best


def _prepared(
    make: Callable[[int], Route], path: str, count: int
) -> tuple[table.RouteTable, list[Request]]:
    routes = table.build([make(number) for number in range(count)])
    asked = [number * count // PATHS for number in range(PATHS)]
    targets = [path.format(n=number).partition("?") for number in asked]
    requests = [Request("GET", HOST, before, query) for before, _, query in targets]
    assert all(isinstance(decide(routes, request), Redirect) for request in requests)
    return routes, requests


def _round(routes: table.RouteTable, requests: list[Request]) -> float:
    start = time.perf_counter()
    for request in requests:
        decide(routes, request)
    return (time.perf_counter() - start) / len(requests) * 1e6


if __name__ == "__main__":
    print(f"{'microseconds a decision':32} {'10 routes':>10} {'10,000':>10} {'ratio':>7}")
    for name, (make, path) in SHAPES.items():
        few, many = microseconds(make, path)
        print(f"{name:32} {few:10.2f} {many:10.2f} {many / few:7.2f}")
