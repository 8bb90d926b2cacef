"""URL templates: what they match, what they make, and what is refused."""

import re
import string
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.escapes import canonical, climbs, decoded
from gateway.template_syntax import TemplateError, parse_origin, parse_path, parse_url
from gateway.templates import PathMatcher


def match(template: str, path: str, **query: str) -> dict[str, str] | None:
    return PathMatcher(parse_path(template)).match(canonical(path), query)


@pytest.mark.parametrize(
    ("template", "path", "captured"),
    [
        pytest.param("/tool", "/tool", {}, id="literal"),
        pytest.param("/tool", "/tool/", None, id="a slash more"),
        pytest.param("/tool", "/toolbox", None, id="a longer name"),
        pytest.param("/a/{x}", "/a/1", {"x": "1"}, id="one segment"),
        pytest.param("/a/{x}", "/a/1/2", None, id="not two segments"),
        pytest.param("/a/{x}", "/a/", None, id="not none"),
        pytest.param("/a/{+x}", "/a/1/2", {"x": "1/2"}, id="several segments"),
        pytest.param("/a/{+x}", "/a/", None, id="several, but not none"),
        pytest.param("/{+x}.zip", "/a/b.zip", {"x": "a/b"}, id="several with an ending"),
        pytest.param(
            "/{x}-{y}.tgz", "/a-b-1.tgz", {"x": "a-b", "y": "1"}, id="the first takes most"
        ),
        pytest.param("/{x}-{y}", "/-b", None, id="the first takes something"),
        pytest.param("/{x}-{y}", "/a-", None, id="the second takes something"),
        pytest.param(
            "/{x}.{y}-{z}/q", "/a.b-c-.d-e/q", {"x": "a.b-c-", "y": "d", "z": "e"}, id="three"
        ),
        pytest.param("/{+x}-{y}", "/a/b-c-d", {"x": "a/b-c", "y": "d"}, id="mixed"),
        pytest.param("/{x}-{+y}", "/a-b/c-d", {"x": "a", "y": "b/c-d"}, id="mixed the other way"),
        pytest.param("/{x}/{x}", "/a/a", {"x": "a"}, id="a name twice"),
        pytest.param("/{x}/{x}", "/a/b", None, id="a name twice, two values"),
        pytest.param("/x{/a,b}{.c}", "/x/1/2.3", {"a": "1", "b": "2", "c": "3"}, id="operators"),
        pytest.param("/gr%C3%BC%C3%9Fe", "/grüße", {}, id="an escaped literal"),
        pytest.param("/grüße", "/gr%c3%bc%c3%9fe", {}, id="an escaped path"),
        pytest.param("/a+b", "/a%2Bb", {}, id="a needless escape"),
        pytest.param("/a/{x}", "/a/b%2fc", {"x": "b%2Fc"}, id="an escaped slash"),
        pytest.param("/{x}", "/{x}", {"x": "%7Bx%7D"}, id="braces"),
        pytest.param("//a//{x}", "//a//b", {"x": "b"}, id="double slashes"),
    ],
)
def test_a_path_matches(template: str, path: str, captured: dict[str, str] | None) -> None:
    assert match(template, path) == captured


def test_query_keys_match_in_any_order_and_others_are_free() -> None:
    assert match("/a?x={x}&y=1", "/a", y="1", other="2", x="v") == {"x": "v"}
    assert match("/a?x={x}&y=1", "/a", y="2", x="v") is None
    assert match("/a?x={x}&y=1", "/a", x="v") is None
    assert match("/a{?x,y}", "/a", x="1", y="") == {"x": "1", "y": ""}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("tool", "start with a slash", id="no slash"),
        pytest.param("/a#b", "fragment", id="fragment"),
        pytest.param("/{a}{b}", "side by side", id="neighbours"),
        pytest.param("/{a", "without its partner", id="open brace"),
        pytest.param("/a}", "without its partner", id="closed brace"),
        pytest.param("/{}", "the name ''", id="no name"),
        pytest.param("/{a b}", "space", id="a space"),
        pytest.param("/{a:3}", "modifier", id="prefix modifier"),
        pytest.param("/{a*}", "modifier", id="explode modifier"),
        pytest.param("/{;a}", "only {name}", id="another operator"),
        pytest.param("/a?x=1&x=2", "twice", id="a key twice"),
        pytest.param("/a?{k}=1", "query's key", id="a variable key"),
    ],
)
def test_what_is_no_incoming_path_says_why(text: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(reason)):
        parse_path(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("files.acme.example/x", "https://", id="no scheme"),
        pytest.param("ftp://files.acme.example/x", "https://", id="another scheme"),
        pytest.param("{url}", "https://", id="all of it a variable"),
        pytest.param("https://{host}/x", "in its host", id="a variable host"),
        pytest.param("https://acme{tld}/x", "in its host", id="a variable in the host"),
        pytest.param(
            "https://files.acme.example{+path}", "in its host", id="right behind the host"
        ),
        pytest.param("https://files.acme.example:{port}/", "in its host", id="a variable port"),
        pytest.param("https://me:secret@acme.example/", "password", id="a password"),
        pytest.param("https://acme.example:99999/", "port", id="no port"),
        pytest.param("https:///x", "no usable host", id="no host"),
        pytest.param("https://acme.example\\@evil.example/", "backslash", id="backslash"),
        pytest.param("https://grüße.example/", "xn--", id="not ASCII"),
        pytest.param("https://acme.example/a/../{b}", ".. segments", id="dot segments"),
        pytest.param("https://acme.example/#{a}", "after the #", id="a variable fragment"),
        pytest.param("https://acme.example/a b", "space", id="a space"),
    ],
)
def test_what_is_no_outgoing_url_says_why(text: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=re.escape(reason)):
        parse_url(text)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("files.acme.example", ("https://files.acme.example", "")),
        ("http://127.0.0.1:5000/", ("http://127.0.0.1:5000", "")),
        ("https://Acme.example/a b/".replace(" ", "%20"), ("https://acme.example", "/a%20b")),
        ("[::1]:8080", ("https://[::1]:8080", "")),
    ],
)
def test_a_fixed_url_or_a_bare_host(target: str, expected: tuple[str, str]) -> None:
    assert parse_origin(target) == expected


