"""What docker, podman and their relatives ask, and what they are told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import FromRegistry, Redirect, Refusal, Reply
from gateway.protocols import docker
from gateway.request import Request
from gateway.routes import DockerRoute

NAME_CHARACTERS = set("abcdefghijklmnopqrstuvwxyz0123456789._-/")
DIGEST = "sha256:" + "a" * 64


def route(**fields: object) -> DockerRoute:
    return DockerRoute(**{"domains": ("cr.acme.example",), "registry": "ghcr.example", **fields})


TOOL = route(image="acme/tool", repository="acme/tool-image", package="tool", package_id="p1")
LIBRARY = route(pattern="library/*", registry="docker.io", rule_id="rule-7")
CHOICE = route(pattern="acme/{a,b}", registry="http://127.0.0.1:5000/")
PRIVATE = route(image="acme/secret", private=True)
INDEX = docker.build([TOOL, LIBRARY, CHOICE])


def ask(path: str, method: str = "GET", query: str = "", index: Any = INDEX, **headers: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return docker.decide(index, Request(method, "cr.acme.example", path, query, headers))


def code(refusal: Any) -> Any:
    return json.loads(refusal.body)["errors"][0]["code"]


@pytest.mark.parametrize("path", ["/v2/", "/v2"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_ping_is_answered_here(path: str, method: str) -> None:
    reply = ask(path, method)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (200, b"{}")
    assert reply.headers["Docker-Distribution-API-Version"] == "registry/2.0"
    assert reply.hits == ()


def test_a_tag_is_fetched_under_the_upstreams_name() -> None:
    fetch = ask("/v2/acme/tool/manifests/v1.2")
    assert isinstance(fetch, FromRegistry)
    assert (fetch.registry, fetch.repository) == ("https://ghcr.example", "acme/tool-image")
    assert (fetch.image, fetch.endpoint, fetch.reference) == ("acme/tool", "manifests", "v1.2")
    assert fetch.authorization is None
    (hit,) = fetch.hits
    assert (hit.event_type, hit.package_id, hit.package) == ("pull", "p1", "tool")
    assert (hit.artifact, hit.version, hit.reference) == ("acme/tool", "v1.2", "v1.2")


@pytest.mark.parametrize(
    ("path", "event_type", "version"),
    [
        pytest.param(f"/v2/acme/tool/manifests/{DIGEST}", "pull", None, id="manifest by digest"),
        pytest.param("/v2/acme/tool/manifests/latest", "pull", "latest", id="manifest by tag"),
        pytest.param(f"/v2/acme/tool/blobs/{DIGEST}", "blob", None, id="blob"),
        pytest.param("/v2/acme/tool/tags/list", "metadata", None, id="tags"),
        pytest.param(f"/v2/acme/tool/referrers/{DIGEST}", "metadata", None, id="referrers"),
        pytest.param(
            f"/v2/acme/tool/manifests/{DIGEST.replace(':', '%3A')}", "pull", None, id="encoded"
        ),
    ],
)
def test_each_endpoint_has_its_event(path: str, event_type: str, version: str | None) -> None:
    (hit,) = ask(path).hits
    assert (hit.event_type, hit.version) == (event_type, version)


def test_a_pattern_creates_the_package_that_its_match_names() -> None:
    fetch = ask("/v2/library/redis/manifests/7")
    assert fetch.registry == "https://registry-1.docker.io"
    assert fetch.repository == "library/redis"
    (hit,) = fetch.hits
    assert (hit.package_id, hit.package) == ("library/redis", "library/redis")
    assert hit.variables == {"rule-id": "rule-7"}


@pytest.mark.parametrize(
    ("patterns", "name", "winner"),
    [
        pytest.param(["library/*"], "library/redis", 0, id="star"),
        pytest.param(["library/*"], "library/a/b", None, id="a star is one segment"),
        pytest.param(["library/*"], "library", None, id="too short"),
        pytest.param(["*/tool"], "acme/tool", 0, id="star first"),
        pytest.param(["acme/{a,b}"], "acme/b", 0, id="choice"),
        pytest.param(["acme/{a,b}"], "acme/c", None, id="no choice"),
        pytest.param(["acme/cal.*"], "acme/calxcom", None, id="a dot is a dot"),
        pytest.param(["acme/*", "*/tool"], "acme/tool", 0, id="plain segment first"),
        pytest.param(["*/tool", "acme/*"], "acme/tool", 0, id="star first, file order"),
        pytest.param(["x/*", "{acme,b}/*", "acme/*"], "acme/tool", 1, id="choice before plain"),
        pytest.param(["acme/a*", "*/*", "acme/*"], "acme/b", 1, id="next that matches"),
    ],
)
def test_the_first_pattern_that_matches_wins(
    patterns: list[str], name: str, winner: int | None
) -> None:
    routes = [route(pattern=pattern, rule_id=str(place)) for place, pattern in enumerate(patterns)]
    decision = ask(f"/v2/{name}/manifests/1", index=docker.build(routes))
    if winner is None:
        assert decision.status == 404
    else:
        assert decision.hits[0].variables == {"rule-id": str(winner)}


def test_an_exact_image_wins_over_a_pattern_before_it() -> None:
    index = docker.build([route(pattern="acme/*", registry="other.example"), TOOL])
    assert ask("/v2/acme/tool/manifests/1", index=index).registry == "https://ghcr.example"


@pytest.mark.parametrize("name", ["calcom/cal.com", "a/b/c/d", "tool"])
def test_names_with_dots_and_slashes(name: str) -> None:
    index = docker.build([route(image=name)])
    assert ask(f"/v2/{name}/manifests/v6", index=index).image == name


@pytest.mark.parametrize(
    ("path", "method", "status", "error"),
    [
        pytest.param("/v2/acme/none/manifests/1", "GET", 404, "NAME_UNKNOWN", id="unknown image"),
        pytest.param("/v2/_catalog", "GET", 404, "UNSUPPORTED", id="catalogue"),
        pytest.param("/v1/search", "GET", 404, "UNSUPPORTED", id="search of version 1"),
        pytest.param("/v1/_ping", "GET", 404, "UNSUPPORTED", id="ping of version 1"),
        pytest.param("/v2/acme/tool/manifests/1", "PUT", 405, "UNSUPPORTED", id="push"),
        pytest.param("/v2/acme/tool/manifests/1", "DELETE", 405, "UNSUPPORTED", id="delete"),
        pytest.param("/v2/acme/tool/blobs/uploads/", "POST", 405, "UNSUPPORTED", id="upload"),
        pytest.param("/v2/acme/tool/blobs/uploads/u1", "PATCH", 405, "UNSUPPORTED", id="chunk"),
        pytest.param("/v2/", "POST", 405, "UNSUPPORTED", id="posted ping"),
        pytest.param("/v2/acme/tool/manifests/a b", "GET", 404, "MANIFEST_UNKNOWN", id="no tag"),
        pytest.param(
            "/v2/acme/tool/blobs/latest", "GET", 404, "MANIFEST_UNKNOWN", id="blob by tag"
        ),
        pytest.param("/v2/library/../manifests/1", "GET", 404, "NAME_UNKNOWN", id="dots as a name"),
        pytest.param("/v2/library/UP/manifests/1", "GET", 404, "NAME_UNKNOWN", id="upper case"),
    ],
)
def test_refusals_speak_the_registrys_language(
    path: str, method: str, status: int, error: str
) -> None:
    refusal = ask(path, method)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, code(refusal)) == (status, error)
    assert ("Allow" in refusal.headers) is (status == 405)


@pytest.mark.parametrize("path", ["/", "/install.sh", "/v1/tool.tgz", "/v2/1.0/tool.tgz", "/v22/"])
def test_other_paths_are_left_to_other_protocols(path: str) -> None:
    assert ask(path) is None


def test_a_host_without_images_answers_nothing() -> None:
    assert ask("/v2/", index=docker.build([])) is None


def test_what_containerd_adds_for_mirrors_is_dropped() -> None:
    assert ask("/v2/acme/tool/manifests/1", query="ns=docker.io").query == ""
    assert ask("/v2/acme/tool/tags/list", query="n=5&ns=x&last=b").query == "n=5&last=b"


class TestRedirectMode:
    INDEX = docker.build([route(image="acme/tool", mode="redirect", repository="up/tool")])

    def test_requests_go_to_the_registrys_own_url(self) -> None:
        redirect = ask("/v2/acme/tool/manifests/v1", query="ns=a", index=self.INDEX)
        assert isinstance(redirect, Redirect)
        assert redirect.location == "https://ghcr.example/v2/up/tool/manifests/v1"
        assert redirect.hits[0].version == "v1"

    def test_the_ping_goes_where_the_tokens_are_made(self) -> None:
        assert ask("/v2/", index=self.INDEX).location == "https://ghcr.example/v2/"

    def test_the_ping_stays_where_another_image_is_proxied(self) -> None:
        mixed = docker.build([route(image="a/b", mode="redirect"), TOOL])
        assert isinstance(ask("/v2/", index=mixed), Reply)


class TestPrivate:
    INDEX = docker.build([TOOL, PRIVATE])

    def test_the_ping_asks_for_credentials(self) -> None:
        refusal = ask("/v2/", index=self.INDEX)
        assert (refusal.status, code(refusal)) == (401, "UNAUTHORIZED")
        assert refusal.headers["WWW-Authenticate"].startswith("Basic ")

        assert ask("/v2/", index=self.INDEX, authorization="Bearer eA==").status == 401

    def test_and_has_their_registry_judge_them(self) -> None:
        door = ask("/v2/", index=self.INDEX, authorization="Basic eA==")
        assert (door.endpoint, door.registry) == ("ping", docker.registry_url(PRIVATE.registry))
        assert (door.authorization, door.hits) == ("Basic eA==", ())

    def test_where_there_are_several_none_is_asked(self) -> None:
        other = route(pattern="other/*", registry="cr2.example", private=True)
        index = docker.build([PRIVATE, other])
        assert ask("/v2/", index=index).status == 401
        assert ask("/v2/", index=index, authorization="Basic eA==").status == 200

    def test_credentials_reach_a_private_image_alone(self) -> None:
        secret = ask("/v2/acme/secret/tags/list", index=self.INDEX, authorization="Basic eA==")
        assert secret.authorization == "Basic eA=="
        tool = ask("/v2/acme/tool/tags/list", index=self.INDEX, authorization="Basic eA==")
        assert tool.authorization is None

    @pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}])
    def test_without_them_it_is_401(self, headers: dict[str, str]) -> None:
        assert ask("/v2/acme/secret/tags/list", index=self.INDEX, **headers).status == 401


@pytest.mark.parametrize(
    ("registry", "url"),
    [
        pytest.param("ghcr.example", "https://ghcr.example", id="host"),
        pytest.param("127.0.0.1:5000", "https://127.0.0.1:5000", id="host and port"),
        pytest.param("http://127.0.0.1:5000/", "http://127.0.0.1:5000", id="local URL"),
        pytest.param("docker.io", "https://registry-1.docker.io", id="short name"),
        pytest.param("https://a.example/base", "https://a.example/base", id="path"),
        pytest.param("a.example/grüße", "https://a.example/gr%C3%BC%C3%9Fe", id="no ASCII"),
    ],
)
def test_registry_url(registry: str, url: str) -> None:
    assert docker.registry_url(registry) == url


pieces = st.sampled_from(
    ["v2", "acme", "tool", "library", "manifests", "blobs", "tags", "uploads", "list", "..", "%2f"]
)


@given(
    path=st.one_of(st.text(), st.lists(pieces | st.text(max_size=4)).map("/".join)).map(
        "/".__add__
    ),
    method=st.sampled_from(["GET", "HEAD", "POST", "BREW"]),
    query=st.text(),
    authorization=st.none() | st.text(),
)
def test_decide_is_total_and_stays_within_its_upstreams(
    path: str, method: str, query: str, authorization: str
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    index = docker.build([TOOL, LIBRARY, CHOICE, PRIVATE])
    decision = docker.decide(index, Request(method, "h", path, query, headers))
    if isinstance(decision, FromRegistry):
        assert set(decision.repository) <= NAME_CHARACTERS
        assert ".." not in decision.repository
        assert "/" not in decision.reference
