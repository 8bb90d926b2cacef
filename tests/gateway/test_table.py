"""The route table: the index answers as a plain scan of the routes would."""

from hypothesis import given
from hypothesis import strategies as st

from gateway import table
from gateway.decide import decide
from gateway.decision import Redirect, Refusal
from gateway.escapes import canonical
from gateway.path_index import literalness
from gateway.request import Request
from gateway.routes import CatchAllRoute, FileRoute, RegexRoute
from gateway.template_syntax import parse_path
from gateway.templates import PathMatcher

HOST = "get.acme.example"

segments = st.sampled_from(
    ["a", "b", "ab", "a.zip", "", "{x}", "a{x}", "{x}.zip", "{x}-{y}", "b-{x}"]
)
tails = st.sampled_from(["", "", "/{+z}", "/a{+z}", "/{+z}.zip"])
queries = st.sampled_from(["", "", "?q=1", "?q={q}", "?q=1&r=2"])
incoming = st.tuples(
    st.lists(segments, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)),
    tails,
    queries,
).map("".join)
paths = st.lists(
    st.sampled_from(["a", "b", "ab", "a.zip", "", "b-1", "a-b-c", "zip"]), min_size=1, max_size=4
).map(lambda parts: "/" + "/".join(parts))
asked = st.sampled_from(["", "q=1", "q=2", "q=1&r=2", "r=2&q=1"])


def routes_of(templates: list[str]) -> list[FileRoute]:
    return [
        FileRoute(
            domains=(HOST,),
            package=f"p{number}",
            incoming_path=template,
            outgoing_url=f"https://h.example/{number}",
        )
        for number, template in enumerate(templates)
    ]


def scan(routes: list[FileRoute], path: str, query: dict[str, str]) -> str | None:
    """Try every template in the order of its literalness."""
    ordered = sorted(routes, key=lambda route: literalness(parse_path(route.incoming_path)))
    for route in ordered:
        if PathMatcher(parse_path(route.incoming_path)).match(canonical(path), query) is not None:
            return route.package
    return None


@given(st.lists(incoming, max_size=12), paths, asked)
def test_the_index_answers_as_a_scan_would(templates: list[str], path: str, query: str) -> None:
    routes = routes_of(templates)
    keys = dict(pair.split("=") for pair in query.split("&") if pair)
    decision = decide(table.build(routes), Request("GET", HOST, path, query))
    found = decision.hits[0].package if isinstance(decision, Redirect) else None
    assert found == scan(routes, path, keys)


def winner(*routes: FileRoute | RegexRoute | CatchAllRoute, path: str, host: str = HOST) -> str:
    decision = decide(table.build(routes), Request("GET", host, path))
    return decision.hits[0].package if isinstance(decision, Redirect) else ""


def test_the_most_literal_template_wins() -> None:
    in_order = [
        "/dl/1.0/tool.zip",
        "/dl/1.0/{file}",
        "/dl/1.0/{+path}",
        "/dl/v{version}/tool.zip",
        "/dl/{version}/tool.zip",
        "/dl/{version}/{name}.zip",
        "/dl/{version}/{file}",
        "/dl/{+path}",
        "/{+path}",
    ]
    backwards = in_order[::-1]
    backwards.sort(key=lambda each: literalness(parse_path(each)))
    assert backwards == in_order


def test_of_equal_routes_the_first_in_the_file_wins() -> None:
    assert winner(*routes_of(["/{a}", "/{b}"]), path="/x") == "p0"


def test_expressions_with_a_longer_beginning_go_first() -> None:
    def regex(package: str, pattern: str) -> RegexRoute:
        return RegexRoute(
            domains=(HOST,), package=package, pattern=pattern, outgoing_url="https://h.example/"
        )

    routes = [regex("any", "/.*"), regex("choice", "/a/b|/a/c"), regex("long", "/a/.*")]
    assert winner(*routes, path="/a/b") == "long"
    assert winner(*routes, path="/b") == "any"
    assert winner(routes[1], path="/a/c") == "choice"


def test_a_route_for_every_host_serves_beside_a_hosts_own() -> None:
    everywhere = FileRoute(
        domains=("*",), package="every", incoming_path="/x", outgoing_url="https://h.example/"
    )
    own = CatchAllRoute(domains=(HOST,), package="own", target="h.example")
    assert winner(everywhere, own, path="/x") == "every"
    assert winner(everywhere, own, path="/y") == "own"
    assert winner(everywhere, own, path="/x", host="other.example") == "every"
    assert not winner(everywhere, own, path="/y", host="other.example")


def test_only_named_hosts_are_served_by_name() -> None:
    routes = table.build([CatchAllRoute(domains=(HOST, "*"), target="h.example")])
    assert routes.serves(HOST)
    assert not routes.serves("other.example")


def test_a_table_without_routes_serves_nothing() -> None:
    assert isinstance(decide(table.build([]), Request("GET", HOST, "/")), Refusal)