def test_the_targets_own_query_keys_win_and_empty_ones_stay() -> None:
    url = parse_url("https://h.example/{a}?x={b}&y=&z#end")
    expanded = url.expand({"a": "1", "b": "p+q"}, [("y", "y=2"), ("w", "w=%41"), ("w", "w=3")])
    assert expanded == "https://h.example/1?x=p%2Bq&y=&z&w=%41#end"


values = st.text(st.characters(codec="utf-8"), min_size=1)
# What the literal parts of the templates below are made of.
literals = st.text(string.ascii_letters + "._~!$'()*+,;:@/-", max_size=5)


@given(st.dictionaries(st.sampled_from(["a", "b"]), values, min_size=2), literals, literals)
def test_a_path_that_was_matched_and_expanded_is_the_path(
    variables: dict[str, str], first: str, last: str
) -> None:
    """And the other way round: what was put into a template comes out of it again."""
    text = f"/{first}/{{a}}/{{+b}}/{last}"
    template = PathMatcher(parse_path(text))
    segments = {name: quote(value, safe="") for name, value in variables.items()}
    path = canonical(f"/{first}/{segments['a']}/{segments['b']}/{last}")
    captured = template.match(path, {})
    assert captured is not None
    assert {name: decoded(value) for name, value in captured.items()} == variables
    if not climbs(path):
        expanded = parse_url(f"https://h.example{text}").expand(captured)
        # {a} escapes more than it must, which means the same.
        assert expanded is not None
        assert canonical(expanded.removeprefix("https://h.example")) == path


@given(st.dictionaries(st.sampled_from(["a", "b"]), values, min_size=2))
def test_no_value_reaches_the_host(variables: dict[str, str]) -> None:
    url = parse_url("https://h.example/{+a}/{b}?q={+b}&r={a}")
    captured = {name: canonical(quote(value, safe="/:@")) for name, value in variables.items()}
    expanded = url.expand(captured)
    if expanded is not None:
        assert expanded.isascii()
        assert expanded.isprintable()
        assert urlsplit(expanded)[:2] == ("https", "h.example")
        assert "\\" not in expanded


@given(st.text(st.characters(codec=None)))
def test_the_canonical_form_is_one_form(path: str) -> None:
    once = canonical(path)
    assert once.isascii()
    assert once.isprintable()
    assert canonical(once) == once


@given(st.text(st.characters(codec="utf-8")))
def test_the_canonical_form_keeps_the_meaning(path: str) -> None:
    assert unquote(canonical(path)) == unquote(path)


@given(
    st.text("ab-/.", max_size=40), st.sampled_from(["/{x}-{y}", "/{x}.{y}-{z}/b", "/a{x}-{y}-a"])
)
def test_dividing_agrees_with_a_regular_expression(rest: str, template: str) -> None:
    pattern = re.sub(r"\\\{(\w)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    expected = re.fullmatch(pattern, f"/{rest}")
    assert match(template, f"/{rest}") == (expected and expected.groupdict())


def test_a_hostile_path_costs_no_more_than_its_length() -> None:
    """An engine that backtracks would take minutes here."""
    for template in ("/{a}-{b}-{c}-{d}.zip", "/{+a}-{+b}-{+c}.zip", "/{a}-{+b}-{c}.zip"):
        assert match(template, "/" + "-" * 8000) is None
