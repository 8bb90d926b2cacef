"""Routes files: what is read, and what is said of everything that is wrong."""

from pathlib import Path

import pytest

from gateway.routefile import RoutesError, check, load
from gateway.routes import DockerRoute, FileRoute, PythonFile, PythonRoute

FILE = '[[route]]\ntype = "file"\ndomain = "a.example"\npackage = "p"\n'


def checked(tmp_path: Path, text: str, name: str = "routes.toml") -> list[str]:
    path = tmp_path / name
    path.write_text(text)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in check(path)]


def test_the_example_is_without_fault() -> None:
    example = Path(__file__).parents[2] / "data" / "routes.toml"
    assert check(example) == []
    kinds = {type(route).__name__ for route in load(example).routes}
    assert len(kinds) == 8, "the example shows every type but npm, which needs a registry"


def test_one_domain_or_several(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(
        FILE
        + 'incoming-path = "/x"\n'
        + FILE.replace('domain = "a.example"', 'domains = ["a.example", "b.example"]')
        + 'incoming-path = "/y"\n'
    )
    routes = load(path).routes
    assert [route.domains for route in routes] == [("a.example",), ("a.example", "b.example")]


def test_tables_within_a_route(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(
        '[[route]]\ntype = "python"\ndomain = "a.example"\npackage = "tool"\n'
        '[[route.files]]\nurl = "https://h.example/tool-1.0.tar.gz"\nhashes = { sha256 = "ab" }\n'
        'yanked = "broken"\n'
    )
    assert load(path).routes == (
        PythonRoute(
            domains=("a.example",),
            package="tool",
            files=(
                PythonFile(
                    url="https://h.example/tool-1.0.tar.gz",
                    hashes={"sha256": "ab"},
                    yanked="broken",
                ),
            ),
        ),
    )


def test_every_problem_is_told_at_its_place(tmp_path: Path) -> None:
    text = """\
title = "mine"

[[route]]
type = "file"
domain = "A.example:80"
package = "p"
incoming-path = "/tool/{version}"
outgoing-url = "https://h.example/{name}"
cachecontrol = "x"

[[route]]
type = "fil"

[[route]]
type = "docker"
domain = "a.example"
image = "Acme/x"
mode = "proxi"
"""
    tool = 'routes.toml:3: route 1 (file "/tool/{version}")'
    image = 'routes.toml:14: route 3 (docker "Acme/x")'
    host = "is no lower-case host name without scheme, port and path; write 'a.example'"
    assert checked(tmp_path, text) == [
        "routes.toml: 'title' is no key here; routes stand in [[route]] tables",
        f"{tool}: cachecontrol: is no key here; did you mean 'cache-control'?",
        f"{tool}: domains: 'A.example:80' {host}",
        f"{tool}: outgoing-url: uses {{name}}, which incoming-path does not capture",
        "routes.toml:11: route 2: type: 'fil' is no type of route; did you mean 'file'?",
        f"{image}: registry: is missing",
        f"{image}: mode: Invalid enum value 'proxi'; the value is 'proxi'",
        f"{image}: image: 'Acme/x' is no image name, such as acme/tool, without a tag",
    ]


def test_a_bad_file_is_refused_with_all_of_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(FILE + 'incoming-path = "x"\noutgoing-url = "y"\n')
    with pytest.raises(RoutesError, match="incoming-path") as caught:
        load(path)
    assert len(caught.value.problems) == 2
    assert "outgoing-url" in str(caught.value)


@pytest.mark.parametrize(
    ("route", "key", "reason"),
    [
        pytest.param('type = "docker"\nregistry = "r.example"', "image", "either", id="no image"),
        pytest.param(
            'type = "docker"\nregistry = "r.example"\nimage = "a"\npattern = "b/*"',
            "image",
            "either",
            id="image and pattern",
        ),
        pytest.param(
            'type = "docker"\nregistry = "r.example"\npattern = "b/{a"',
            "pattern",
            "brace",
            id="glob",
        ),
        pytest.param(
            'type = "docker"\nregistry = "ftp://r"\nimage = "a"', "registry", "https", id="registry"
        ),
        pytest.param(
            'type = "regex"\npackage = "p"\npattern = "/(?=x)"', "pattern", "RE2", id="look-ahead"
        ),
        pytest.param(
            'type = "regex"\npackage = "p"\npattern = "/(x)"\noutgoing-url = "https://h/{x}"',
            "outgoing-url",
            "pattern does not capture",
            id="a group without a name",
        ),
        pytest.param('type = "python"\npackage = "a b"', "package", "project", id="python name"),
        pytest.param(
            'type = "python"\npackage = "a"\nfiles = [{ url = "x", hashes = { md0 = "Z" } }]',
            "files[1].hashes",
            "md0",
            id="hash",
        ),
        pytest.param(
            'type = "python"\npackage = "a"\nfiles = [{ ulr = "x" }]',
            "files[1].ulr",
            "did you mean 'url'",
            id="file key",
        ),
        pytest.param(
            'type = "npm"\npackage = "@a"\nregistry = "n.example"', "package", "npm", id="npm name"
        ),
        pytest.param(
            'type = "npm"\nregistry = "https://n.example"',
            "package",
            "give either package",
            id="neither package nor all others",
        ),
        pytest.param(
            'type = "python"\npackage = "a"\npass-through = true',
            "package",
            "not both",
            id="package and all others",
        ),
        pytest.param(
            'type = "python"\npass-through = true\nfiles = [{ url = "https://h.example/a" }]',
            "files",
            "go with package",
            id="files of all others",
        ),
        pytest.param(
            'type = "telemetry"\npackage = "p"\npath = "events"', "path", "slash", id="path"
        ),
        pytest.param(
            'type = "telemetry"\npackage = "p"\npath = "/e"\ntoken-sha256 = ["secret"]',
            "token-sha256",
            "sha256sum",
            id="token",
        ),
        pytest.param(
            'type = "telemetry"\npackage = "p"\npath = "/e"\nmax-events = 0',
            "max-events",
            "at least 1",
            id="no events",
        ),
        pytest.param('type = "pixel"\npixel-id = ""', "pixel-id", "empty", id="pixel"),
        pytest.param(
            'type = "catch-all"\ntarget = "https://h/?a=b"', "target", "no query", id="target"
        ),
        pytest.param(
            'type = "file"\npackage = ""\nincoming-path = "/x"', "package", "empty", id="no package"
        ),
        pytest.param(
            'type = "file"\npackage = "p"\nincoming-path = "/x"\ncache-control = "a\\nb"',
            "cache-control",
            "header",
            id="header injection",
        ),
    ],
)
def test_a_bad_value_is_told_with_its_key(
    tmp_path: Path, route: str, key: str, reason: str
) -> None:
    told = checked(tmp_path, f'[[route]]\ndomain = "a.example"\n{route}\n')
    assert any(f": {key}: " in problem and reason in problem for problem in told), told
    with pytest.raises(RoutesError):
        load(tmp_path / "routes.toml")


def test_a_token_is_not_repeated_in_a_problem(tmp_path: Path) -> None:
    route = 'type = "telemetry"\npackage = "p"\npath = "/e"\ntoken-sha256 = ["hunter2"]'
    (told,) = checked(tmp_path, f'[[route]]\ndomain = "a.example"\n{route}\n')
    assert "hunter2" not in told


@pytest.mark.parametrize("domain", ["https://a.example/x", "a.example:8080", "A.EXAMPLE"])
def test_a_domain_is_a_bare_host(tmp_path: Path, domain: str) -> None:
    (told,) = checked(tmp_path, f'[[route]]\ntype = "catch-all"\ndomain = "{domain}"\n')
    assert told.endswith("write 'a.example'")


def test_what_is_no_routes_file(tmp_path: Path) -> None:
    assert "is no TOML" in checked(tmp_path, "[[route]")[0]
    assert "ends neither" in checked(tmp_path, "", "routes.yaml")[0]
    assert "two brackets" in checked(tmp_path, "[route]\n")[0]
    assert "has no [[route]]" in checked(tmp_path, "")[0]
    assert "cannot be read" in str(check(tmp_path / "absent.toml")[0])
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    assert "is not UTF-8" in str(check(tmp_path / "latin.toml")[0])


def file(path: str, domain: str = "a.example") -> str:
    return f'{FILE.replace("a.example", domain)}incoming-path = "{path}"\n'


def test_two_routes_for_the_same_requests_are_a_conflict(tmp_path: Path) -> None:
    first, same = "/x/{a}?q={b}&r=1", "/x/{c}?r=1&q={d}"
    (told,) = checked(tmp_path, file(first) + file(same) + file(first, "b.example"))
    assert told == (
        f'routes.toml:6: route 2 (file "{same}"): matches the same requests on a.example as'
        f' {tmp_path}/routes.toml:1: route 1 (file "{first}"), which wins; remove one of the two'
    )
    assert load(tmp_path / "routes.toml").routes, "it can be served all the same"


def test_a_domain_passes_through_to_one_registry(tmp_path: Path) -> None:
    others = '[[route]]\ntype = "npm"\ndomain = "a.example"\npass-through = true\n'
    (told,) = checked(
        tmp_path,
        f'{others}registry = "https://n.example"\n{others}registry = "https://m.example"\n',
    )
    assert 'route 2 (npm "pass-through"): matches the same requests' in told
    (told,) = checked(tmp_path, f'{others}registry = "https://n.example"\n{file("/install.sh")}')
    assert "is never reached on a.example: a route of type npm takes what it matches" in told


REGEX = '[[route]]\ntype = "regex"\ndomain = "a.example"\npackage = "p"\npattern = "/x/y.*"\n'
IMAGES = '[[route]]\ntype = "docker"\ndomain = "a.example"\npattern = "*"\nregistry = "r.example"\n'
PIXELS = '[[route]]\ntype = "pixel"\ndomain = "*"\npixel-id = "*"\n'


@pytest.mark.parametrize(
    ("routes", "winner"),
    [
        pytest.param(file("/{+all}") + REGEX, 'route 1 (file "/{+all}")', id="below everything"),
        pytest.param(file("/x/{+all}") + REGEX, 'route 1 (file "/x/{+all}")', id="below a part"),
        pytest.param(IMAGES + file("/v2/{a}/manifests/{b}"), "type docker", id="images"),
        pytest.param(PIXELS + file("/a.png?x-pxid={id}"), "type pixel", id="pixels"),
    ],
)
def test_a_route_that_nothing_reaches_is_told(tmp_path: Path, routes: str, winner: str) -> None:
    (told,) = checked(tmp_path, routes)
    assert "is never reached on a.example" in told
    assert winner in told


def test_routes_that_overlap_in_part_are_no_problem(tmp_path: Path) -> None:
    routes = file("/x/{+path}") + file("/x/{a}/{b}") + file("/x/{a}") + file("/x/latest")
    assert checked(tmp_path, routes) == []


def test_a_route_is_a_value() -> None:
    one = DockerRoute(domains=("a.example",), image="a", registry="r")
    assert one == DockerRoute(domains=("a.example",), image="a", registry="r")
    assert (
        FileRoute(domains=("a.example",), package="p", incoming_path="/x").cache_control
        == "no-store"
    )
