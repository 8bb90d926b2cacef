"""Reports of npm post-install scripts."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import Refusal, Reply
from gateway.protocols import npm_install
from gateway.request import Request
from gateway.routes import NpmInstallRoute

NAMED = NpmInstallRoute(domains=("*",), package="acme-lib", package_id="p1")
REST = NpmInstallRoute(domains=("*",))
ONE = npm_install.build([NAMED])
ANY = npm_install.build([REST, NAMED])

REPORT = {
    "libraryType": "npm",
    "rawPlatform": "linux",
    "rawArch": "x64",
    "nodeVersion": "v20.20.2",
    "dependencyInfo": {
        "scarf": {"name": "@scarf/scarf", "version": "1.4.0"},
        "parent": {
            "name": "acme-lib",
            "version": "3.1.4",
            "scarfSettings": {"defaultOptIn": True},
        },
        "grandparent": {"nameHash": "aa", "versionHash": "bb"},
        "rootPackage": {"nameHash": "cc", "versionHash": "dd"},
        "anyInChainDisabled": False,
    },
}


def report(**parent: object) -> Any:
    info = REPORT["dependencyInfo"]
    changed = {**info, "parent": {**info["parent"], **parent}}
    return json.dumps({**REPORT, "dependencyInfo": changed}).encode()


def ask(
    body: bytes, path: str = "/package-event/install", method: str = "POST", index: Any = ONE
) -> Any:
    return npm_install.decide(index, Request(method, "h", path, "", {}, body))


@pytest.mark.parametrize(
    "path", ["/package-event/install", "/package-event/install/", "/package-event/install/p1"]
)
def test_a_report_is_an_install(path: str) -> None:
    reply = ask(report(), path)
    assert isinstance(reply, Reply)
    assert reply.status == 200
    (hit,) = reply.hits
    assert (hit.event_type, hit.route_type) == ("install", "npm")
    assert (hit.package_id, hit.package, hit.version) == ("p1", "acme-lib", "3.1.4")
    assert hit.variables == {
        "libraryType": "npm",
        "rawPlatform": "linux",
        "rawArch": "x64",
        "nodeVersion": "v20.20.2",
        "dependencyInfo.scarf.name": "@scarf/scarf",
        "dependencyInfo.scarf.version": "1.4.0",
        "dependencyInfo.parent.scarfSettings.defaultOptIn": "true",
        "dependencyInfo.anyInChainDisabled": "false",
    }


@pytest.mark.parametrize(
    ("path", "package_id"),
    [("/package-event/install", "@other/lib"), ("/package-event/install/x9", "x9")],
)
def test_a_route_for_the_rest_takes_every_package_by_name(path: str, package_id: str) -> None:
    (hit,) = ask(report(name="@other/lib"), path, index=ANY).hits
    assert (hit.package_id, hit.package) == (package_id, "@other/lib")
    (named,) = ask(report(), index=ANY).hits
    assert named.package_id == "p1"


@pytest.mark.parametrize(
    "path", ["/package-event/install", "/package-event/install/other"], ids=["name", "id"]
)
def test_other_packages_are_not_counted_as_this_one(path: str) -> None:
    assert ask(report(name="other"), path).status == 404


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(report() * 2, id="two reports"),
        pytest.param(report(name=""), id="no name"),
        pytest.param(report(name="a b"), id="no npm name"),
        pytest.param(report(name="a" * 215), id="long name"),
        pytest.param(report(name=["a"]), id="name of another type"),
    ],
)
def test_a_bad_report_is_422(body: bytes) -> None:
    refusal = ask(body)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 422


def test_a_huge_report_is_413() -> None:
    assert ask(b" " * (1024 * 1024 + 1)).status == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_other_methods(method: str) -> None:
    refusal = ask(b"", method=method)
    assert (refusal.status, refusal.headers["Allow"]) == (405, "POST")


def test_other_paths_and_hosts_are_left_to_other_protocols() -> None:
    assert ask(report(), "/package-event/other") is None
    assert ask(report(), "/package-event/install/a/b", index=npm_install.build([])) is None


@given(st.binary() | st.recursive(st.none() | st.text(), lambda c: st.dictionaries(st.text(), c)))
def test_decide_is_total(body: bytes) -> None:
    body = body if isinstance(body, bytes) else json.dumps({"dependencyInfo": body}).encode()
    assert ask(body, index=ANY) is not None
