"""Regular expressions over paths, and the text that all their matches begin with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.regexes import RegexError, compile_regex, literal_prefix


@pytest.mark.parametrize("pattern", ["/(?<name>x)", "/(?P<name>x)"])
def test_named_groups_in_both_spellings(pattern: str) -> None:
    assert compile_regex(pattern).fullmatch("/x").groupdict() == {"name": "x"}


@pytest.mark.parametrize("pattern", ["/(?=x)", r"/(x)\1", "/(", "/(?<=a)b"])
def test_what_linear_time_cannot_do_is_refused(pattern: str) -> None:
    with pytest.raises(RegexError, match="RE2"):
        compile_regex(pattern)


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("/packages/(?<name>.*)", "/packages/"),
        ("^/packages/.*", "/packages/"),
        (r"/a\.b/.*", "/a.b/"),
        (r"/a\d", "/a"),
        ("/ab?", "/a"),
        ("/ab*c", "/a"),
        ("/ab{0,1}", "/a"),
        ("/ab+", "/a"),
        ("/a|/b", ""),
        ("/x/(a|b)", "/x/"),
        ("/x/[|]a|b", ""),
        ("/x/[|]", "/x/"),
        (r"/x\|y", "/x|y"),
        ("(?i)/x", ""),
        (r"/x\Q(\E|y", ""),
    ],
)
def test_literal_prefixes(pattern: str, prefix: str) -> None:
    assert literal_prefix(pattern) == prefix


@given(st.text("ab/|()[]?*.\\^{}1", max_size=10), st.text("ab/|.", max_size=8))
def test_every_match_begins_with_the_prefix(pattern: str, text: str) -> None:
    try:
        matches = compile_regex(pattern).fullmatch(text)
    except RegexError:
        return
    if matches:
        assert text.startswith(literal_prefix(pattern))
