"""Decisions: one story a file in cases/, and what holds for every request whatever."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import manifest, table
from gateway.circumstances import Circumstances, Observed
from gateway.decide import decide
from gateway.decision import Decision, Redirect, Refusal
from gateway.destinations import Alias, Health, Target, When
from gateway.request import Request
from gateway.routefile import read_toml
from gateway.routes import (
    CatchAllRoute,
    DockerRoute,
    FileRoute,
    NpmInstallRoute,
    NpmRoute,
    PixelRoute,
    PythonFile,
    PythonRoute,
    RegexRoute,
    TelemetryRoute,
)
from gateway.table import RouteTable

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))


class CaseCircumstances(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: dt.datetime = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    country: str | None = None
    draw: int | None = None
    down: dict[str, str] = {}
    versions: dict[str, str] = {}

    def real(self) -> Circumstances:
        observed = Observed(self.down, self.versions)
        return Circumstances(self.at.timestamp(), self.country, self.draw, observed)


class CaseRequest(msgspec.Struct, forbid_unknown_fields=True):
    host: str
    path: str
    method: str = "GET"
    query: str = ""
    headers: dict[str, str] = {}
    body: str = ""
    scheme: str = "https"
    authority: str = ""


class Case(msgspec.Struct, forbid_unknown_fields=True):
    story: str
    request: CaseRequest
    expect: dict[str, Any]  # compared whole, so a misspelt key fails
    circumstances: CaseCircumstances = CaseCircumstances()
    routes: str = ""  # a routes file
    manifest: str = ""  # or a Scarf manifest


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_case(file: Path) -> None:
    case = read(file)
    assert told(decide(served(case), request_of(case))) == case.expect


def read(file: Path) -> Case:
    case = msgspec.convert(tomllib.loads(file.read_text()), Case)
    assert bool(case.routes) != bool(case.manifest), "a case has routes or a manifest"
    return case


def request_of(case: Case) -> Request:
    asked = case.request
    return Request(
        asked.method,
        asked.host,
        asked.path,
        asked.query,
        asked.headers,
        asked.body.encode(),
        asked.scheme,
        asked.authority or asked.host,
        case.circumstances.real(),
    )


def served(case: Case) -> RouteTable:
    placed, problems = (
        read_toml(case.routes, "case") if case.routes else manifest.read(case.manifest, "case")
    )
    assert problems == []
    return table.build([each.route for each in placed])


def told(decision: Decision) -> dict[str, Any]:
    """A decision as a case writes it: its kind, and every field that is not the default."""
    kind = type(decision).__name__.lower()
    return {"answer": kind, **_fields(decision)}


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        default = {} if field.default is msgspec.NODEFAULT else field.default
        if field.name == "hits":
            value = [_fields(hit) for hit in value]
            default = []
        if field.required or value != default:
            fields[field.name] = _as_toml(value)
    return fields


def _as_toml(value: Any) -> Any:
    match value:
        case bytes():
            return value.decode()
        case tuple():
            return [_as_toml(each) for each in value]
        case msgspec.Struct():
            return _fields(value)
    return value


def test_a_misspelt_key_in_a_case_fails() -> None:
    with pytest.raises(msgspec.ValidationError, match="methd"):
        msgspec.convert(
            {"story": "", "request": {"host": "a", "path": "/", "methd": "GET"}, "expect": {}}, Case
        )


HOST = "get.acme.example"
EVERYTHING = table.build(
    [
        DockerRoute(domains=(HOST,), image="acme/tool", registry="ghcr.example"),
        DockerRoute(domains=(HOST,), pattern="lib/*", registry="r.example", mode="redirect"),
        DockerRoute(domains=(HOST,), image="acme/own", registry="ghcr.example", private=True),
        PixelRoute(domains=("*",), pixel_id="*"),
        TelemetryRoute(domains=(HOST,), package="t", path="/events"),
        TelemetryRoute(domains=(HOST,), package="t", path="/vouched", token_sha256=("0" * 64,)),
        NpmInstallRoute(domains=(HOST,)),
        PythonRoute(domains=(HOST,), package="live"),
        PythonRoute(
            domains=(HOST,),
            package="listed",
            files=(PythonFile(url="https://files.acme.example/listed-1.0.tar.gz"),),
        ),
        NpmRoute(domains=(HOST,), package="@acme/tool", registry="https://npm.example"),
        FileRoute(
            domains=(HOST,),
            package="files",
            incoming_path="/files/{version}/{name}.zip?os={os}",
            outgoing_url="https://files.acme.example/{version}/{name}-{os}.zip?a=1",
        ),
        FileRoute(
            domains=(HOST,),
            package="below",
            incoming_path="/below/{+path}",
            outgoing_url="https://files.acme.example/below/{+path}?from={path}",
        ),
        FileRoute(domains=(HOST,), package="told", incoming_path="/told/{a}-{b}-{c}"),
        RegexRoute(
            domains=(HOST,),
            package="regex",
            pattern=r"/(?<name>.*)-(?<version>[0-9].*)",
            outgoing_url="https://files.acme.example/{name}/{+version}",
        ),
        FileRoute(
            domains=(HOST,),
            package="chosen",
            incoming_path="/chosen/{version}/{+path}",
            outgoing_url="https://files.acme.example/{version}/{+path}",
            target=(
                Target(
                    url="https://rest.acme.example/{version}/{+path}",
                    when=When(continent="EU", share=50, client="curl", variables={"x": "y"}),
                ),
                Target(url="https://r.example/{+path}", when=When(os="linux"), name="linux"),
            ),
            fallback_urls=("https://r.example/below/{version}/{+path}",),
            health=Health(),
            aliases={
                "latest": "1.0",
                "x": Alias(redirect="https://r.example/latest", until_known="..", prefix="v"),
            },
        ),
        CatchAllRoute(domains=(HOST,), target="https://rest.acme.example"),
        CatchAllRoute(domains=("prefixed.example",), target="rest.acme.example/below"),
    ]
)
TARGETS = {
    "files.acme.example",
    "rest.acme.example",
    "r.example",
    # These go to the gateway's own paths.
    "",
}

beginnings = st.sampled_from(
    [
        "",
        "*",
        "/",
        "//",
        "/v2/",
        "/v2/lib/x/manifests/",
        "/v2/acme/own/blobs/sha256:",
        "/a.png",
        "/events",
        "/vouched",
        "/package-event/install",
        "/simple",
        "/simple/",
        "/simple/Listed",
        "/simple/listed/",
        "/packages/listed/",
        "/@acme%2ftool",
        "/@acme/tool/-/",
        "/files/",
        "/below/",
        "/told/",
        "/chosen/latest/",
        "/chosen/x/",
        "/x-1",
    ]
)
# What has broken redirectors before, among arbitrary text.
awkward = st.sampled_from(
    [
        *(
            "//evil.example",
            "/..",
            "/%2e%2e/",
            "@evil.example",
            "https://evil.example/",
            "{version}",
        ),
        *("\\", "%5c", "%40", "%0d%0a", "%00", "%2f", "%", "%zz", "%ff", "%c3%a9", "é", "。"),
        *(
            "?",
            "#",
            ":",
            ";",
            "&",
            "=",
            "+",
            "-",
            ".zip",
            "x",
            "1.0",
            " ",
            "\r\n",
            "\udcff",
            "\ud800",
        ),
    ]
)
texts = st.lists(awkward | st.text(st.characters(codec=None)), max_size=8).map("".join)
# A server reads headers from bytes, so that halves of surrogate pairs are none of its.
header_texts = st.binary().map(lambda sent: sent.decode("utf-8", "surrogateescape"))
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW", ""]),
    host=st.sampled_from([HOST, "prefixed.example", "other.example", ""]),
    path=st.tuples(beginnings, texts).map("".join),
    query=texts | st.tuples(st.sampled_from(["x-pxid=", "os="]), texts).map("".join),
    headers=st.dictionaries(
        st.sampled_from(
            ["authorization", "accept", "if-none-match", "content-encoding", "user-agent"]
        ),
        header_texts | header_texts.map(lambda text: f"Bearer {text}"),
    ),
    body=st.binary() | texts.map(lambda text: f'{{"{text}": "{text}"}}'.encode("utf-8", "replace")),
    scheme=st.sampled_from(["http", "https"]),
    authority=st.sampled_from(["", f"{HOST}:8080"]),
    circumstances=st.builds(
        Circumstances,
        time=st.floats(0, 1e11),
        country=st.none() | st.sampled_from(["DE", "US", "ZZ"]),
        draw=st.none() | st.integers(0, 2**64 - 1),
        observed=st.builds(
            Observed,
            down=st.dictionaries(
                st.sampled_from(["https://files.acme.example/", "https://r.example/"]), st.text()
            ),
            versions=st.dictionaries(st.just("https://r.example/latest"), texts),
        ),
    ),
)


@given(requests)
@example(Request("GET", HOST, "/below//evil.example/%2e%2e/%5c@x"))
def test_every_request_has_a_safe_answer(request: Request) -> None:
    decision = decide(EVERYTHING, request)
    if isinstance(decision, Refusal):
        assert 400 <= decision.status < 500
        assert decision.reason
        assert_header_safe(*decision.headers.values())
    if isinstance(decision, Redirect):
        assert_header_safe(decision.location, decision.cache_control)
        assert urlsplit(decision.location).netloc in TARGETS
        # Browsers take a backslash for a slash, and what stands before an @ for a name.
        assert "\\" not in decision.location
        assert "@" not in decision.location.removeprefix("https://").partition("/")[0]


def assert_header_safe(*values: str) -> None:
    for value in values:
        assert value.isascii()
        assert value.isprintable()


@given(requests)
def test_a_redirect_without_variables_in_its_host_keeps_to_its_host(request: Request) -> None:
    decision = decide(EVERYTHING, request)
    if isinstance(decision, Redirect) and decision.location.startswith("https://"):
        host = decision.location.removeprefix("https://").partition("/")[0].partition("?")[0]
        assert host in TARGETS


@given(requests)
def test_every_hit_can_be_written_down(request: Request) -> None:
    for hit in getattr(decide(EVERYTHING, request), "hits", ()):
        assert hit.package_id
        msgspec.json.encode(hit)


def test_an_unknown_host_and_an_unknown_path_are_told_apart() -> None:
    routes = table.build([FileRoute(domains=(HOST,), package="p", incoming_path="/x")])
    host = decide(routes, Request("GET", "other.example", "/x"))
    path = decide(routes, Request("GET", HOST, "/y"))
    assert host == Refusal(status=404, reason="no route serves this domain")
    assert path == Refusal(status=404, reason="no route matches this path")


class _Unread(dict[str, str]):
    """Headers that nobody may look at."""

    def __getitem__(self, key: str) -> str:
        raise AssertionError(key)

    def get(self, *of: Any) -> Any:
        raise AssertionError(of)

    def __contains__(self, key: object) -> bool:
        raise AssertionError(key)


BY_TARGET = table.build([route for route in EVERYTHING.routes if not isinstance(
    route, DockerRoute | TelemetryRoute | PythonRoute | NpmRoute)])  # fmt: skip


@given(requests)
def test_what_answers_by_target_reads_no_headers(request: Request) -> None:
    asked = msgspec.structs.replace(request, method="GET", host=HOST, body=b"")
    assert BY_TARGET.answers_by_target(HOST)
    if BY_TARGET.depends(asked):
        return
    bare = Request("GET", HOST, asked.path, asked.query)
    assert decide(BY_TARGET, msgspec.structs.replace(asked, headers=_Unread())) == decide(
        BY_TARGET, bare
    )


@pytest.mark.parametrize("kind", [DockerRoute, TelemetryRoute, PythonRoute, NpmRoute])
def test_what_may_read_headers_does_not_answer_by_target(kind: type) -> None:
    routes = [route for route in EVERYTHING.routes if isinstance(route, kind)]
    assert routes
    built = table.build(routes)
    assert not any(built.answers_by_target(host) for host in built.hosts)
