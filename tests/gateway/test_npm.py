"""What npm, pnpm, yarn and bun ask for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import FromPackageRegistry, Redirect, Refusal, Reply
from gateway.protocols import npm
from gateway.request import Request
from gateway.routes import NpmRoute

PLAIN = NpmRoute(domains=("*",), package="tool", package_id="p1", registry="https://npm.example")
SCOPED = NpmRoute(domains=("*",), package="@acme/cli", registry="https://npm.example/base/")
INDEX = npm.build([PLAIN, SCOPED])
OTHERS = NpmRoute(domains=("*",), pass_through=True, registry="https://npm.example/base/")
WHOLE = npm.build([OTHERS, PLAIN, SCOPED])


def ask(path: str, method: str = "GET", index: Any = INDEX) -> Any:
    return npm.decide(index, Request(method, "h", path, "", {}, b"", "https", "npm.acme.example"))


@pytest.mark.parametrize(
    ("path", "name", "part", "reference"),
    [
        pytest.param("/tool", "tool", "packument", "", id="plain"),
        pytest.param("/tool/", "tool", "packument", "", id="slash at the end"),
        pytest.param("/@acme/cli", "@acme/cli", "packument", "", id="scope, slash"),
        pytest.param("/@acme%2fcli", "@acme/cli", "packument", "", id="scope, npm"),
        pytest.param("/@acme%2Fcli", "@acme/cli", "packument", "", id="scope, pnpm"),
        pytest.param("/%40acme%2Fcli", "@acme/cli", "packument", "", id="scope, all encoded"),
        pytest.param("/tool/1.0.0", "tool", "version", "1.0.0", id="version"),
        pytest.param("/@acme/cli/latest", "@acme/cli", "version", "latest", id="tag"),
        pytest.param("/tool/-/tool-1.0.0.tgz", "tool", "tarball", "tool-1.0.0.tgz", id="tarball"),
        pytest.param(
            "/@acme/cli/-/cli-2.0.0-rc.1.tgz", "@acme/cli", "tarball", "cli-2.0.0-rc.1.tgz",
            id="scoped tarball",
        ),
        pytest.param(
            "/@acme%2fcli/-/cli-2.0.0.tgz", "@acme/cli", "tarball", "cli-2.0.0.tgz", id="yarn berry"
        ),
        pytest.param(
            "/@acme/cli/-/@acme/cli-2.0.0.tgz", "@acme/cli", "tarball", "cli-2.0.0.tgz",
            id="scope repeated",
        ),
        pytest.param("/-/package/tool/dist-tags", "tool", "dist-tags", "", id="dist-tags"),
        pytest.param(
            "/-/package/@acme%2fcli/dist-tags", "@acme/cli", "dist-tags", "", id="scoped dist-tags"
        ),
    ],
)  # fmt: skip
def test_paths(path: str, name: str, part: str, reference: str) -> None:
    fetch = ask(path)
    assert isinstance(fetch, FromPackageRegistry)
    assert (fetch.name, fetch.part, fetch.reference) == (name, part, reference)
    assert fetch.base == "https://npm.acme.example/"
    assert fetch.registry.endswith("/")


def test_a_tarball_is_a_download_of_its_version() -> None:
    (hit,) = ask("/tool/-/tool-1.0.0-beta.2.tgz").hits
    assert (hit.event_type, hit.route_type, hit.package_id) == ("download", "npm", "p1")
    assert (hit.version, hit.artifact) == ("1.0.0-beta.2", "tool-1.0.0-beta.2.tgz")


@pytest.mark.parametrize("path", ["/tool", "/tool/latest", "/-/package/tool/dist-tags"])
def test_everything_else_is_metadata(path: str) -> None:
    (hit,) = ask(path).hits
    assert (hit.event_type, hit.version, hit.artifact) == ("metadata", None, "tool")


def test_ping() -> None:
    reply = ask("/-/ping")
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (200, b"{}")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        pytest.param("/-/npm/v1/security/advisories/bulk", "POST", 404, id="audit"),
        pytest.param("/-/npm/v1/security/audits/quick", "POST", 404, id="older audit"),
        pytest.param("/-/v1/search", "GET", 404, id="search"),
        pytest.param("/-/whoami", "GET", 404, id="whoami"),
        pytest.param("/-/package/other/dist-tags", "GET", 404, id="dist-tags of another"),
        pytest.param("/tool", "PUT", 405, id="publish"),
    ],
)
def test_refusals_are_json(path: str, method: str, status: int) -> None:
    refusal = ask(path, method)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert json.loads(refusal.body)["error"]


@pytest.mark.parametrize(
    "path", ["/other", "/@acme/other", "/@acme", "/", "/tool/a/b", "/tool/-/x"]
)
def test_other_names_are_left_to_other_protocols(path: str) -> None:
    assert ask(path) is None


def test_a_host_without_packages_answers_nothing() -> None:
    assert ask("/-/ping", index=npm.build([])) is None


@pytest.mark.parametrize(
    ("path", "method"),
    [
        pytest.param("/left-pad", "GET", id="packument"),
        pytest.param("/left-pad", "HEAD", id="head"),
        pytest.param("/@other%2fcli", "GET", id="scope, npm"),
        pytest.param("/@acme%2Fother", "GET", id="a scope of ours, pnpm"),
        pytest.param("/@other/cli", "GET", id="scope, slash"),
        pytest.param("/left-pad/1.3.0", "GET", id="version"),
        pytest.param("/left-pad/-/left-pad-1.3.0.tgz", "GET", id="tarball"),
        pytest.param("/@other/cli/-/cli-1.0.0.tgz", "GET", id="scoped tarball"),
        pytest.param("/-/package/left-pad/dist-tags", "GET", id="dist-tags"),
        pytest.param("/-/v1/search", "GET", id="search"),
        pytest.param("/-/npm/v1/keys", "GET", id="keys of signatures"),
        pytest.param("/-/npm/v1/security/advisories/bulk", "POST", id="audit"),
        pytest.param("/-/npm/v1/security/audits/quick", "POST", id="older audit"),
    ],
)
def test_other_packages_are_passed_through_and_not_recorded(path: str, method: str) -> None:
    asked = Request(method, "h", path, "a=%20b", {}, b"", "https", "npm.acme.example")
    redirect = npm.decide(WHOLE, asked)
    assert isinstance(redirect, Redirect)
    assert redirect.location == f"https://npm.example/base{path}?a=%20b"
    assert redirect.hits == ()


def test_our_own_packages_are_served_and_not_passed_through() -> None:
    for path in ("/tool", "/@acme%2fcli", "/tool/-/tool-9.9.9.tgz", "/-/package/tool/dist-tags"):
        assert isinstance(ask(path, index=WHOLE), FromPackageRegistry), path
    assert isinstance(ask("/-/ping", index=WHOLE), Reply)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        pytest.param("/left-pad", "PUT", 405, id="publish"),
        pytest.param("/-/user/org.couchdb.user:me", "PUT", 404, id="log in"),
        pytest.param("/-/v1/login", "POST", 404, id="log in by the web"),
        pytest.param("/-/npm/v1/tokens", "POST", 404, id="make a token"),
        pytest.param("/-/%2e%2e/left-pad", "GET", 400, id="climbs"),
        pytest.param("/left-pad/..", "GET", 400, id="climbs, plain"),
    ],
)
def test_what_is_not_passed_through(path: str, method: str, status: int) -> None:
    refusal = ask(path, method, index=WHOLE)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status


@pytest.mark.parametrize("path", ["/", "/@acme", "/.well-known/x", "/tool/a/b", "/a/b/c.tar.gz"])
def test_what_is_no_packages_path_is_left_to_other_protocols(path: str) -> None:
    assert ask(path, index=WHOLE) is None


@given(
    st.lists(st.text() | st.sampled_from(["@acme", "cli", "-", "..", "%2e%2e", "x.tgz"])).map(
        "/".join
    )
)
def test_whatever_is_passed_through_stays_at_the_registry(path: str) -> None:
    for method in ("GET", "POST"):
        decision = ask(f"/{path}", method, WHOLE)
        if isinstance(decision, Redirect):
            assert decision.location.startswith("https://npm.example/base/")
            assert "/../" not in f"{decision.location}/"
            assert decision.hits == ()


@given(st.lists(st.text() | st.sampled_from(["@acme", "cli", "tool", "-", "x.tgz"])).map("/".join))
def test_decide_is_total(path: str) -> None:
    for method in ("GET", "POST"):
        decision = ask(f"/{path}", method)
        if isinstance(decision, FromPackageRegistry):
            assert decision.name in {"tool", "@acme/cli"}


@given(name=st.sampled_from(["tool", "@acme/cli"]), version=st.text(min_size=1))
def test_a_tarballs_name_tells_its_version(name: str, version: str | None) -> None:
    assert npm.tarball_version(name, npm.tarball_name(name, version)) == version
