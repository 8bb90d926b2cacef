"""Routes that nothing can reach are told, and nothing else is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.check import Placed
from gateway.protocols import files
from gateway.reach import unreached
from gateway.request import Request
from gateway.routefile import check, read_toml
from gateway.routes import RegexRoute
from gateway.samples import samples

HOST = 'domain = "a.example"\n'


def one(kind: str, **keys: str) -> str:
    lines = [f"{key.replace('_', '-')} = '{value}'" for key, value in keys.items()]
    return "\n".join([f'[[route]]\ntype = "{kind}"', HOST + "\n".join(lines), ""])


def file(path: str) -> str:
    return one("file", package="p", incoming_path=path)


def regex(pattern: str) -> str:
    return one("regex", package="p", pattern=pattern)


def image(name: str, key: str = "image", **others: str) -> str:
    return one("docker", registry="r.example", **{key: name}, **others)


PYTHON = one("python", package="tool")


@pytest.mark.parametrize(
    ("text", "winner"),
    [
        pytest.param(file("/simple/{name}/") + PYTHON, "python", id="a file under the index"),
        pytest.param(
            file("/v2/{n}/manifests/{r}") + image("a/b"), "docker", id="a file under images"
        ),
        pytest.param(regex("/tool/[0-9]+") + file("/tool/{v}"), "route 2", id="expression"),
        pytest.param(regex("/get/(?<n>.*)") + file("/get/{+n}"), "route 2", id="a wide one"),
        pytest.param(regex(r"/t-\d{4}\.zip") + file("/{f}.zip"), "route 2", id="with a count"),
        pytest.param(image("b/*", "pattern") + image("*/x", "pattern"), "", id="patterns cross"),
        pytest.param(
            image("*/*", "pattern") + image("lib/*", "pattern", rule_id="2"),
            "another route of type docker", id="a pattern within another",
        ),
        pytest.param(
            image("a/{b,c}", "pattern")
            + image("a/b", repository="x/y")
            + image("a/c", repository="x/z"),
            "another route of type docker", id="a pattern whose images all have routes",
        ),
        pytest.param(
            image("a/{b,c}", "pattern") + image("a/b", repository="x/y"), "", id="not all of them"
        ),
        pytest.param(
            one("telemetry", package="p", path="/events") + file("/events"), "telemetry",
            id="a file where telemetry is",
        ),
        pytest.param(
            one("repository", package="p", format="generic", upstream="https://u.example")
            + one("catch-all", target="https://t.example"),
            "route 1", id="a catch-all behind a repository of everything",
        ),
        pytest.param(file("/{+all}") + one("catch-all"), "", id="the root is left"),
        pytest.param(file("/tool/{v}") + regex("/tool/.*"), "", id="deeper paths are left"),
        pytest.param(PYTHON + file("/tool/{v}.zip"), "", id="side by side"),
    ],
)  # fmt: skip
def test_shadows(tmp_path: Path, text: str, winner: str) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(text)
    told = [str(problem) for problem in check(path) if "never reached" in str(problem)]
    assert len(told) == bool(winner), told
    assert winner in "".join(told)


def test_a_route_for_every_host_is_no_shadow_of_a_hosts_own() -> None:
    text = one("catch-all", target="https://t.example")
    placed, problems = read_toml(text + text.replace("a.example", "*", 1), "routes")
    assert problems == []
    assert list(unreached(placed)) == []


pieces = st.sampled_from(
    ["a", r"\.", "[0-9]+", "[^/]+", ".*", "(?<n>x|y)", r"\d{3}", "(?:b|c)?", "z{2}", "/", "v?"]
)


@given(st.lists(pieces, max_size=6).map(lambda parts: "/" + "".join(parts)))
def test_every_sample_of_an_expression_is_matched_by_it(pattern: str) -> None:
    if pattern.count("?<n>") > 1:
        pattern = pattern.replace("?<n>", "?:")
    route = RegexRoute(domains=("a.example",), package="p", pattern=pattern)
    index = files.build([route])
    asked = list(samples(route, "a.example"))
    assert asked, "these are plain enough to be sampled"
    assert all(files.find(index, request) is route for request in asked)
    assert list(unreached([Placed(route, "here")])) == []
    assert isinstance(asked[0], Request)
