"""Ranked lists: right numbers, and nothing from a stranger becomes markup."""

import re

from hypothesis import given
from hypothesis import strategies as st

from dashboard.lists import Row, ranked, shares


def test_bars_are_measured_against_the_largest() -> None:
    html = ranked("Packages", [Row("tool", 200), Row("cli", 50)], "installs")
    assert re.findall(r"width:([\d.]+)%", html) == ["100.0", "25.0"]
    assert "<td>200</td>" in html


@given(st.text(min_size=1))
def test_names_never_become_markup(name: str) -> None:
    plain = ranked("List", [Row("x", 1, link="x")], "installs")
    html = ranked("List", [Row(name, 1, link=name)], "installs")
    assert html.count("<") == plain.count("<")
    assert html.count('"') == plain.count('"')


def test_an_empty_list_says_so() -> None:
    assert "None known." in ranked("Countries", [], "installs", empty="None known.")


def test_shares_are_of_the_whole() -> None:
    html = shares([Row("a", 3, "#111111"), Row("b", 1, "#222222"), Row("c", 0, "#333333")])
    assert re.findall(r"width:([\d.]+)%", html) == ["75.000", "25.000"]
    assert re.findall(r"<strong>(.*?)</strong>", html) == ["75 %", "25 %", "0 %"]
