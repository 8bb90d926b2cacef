"""Staged roll-outs divide visitors as they say, and every choice is made of what it is given."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import table
from gateway.choice import Choice, compile_choice
from gateway.circumstances import Circumstances, Needs, Observed
from gateway.conditions import Facts, position
from gateway.destinations import Health, Target, When
from gateway.request import Request
from gateway.routes import FileRoute

PLENTY = 20_000


def route(*targets: Target, path: str = "/tool", fallbacks: tuple[str, ...] = ()) -> FileRoute:
    return FileRoute(
        domains=("a.example",),
        package="p",
        incoming_path=path,
        outgoing_url="https://own.example/x",
        target=targets,
        fallback_urls=fallbacks,
        health=Health(path="/up") if fallbacks else None,
    )


def compiled(file_route: FileRoute) -> Choice:
    choice = compile_choice(file_route)
    assert choice is not None
    return choice


def target(name: str, **when: object) -> Target:
    return Target(url=f"https://{name}.example/x", when=When(**when))  # type: ignore[arg-type] # keys of a table


def chosen(choice: Choice, draw: int | None, user_agent: str = "") -> str:
    candidate = choice.of(Facts(user_agent, {}, Circumstances(draw=draw)))
    return candidate.url.origin.removeprefix("https://").removesuffix(".example")


def draws(seed: int = 1) -> list[int]:
    random = Random(seed)
    return [random.getrandbits(64) for _ in range(PLENTY)]


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param({"a": 10.0}, id="one"),
        pytest.param({"a": 0.5}, id="less than one per cent"),
        pytest.param({"a": 5.0, "b": 20.0, "c": 50.0}, id="several"),
        pytest.param({"a": 25.0, "b": 75.0}, id="all of them"),
    ],
)
def test_shares_are_kept(shares: dict[str, float]) -> None:
    choice = compiled(route(*(target(name, share=share) for name, share in shares.items())))
    counted = Counter(chosen(choice, draw) for draw in draws())
    for name, share in {**shares, "own": 100 - sum(shares.values())}.items():
        # Four standard deviations of a fair draw; the draws are always the same ones.
        tolerance = 4 * (share * (100 - share) / PLENTY) ** 0.5
        assert counted[name] / PLENTY * 100 == pytest.approx(share, abs=max(tolerance, 1e-9))


def test_who_is_in_stays_in_when_the_share_grows() -> None:
    small, large = (compiled(route(target("new", share=share))) for share in (10, 30))
    inside = {draw for draw in draws() if chosen(small, draw) == "new"}
    assert inside < {draw for draw in draws() if chosen(large, draw) == "new"}


def test_roll_outs_of_two_routes_are_drawn_apart() -> None:
    one, other = (compiled(route(target("new", share=50), path=path)) for path in ("/a", "/b"))
    both = sum(chosen(one, draw) == chosen(other, draw) == "new" for draw in draws())
    assert both / PLENTY == pytest.approx(0.25, abs=0.02)


def test_targets_of_other_conditions_have_a_hundred_of_their_own() -> None:
    choice = compiled(
        route(target("curl", client="curl", share=100), target("wget", client="wget", share=100))
    )
    assert {chosen(choice, draw, "curl/8") for draw in draws()} == {"curl"}
    assert {chosen(choice, draw, "Wget/1") for draw in draws()} == {"wget"}


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_position_lies_within_a_hundred_and_stays(draw: int, seed: int) -> None:
    assert 0 <= position(draw, seed) < 100
    assert position(draw, seed) == position(draw, seed)


@given(
    st.sets(st.sampled_from(["new", "own", "second", "third"])),
    st.none() | st.integers(0, 2**64 - 1),
)
def test_what_is_down_is_taken_only_where_all_is_down(down: set[str], draw: int | None) -> None:
    urls = tuple(f"https://{name}.example/x" for name in ("second", "third"))
    choice = compiled(route(target("new", share=50), fallbacks=urls))
    observed = Observed(down={f"https://{name}.example/up": "answers 503" for name in down})
    facts = Facts("", {}, Circumstances(draw=draw, observed=observed))
    taken = choice.of(facts)
    fitting = [each for each in choice.candidates if all(c.holds(facts) for c in each.conditions)]
    well = [each for each in fitting if each.check not in observed.down]
    assert taken is (well or fitting)[0]
    told = choice.passed_over(facts)
    assert [candidate for candidate, reason in told if not reason] == [taken]


def test_only_hosts_with_such_routes_need_circumstances() -> None:
    plain = FileRoute(domains=("plain.example",), package="p", incoming_path="/x")
    routes = table.build([plain, route(target("de", country="DE")), route(target("n", share=5))])
    assert routes.needs_of("plain.example") is None
    assert routes.needs_of("other.example") is None
    assert routes.needs_of("a.example") == Needs(any=True, place=True, draw=True)
    assert table.build([plain]).needs == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/tool", True, id="a conditional route"),
        pytest.param("/x", False, id="another one of the host"),
        pytest.param("/v/1", False, id="fixed aliases"),
        pytest.param("/none", False, id="no route"),
    ],
)
def test_only_a_conditional_route_has_answers_that_change(path: str, *, expected: bool) -> None:
    plain = FileRoute(domains=("a.example",), package="p", incoming_path="/x")
    aliased = FileRoute(
        domains=("a.example",), package="p", incoming_path="/v/{version}", aliases={"latest": "1"}
    )
    routes = table.build([plain, aliased, route(target("de", country="DE"))])
    assert routes.depends(Request("GET", "a.example", path)) is expected
