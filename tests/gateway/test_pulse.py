"""A server is not down for one bad answer, nor up for one good one."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pulse import Pulse
from gateway.watch import version_in


def held(looks: str, down_after: int = 3, up_after: int = 2) -> str:
    """What the server is held for after each look, both as + (well) and - (not)."""
    pulses = accumulate(
        looks,
        lambda pulse, look: pulse.after("" if look == "+" else "trouble", down_after, up_after),
        initial=Pulse(),
    )
    return "".join("-" if pulse.down else "+" for pulse in list(pulses)[1:])


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param("--", "++", id="not yet"),
        pytest.param("---", "++-", id="enough"),
        pytest.param("--+--+--", "++++++++", id="one good answer begins anew"),
        pytest.param("---+", "++--", id="one good answer is not enough"),
        pytest.param("---++", "++--+", id="two are"),
        pytest.param("---+-+++", "++----++"[:8], id="a bad one between begins anew"),
    ],
)
def test_hysteresis(looks: str, expected: str) -> None:
    assert held(looks) == expected


@given(st.text("+-", max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_a_change_takes_as_many_answers_as_were_asked_for(
    looks: str, down_after: int, up_after: int
) -> None:
    told = "+" + held(looks, down_after, up_after)
    for at in range(1, len(told)):
        if told[at] != told[at - 1]:
            needed = down_after if told[at] == "-" else up_after
            assert looks[at - needed : at] == told[at] * needed


@pytest.mark.parametrize(
    ("location", "version"),
    [
        pytest.param("https://code.example/a/releases/tag/v1.2.3", "v1.2.3", id="a release"),
        pytest.param("/a/releases/tag/1.2.3/?x=1#y", "1.2.3", id="relative, with a query"),
        pytest.param("", None, id="no redirect"),
        pytest.param("https://code.example/a/releases", None, id="no release yet"),
        pytest.param("https://code.example/1/..", None, id="dots"),
        pytest.param("https://code.example/1%2f2", None, id="an escaped slash"),
        pytest.param("https://code.example/1%0a2", None, id="the end of a line"),
        pytest.param("https://code.example/" + "1" * 200, None, id="too long"),
    ],
)
def test_the_version_in_a_redirect(location: str, version: str | None) -> None:
    assert version_in(location) == version
