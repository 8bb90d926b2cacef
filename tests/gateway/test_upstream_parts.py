"""The small parts under the upstream side: challenges, budgets, wishes, one flight for many."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.media import accepted, has_it_already
from gateway.upstream.bounded import Bounded
from gateway.upstream.challenge import Challenge, parse_challenges
from gateway.upstream.coalesce import Coalescer
from gateway.upstream.platforms import children_of


@pytest.mark.parametrize(
    ("text", "challenges"),
    [
        pytest.param(
            'Bearer realm="https://a.example/t?x=1,2",service="s",scope="repository:a/b:pull,push"',
            [("bearer", {"realm": "https://a.example/t?x=1,2", "service": "s",
                         "scope": "repository:a/b:pull,push"})],
            id="commas in quotes",
        ),
        pytest.param(
            'Basic realm="x", Bearer realm=t , error="a \\"b\\""',
            [("basic", {"realm": "x"}), ("bearer", {"realm": "t", "error": 'a "b"'})],
            id="two schemes",
        ),
        pytest.param(
            "BEARER Realm = t", [("bearer", {"realm": "t"})], id="spaces and upper case"
        ),
        pytest.param("Negotiate", [("negotiate", {})], id="no parameters"),
        pytest.param("", [], id="nothing"),
    ],
)  # fmt: skip
def test_challenges(text: str, challenges: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_challenges(text) == [Challenge(*expected) for expected in challenges]


@given(
    st.text()
    | st.lists(st.sampled_from(["Bearer ", 'realm="', "=", ",", '"', "\\", "a"])).map("".join)
)
def test_challenges_are_read_from_anything(text: str) -> None:
    for challenge in parse_challenges(text):
        assert challenge.scheme == challenge.scheme.lower() != ""


@given(
    budget=st.integers(0, 50),
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30), st.booleans())),
)
def test_a_cache_keeps_its_budget_and_what_it_says(
    budget: int, steps: list[tuple[int, int, bool]]
) -> None:
    cache: Bounded[int, tuple[int, int]] = Bounded(budget, lambda value: value[0])
    last: dict[int, tuple[int, int]] = {}
    for number, (key, cost, dropping) in enumerate(steps):
        if dropping:
            cache.drop(key)
            last.pop(key, None)
        else:
            last[key] = cost, number
            cache.put(key, last[key])
            assert (cache.get(key) is not None) is (cost <= budget)
        kept = [value for key in range(6) if (value := cache.get(key)) is not None]
        assert sum(cost for cost, _ in kept) <= budget
        assert all(cache.get(key) in {None, last.get(key)} for key in range(6))


def test_what_was_used_last_stays() -> None:
    cache: Bounded[str, int] = Bounded(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]


def test_an_error_is_shared_and_not_remembered() -> None:
    calls = 0

    async def fail() -> int:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        raise LookupError(calls)

    async def run() -> None:
        coalescer: Coalescer[int] = Coalescer()
        flights = [coalescer.run("key", fail) for _ in range(3)]
        results = await asyncio.gather(*flights, return_exceptions=True)
        assert {repr(result) for result in results} == {"LookupError(1)"}
        with pytest.raises(LookupError):
            await coalescer.run("key", fail)
        assert calls == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("accept", "best"),
    [
        pytest.param("", "a/x", id="empty"),
        pytest.param("*/*", "a/x", id="anything"),
        pytest.param("b/y", "b/y", id="exact"),
        pytest.param("a/*;q=0.5, b/y;q=0.9", "b/y", id="weights"),
        pytest.param("a/x;q=0, */*;q=0.1", "b/y", id="refused by name"),
        pytest.param("A/X ; Q=1", "a/x", id="upper case"),
        pytest.param("c/z", None, id="none of ours"),
        pytest.param("a/x;q=many", None, id="no weight"),
    ],
)
def test_accepted(accept: str, best: str | None) -> None:
    assert accepted(accept, ("a/x", "b/y")) == best


@given(st.text())
def test_any_accept_header_is_read(accept: str) -> None:
    assert accepted(accept, ("a/x", "b/y")) in {None, "a/x", "b/y"}


@pytest.mark.parametrize(
    ("header", "known"),
    [
        pytest.param('"a"', True, id="equal"),
        pytest.param('W/"a", "b"', True, id="weak in a list"),
        pytest.param("*", True, id="star"),
        pytest.param('"b"', False, id="other"),
        pytest.param("", False, id="none"),
    ],
)
def test_entity_tags(header: str, *, known: bool) -> None:
    assert has_it_already(header, '"a"') is known


@given(st.binary() | st.text().map(str.encode))
def test_any_body_may_pass_for_an_index(body: bytes) -> None:
    assert children_of(body) == () or b"manifests" in body


@pytest.mark.parametrize(
    "entries",
    [b"{}", b"[1]", b'[{"digest": 1}]', b'[{"digest": "d", "platform": []}]',
     b'[{"digest": "d", "platform": {"os": "linux"}}]', b'[{"digest": "\xff"}]', b"[" * 100_000],
)  # fmt: skip
def test_odd_indexes_name_no_platform(entries: bytes) -> None:
    assert children_of(b'{"manifests": ' + entries + b"}") == ()
