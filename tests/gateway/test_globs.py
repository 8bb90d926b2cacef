"""Image patterns: what they match, and what is no pattern."""

import pytest

from gateway.globs import GlobError, compile_glob


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        pytest.param("library/*", "library/redis", True, id="star"),
        pytest.param("library/*", "library/a/b", False, id="a star is one segment"),
        pytest.param("library/*", "library", False, id="too short"),
        pytest.param("*/tool", "acme/tool", True, id="star first"),
        pytest.param("*/*", "acme/tool", True, id="two segments"),
        pytest.param("acme/tool-*", "acme/tool-cli", True, id="star in a segment"),
        pytest.param("acme/tool-*", "acme/tool-", False, id="a star is not nothing"),
        pytest.param("acme/{a,b}", "acme/b", True, id="choice"),
        pytest.param("acme/{a,b}", "acme/c", False, id="no choice"),
        pytest.param("acme/{a,b}", "acme/ab", False, id="one of the choices"),
        pytest.param("acme/{tool-*,cli}", "acme/tool-x", True, id="star in a choice"),
        pytest.param("acme/{x,{y,z}w}", "acme/zw", True, id="choice in a choice"),
        pytest.param("acme/cal.com", "acme/calxcom", False, id="a dot is a dot"),
        pytest.param(r"acme/a\*b", "acme/a*b", True, id="a star that is meant"),
        pytest.param(r"acme/a\*b", "acme/axb", False, id="a star that is meant is no pattern"),
    ],
)
def test_patterns(pattern: str, name: str, *, matches: bool) -> None:
    assert (compile_glob(pattern).fullmatch(name) is not None) is matches


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        pytest.param("acme/**", "two stars", id="two stars"),
        pytest.param("acme/{a", "without its partner", id="open brace"),
        pytest.param("acme/a}", "never opened", id="closed brace"),
        pytest.param("acme//a", "empty segment", id="empty segment"),
        pytest.param("", "empty segment", id="nothing"),
        pytest.param("acme/{a/b,c}", "slash within braces", id="slash in a choice"),
        pytest.param("acme/a\\", "backslash", id="backslash at the end"),
        pytest.param("acme/\\d", "backslash", id="backslash before a letter"),
    ],
)
def test_what_is_no_pattern_says_why(pattern: str, reason: str) -> None:
    with pytest.raises(GlobError, match=reason):
        compile_glob(pattern)
