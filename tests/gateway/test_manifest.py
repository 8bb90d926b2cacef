"""Scarf manifests: each rule becomes the route that it means, also when written out as TOML."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import table
from gateway.check import problems_of
from gateway.manifest import read
from gateway.routefile import check, load, manifest_to_toml, read_toml
from gateway.routes import (
    DockerRoute,
    FileRoute,
    NpmInstallRoute,
    PixelRoute,
    PythonRoute,
    Route,
    TelemetryRoute,
)
from gateway.toml_text import to_toml

IMPLIED = 2  # the pixels and the install reports that every manifest serves


def routes_of(*rules: dict[str, Any]) -> list[Route]:
    placed, problems = read(json.dumps({"rules": rules}), "m.json")
    assert [problem for problem in problems if problem.fatal] == []
    return [each.route for each in placed][: -IMPLIED or None]


def rule(kind: str, **fields: Any) -> dict[str, Any]:
    keys = {key.replace("_", "-"): value for key, value in fields.items()}
    return {"type": kind, "domain": "a.example", "package-id": "id-1", **keys}


def test_an_empty_manifest_serves_pixels_and_install_reports() -> None:
    placed, problems = read('{"rules": []}', "m.json")
    assert problems == []
    assert [each.route for each in placed] == [
        PixelRoute(domains=("static.scarf.sh",), pixel_id="*"),
        NpmInstallRoute(domains=("scarf.sh",)),
    ]


def test_an_old_registry_name_is_the_one_that_answers_today() -> None:
    for registry in ("registry.hub.docker.com", "docker.io"):
        (route,) = routes_of(rule("docker-v1", repository_name="library/x", registry=registry))
        assert isinstance(route, DockerRoute)
        assert route.registry == "registry-1.docker.io"
        assert route.mode == "proxy"


def test_a_packages_name_is_shown_and_its_id_is_kept() -> None:
    named = rule("file-v1", package_name="tool", incoming_path="/x", outgoing_url=None)
    unnamed = rule("file-v1", incoming_path="/y", owner="acme")
    first, second = routes_of(named, unnamed)
    assert isinstance(first, FileRoute)
    assert isinstance(second, FileRoute)
    assert (first.package, first.package_id, first.outgoing_url) == ("tool", "id-1", "")
    assert (second.package, second.package_id) == ("id-1", "id-1")


def test_the_files_of_one_project_are_one_route() -> None:
    def file(project: str, name: str, **more: Any) -> dict[str, Any]:
        return rule(
            "python-v1",
            package_name=project,
            file_name=name,
            version="1",
            backend_url=f"https://h.example/{name}#sha256=ab",
            **more,
        )

    hashed = {"type": "md5", "hash": "00"}
    routes = routes_of(
        file("A_Tool", "a-1.tar.gz"),
        rule("file-v1", incoming_path="/x"),
        file("a-tool", "a-2.tar.gz", hash_value=hashed, gpg_sig=True, requires_python=">=3.9"),
    )
    project, _ = routes
    assert isinstance(project, PythonRoute)
    one, two = project.files
    assert (one.url, one.hashes) == ("https://h.example/a-1.tar.gz", {"sha256": "ab"})
    assert (two.hashes, two.gpg_sig, two.requires_python) == ({"md5": "00"}, True, ">=3.9")


@pytest.mark.parametrize(
    ("tokens", "digests"),
    [
        pytest.param(None, 0, id="whoever likes"),
        pytest.param([], 1, id="nobody"),
        pytest.param(["a", "b", "a"], 2, id="who shows a token"),
    ],
)
def test_tokens_are_kept_as_hashes(tokens: list[str] | None, digests: int) -> None:
    (route,) = routes_of(rule("telemetry-v1", incoming_path="/e", access_tokens=tokens))
    assert isinstance(route, TelemetryRoute)
    assert len(route.token_sha256) == digests
    assert all(len(digest) == 64 for digest in route.token_sha256)


def test_unknown_keys_are_told_and_tolerated(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(
        json.dumps({"rules": [rule("file-v1", incoming_path="/x", colour="red")], "v": 1})
    )
    told = [str(problem).removeprefix(f"{tmp_path}/") for problem in check(path)]
    assert told[0] == "m.json: 'v' is no key of a manifest and is ignored"
    assert told[1].startswith("m.json: rule 1 (file-v1): colour: unknown key, ignored; it can be")
    assert len(load(path).routes) == 1 + IMPLIED


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        pytest.param("{", "is no JSON", id="no JSON"),
        pytest.param("[]", "is no manifest", id="no object"),
        pytest.param('{"rules": [1]}', "rule 1: is no object", id="no rule"),
        pytest.param('{"rules": [{}]}', "type is missing", id="no type"),
        pytest.param('{"rules": [{"type": "file-v9"}]}', "did you mean 'file-v", id="a type"),
        pytest.param('{"rules": [{"type": "file-v1"}]}', "incoming-path is missing", id="a key"),
        pytest.param(
            json.dumps({"rules": [rule("file-v1", incoming_path=5)]}),
            "incoming-path: Expected `str`, got `int`",
            id="a value",
        ),
        pytest.param(
            json.dumps(
                {"rules": [rule("file-v1", incoming_path="/{a}", outgoing_url="https://{a}/")]}
            ),
            "has a variable in its host",
            id="an open redirect",
        ),
        pytest.param('{"rules": [{"type": "\\ud800"}]}', "is no JSON", id="half a character"),
    ],
)
def test_what_cannot_be_served_says_why(manifest: str, told: str) -> None:
    _, problems = read(manifest, "m.json")
    assert any(told in str(problem) and problem.fatal for problem in problems), problems


names = st.text("abcXYZ-_09", min_size=1, max_size=8)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
domains = st.sampled_from(["a.example", "B.example"])
rules = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["file-v1"]),
            "domain": domains,
            "package-id": texts,
            "incoming-path": names.map(lambda name: f"/{name}/{{version}}"),
            "outgoing-url": st.none()
            | names.map(lambda name: f"https://h.example/{name}/{{version}}"),
        },
        optional={"package-name": texts, "owner": texts},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("file-v2"),
            "domain": domains,
            "package-id": texts,
            "incoming-path": st.sampled_from([r"/(?<a>[^/]+)\.zip", '/"(?P<b>.*)\\\\']),
            "outgoing-url": st.none(),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("docker-v2"),
            "domain": domains,
            "rule-id": texts,
            "pattern": st.sampled_from(["acme/*", "acme/{a,b}", r"acme/a\*b"]),
            "registry": st.sampled_from(["ghcr.example", "http://127.0.0.1:5000"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("python-v1"),
            "domain": domains,
            "package-id": texts,
            "package-name": st.sampled_from(["tool", "Tool", "other"]),
            "file-name": st.sampled_from(["tool-1.tar.gz", "tool-2.whl"]),
            "version": names,
            "backend-url": st.just("https://h.example/tool#sha256=ab"),
        },
        optional={"gpg-sig": st.booleans(), "requires-python": texts},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("telemetry-v1"),
            "domain": domains,
            "incoming-path": names.map(lambda name: f"/{name}"),
        },
        optional={"package-id": texts, "access-tokens": st.none() | st.lists(texts, max_size=2)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("catch-all-v1"), "domain": domains, "package-id": texts},
        optional={"redirect-target-domain": st.none() | st.just("h.example")},
    ),
)


@given(st.lists(rules, max_size=5))
def test_an_imported_manifest_loads_to_an_equal_table(rules: list[dict[str, Any]]) -> None:
    placed, problems = read(json.dumps({"rules": rules}), "m.json")
    assert [problem for problem in problems if problem.fatal] == []
    routes = tuple(each.route for each in placed)
    again, faults = read_toml(to_toml(routes), "m.toml")
    assert faults == []
    assert problems_of(again) == []
    assert table.build([each.route for each in again]).routes == routes


def test_the_import_is_a_routes_file(tmp_path: Path) -> None:
    path, routes = tmp_path / "m.json", tmp_path / "routes.toml"
    path.write_text(json.dumps({"rules": [rule("file-v1", incoming_path="/x")]}))
    routes.write_text(manifest_to_toml(path))
    assert load(routes).routes == load(path).routes
    assert check(routes) == []
