"""Repository routes in a routes file: what is refused, what conflicts, what is never reached."""

from pathlib import Path

import pytest

from gateway import table
from gateway.decide import decide
from gateway.decision import Redirect, Refusal
from gateway.request import Request
from gateway.routefile import check, load
from gateway.routes import RepositoryRoute

HOST = "get.acme.example"


def route(**given: str) -> str:
    values = {
        "package": '"acme"',
        "format": '"apt"',
        "upstream": '"https://up.acme.example/deb"',
        **given,
    }
    lines = "\n".join(f"{key} = {value}" for key, value in values.items() if value)
    return f'[[route]]\ntype = "repository"\ndomain = "{HOST}"\n{lines}\n'


def told(folder: Path, text: str) -> list[str]:
    file = folder / "routes.toml"
    file.write_text(text)
    return [str(problem) for problem in check(file)]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        pytest.param("format", '"debian"', "debian", id="unknown format"),
        pytest.param("format", "", "is missing", id="no format"),
        pytest.param("upstream", '"ftp://up.acme.example"', "https://", id="scheme"),
        pytest.param("upstream", '"https://{host}/deb"', "variable", id="variable"),
        pytest.param("upstream", '"https://up.acme.example/?a=b"', "no query", id="query"),
        pytest.param("upstream", '"https://me:pw@up.acme.example"', "password", id="password"),
        pytest.param("upstream", "", "is missing", id="no upstream"),
        pytest.param("path", '"/debian"', "slashes", id="no slash at the end"),
        pytest.param("path", '"debian/"', "slashes", id="no slash at the start"),
        pytest.param("path", '"/a/../"', "slashes", id="dots"),
        pytest.param("path", '"/{version}/"', "slashes", id="template"),
        pytest.param("packages[1]", "", "two stars", id="pattern"),
        pytest.param("package", '""', "is empty", id="no name"),
        pytest.param("cache-control", '"a\\nb"', "header", id="header injection"),
    ],
)
def test_a_bad_value_is_told_with_its_key(
    tmp_path: Path, key: str, value: str, reason: str
) -> None:
    text = route(packages='["a/**"]') if key.startswith("packages") else route(**{key: value})
    problems = told(tmp_path, text)
    assert any(f": {key}: " in problem and reason in problem for problem in problems), problems


def test_every_format_can_be_named(tmp_path: Path) -> None:
    names = "apt rpm maven cargo go rubygems nix helm conda composer homebrew terraform generic"
    text = "".join(route(format=f'"{name}"', path=f'"/{name}/"') for name in names.split())
    assert told(tmp_path, text) == []
    assert len(load(tmp_path / "routes.toml").routes) == 13


def test_two_repositories_with_one_path_are_a_conflict(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, route(path='"/a%7E/"') + route(path='"/a~/"', format='"rpm"'))
    assert 'route 2 (repository "/a~/"): matches the same requests' in problem


def test_one_repository_within_another_is_no_conflict(tmp_path: Path) -> None:
    assert told(tmp_path, route() + route(path='"/rpm/"')) == []


def test_a_repository_behind_a_template_for_everything_is_told(tmp_path: Path) -> None:
    file = 'type = "file"\npackage = "p"\nincoming-path = "/{+path}"\n'
    everything = f'[[route]]\ndomain = "{HOST}"\n{file}'
    (problem,) = told(tmp_path, everything + route(path='"/deb/"'))
    assert 'route 2 (repository "/deb/"): is never reached' in problem
    assert 'route 1 (file "/{+path}") takes what it matches' in problem


def test_a_repository_before_a_catch_all_is_reached(tmp_path: Path) -> None:
    rest = f'[[route]]\ntype = "catch-all"\ndomain = "{HOST}"\ntarget = "www.acme.example"\n'
    assert told(tmp_path, rest + route(path='"/deb/"')) == []


SERVED = table.build(
    [
        RepositoryRoute(
            domains=(HOST,),
            package="acme",
            format="generic",
            path="/r/",
            upstream="https://u.example",
        )
    ]
)


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        pytest.param("/r/a.zip", "https://u.example/a.zip", id="plain"),
        pytest.param("/r//a.zip", "https://u.example//a.zip", id="double slash"),
        pytest.param("/r/a%2fb%7ec.zip", "https://u.example/a%2fb%7ec.zip", id="as it was sent"),
        pytest.param("/%72/a%2fb%7ec", "https://u.example/a%2Fb~c", id="path escaped for nothing"),
        pytest.param("/r/a b.zip", "https://u.example/a%20b.zip", id="space"),
        pytest.param("/r/é.zip", "https://u.example/%C3%A9.zip", id="unicode"),
        pytest.param("/r/{version}", "https://u.example/%7Bversion%7D", id="unexpanded braces"),
        pytest.param("/r/x/./a.zip", "https://u.example/x/a.zip", id="dot segment"),
        pytest.param("/r/..a/b..", "https://u.example/..a/b..", id="dots in names"),
        pytest.param("/r/\\@evil.example", "https://u.example/%5C@evil.example", id="backslash"),
        pytest.param("/r/", "https://u.example/", id="root"),
    ],
)
def test_a_path_is_sent_on_as_it_was(asked: str, location: str) -> None:
    decision = decide(SERVED, Request("GET", HOST, asked))
    assert isinstance(decision, Redirect)
    assert decision.location == location


@pytest.mark.parametrize("asked", ["/r", "/rx/a.zip", "/R/a.zip", "/"])
def test_another_path_is_not_a_repository_s(asked: str) -> None:
    decision = decide(SERVED, Request("GET", HOST, asked))
    assert decision == Refusal(status=404, reason="no route matches this path")
