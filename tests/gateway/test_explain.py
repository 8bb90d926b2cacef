"""A dry run says what the server would do, and why."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from gateway import manifest, server
from gateway.__main__ import main
from gateway.check import Placed
from gateway.decide import decide
from gateway.decision import Decision, Redirect, Refusal, Reply
from gateway.explain import Explanation, explain
from gateway.explanation_text import lines
from gateway.request import Request
from gateway.routefile import read_toml
from tests.gateway.test_decide import (
    CASES,
    EVERYTHING,
    Case,
    read,
    request_of,
    requests,
    served,
)

STATUS_OF_A_REDIRECT = 307


def placed_of(case: Case) -> list[Placed]:
    if case.routes:
        return read_toml(case.routes, "case")[0]
    return manifest.read(case.manifest, "case")[0]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_it_agrees_with_decide(file: Path) -> None:
    case = read(file)
    request = request_of(case)
    explanation = explain(placed_of(case), request)
    decision = decide(served(case), request)
    assert (explanation.status, explanation.headers) == sent(decision)
    hits = () if isinstance(decision, Refusal) else decision.hits
    assert [
        (event["event_type"], event["package"], event.get("version"))
        for event in explanation.events
    ] == [(hit.event_type, hit.package, hit.version) for hit in hits]
    if hits:
        assert explanation.route or "together" in explanation.why
    # Whoever takes the request is not passed over.
    assert explanation.route not in {passed.what for passed in explanation.passed_over}
    msgspec.json.encode(explanation)


@given(requests)
@settings(max_examples=50)  # each builds a table and asks every route
def test_every_request_is_explained(request: Request) -> None:
    placed = [Placed(route, f"route {number}") for number, route in enumerate(EVERYTHING.routes)]
    explanation = explain(placed, request)
    assert (explanation.status, explanation.headers) == sent(decide(EVERYTHING, request))
    assert explanation.route not in {passed.what for passed in explanation.passed_over}
    assert list(lines("GET /", explanation))


def sent(decision: Decision) -> tuple[int | None, dict[str, str]]:
    """The status and the headers that the server sends for a decision."""
    match decision:
        case Redirect():
            status, headers, _ = server._redirect(decision)  # noqa: SLF001 what it really sends
        case Reply():
            status, headers, _ = server._reply(decision)  # noqa: SLF001
        case Refusal():
            status, headers, _ = server._refusal(decision)  # noqa: SLF001
        case _:
            return None, {}
    return status, dict(headers)


ROUTES = """\
[[route]]
type = "file"
domain = "get.acme.example"
package = "acme/tool"
incoming-path = "/tool/{version}/{file}"
outgoing-url = "https://files.acme.example/{version}/{file}"
versions = ["1.4.0", "2.0.0"]

[route.aliases]
latest = { newest = "*" }

[[route.target]]
url = "https://mirror.acme.example/{version}/{file}"
when = { country = "CN", client = ["curl", "wget"] }

[[route.target]]
url = "https://new.acme.example/{version}/{file}"
when = { from = 2026-12-01 }

[[route]]
type = "file"
domain = "get.acme.example"
package = "acme/odd"
incoming-path = "/tool/{version}/{file}?odd={odd}"

[[route]]
type = "file"
domain = "get.acme.example"
package = "acme/all"
incoming-path = "/{+everything}"
outgoing-url = "https://files.acme.example/{+everything}"

[[route]]
type = "regex"
domain = "get.acme.example"
package = "acme/other"
pattern = "/other/.*"

[[route]]
type = "catch-all"
domain = "get.acme.example"
target = "https://www.acme.example"
"""


def run(tmp_path: Path, *arguments: str) -> str:
    path = tmp_path / "routes.toml"
    path.write_text(ROUTES)
    result = CliRunner().invoke(main, ["explain", *arguments, "--routes", str(path)])
    assert result.exit_code == 0, result.output
    return result.output.replace(f"{tmp_path}/", "")


URL = "https://get.acme.example/tool/latest/tool.tgz"


def test_the_whole_of_it(tmp_path: Path) -> None:
    told = run(tmp_path, URL, "--country", "DE", "--at", "2026-11-23T12:00:00Z")
    first = 'routes.toml:1: route 1 (file "/tool/{version}/{file}")'
    assert (
        told
        == f"""\
GET {URL} as curl/8

answer  307, sent on
        location: https://files.acme.example/2.0.0/tool.tgz
        cache-control: no-store
route   {first}
why     of the paths that match, its path is the most literal
alias   latest means 2.0.0
target  https://files.acme.example/{{version}}/{{file}}
        not https://mirror.acme.example/{{version}}/{{file}}: \
country is DE, wanted: country is CN
        not https://new.acme.example/{{version}}/{{file}}: \
it is 2026-11-23 12:00 UTC, wanted: from 2026-12-01 00:00 UTC on
event   event_type = download
        route_type = file
        package_id = acme/tool
        package = acme/tool
        host = get.acme.example
        artifact = tool.tgz
        version = 2.0.0
        reference = latest
        method = GET
        status = 307
        user_agent = curl/8
        variables = {{"version":"2.0.0","file":"tool.tgz"}}
        country = DE

passed over
  routes.toml:20: route 2 (file "/tool/{{version}}/{{file}}?odd={{odd}}"): the query has no odd
  routes.toml:26: route 3 (file "/{{+everything}}"): takes it too, but comes later
  routes.toml:39: route 5 (catch-all "https://www.acme.example"): \
file and regex routes are asked before it
  routes.toml:33: route 4 (regex "/other/.*"): its path is another one
"""
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param([URL, "--country", "CN"], "location: https://mirror.acme", id="country"),
        pytest.param(
            [URL, "--country", "CN", "--as", "aria2/1"], "client is aria2, wanted", id="agent"
        ),
        pytest.param([URL, "--at", "2026-12-02"], "location: https://new.acme", id="date"),
        pytest.param(
            [URL, "--country", "CN", "--header", "DNT: 1"], "asks not to be recorded", id="dnt"
        ),
        pytest.param([URL, "--method", "HEAD"], "method = HEAD", id="method"),
        pytest.param([URL, "--method", "PUT"], "405, refused: only", id="refused"),
        pytest.param(["get.acme.example"], "www.acme.example/", id="a bare host"),
        pytest.param(["other.example/x"], "no route names this domain", id="unknown host"),
        pytest.param([URL, "--json"], '"alias": "latest means 2.0.0"', id="json"),
    ],
)
def test_what_is_asked_counts(tmp_path: Path, arguments: list[str], expected: str) -> None:
    assert expected in run(tmp_path, *arguments)


def test_its_json_has_everything(tmp_path: Path) -> None:
    explanation = msgspec.json.decode(run(tmp_path, URL, "--json"), type=Explanation)
    assert explanation.status == STATUS_OF_A_REDIRECT
    assert len(explanation.passed_over) == 4


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param([URL, "--country", "Germany"], "no country", id="country"),
        pytest.param([URL, "--at", "noon"], "no moment", id="moment"),
        pytest.param([URL, "--header", "DNT"], "Name: value", id="header"),
        pytest.param(["/tool"], "no host", id="url"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, arguments: list[str], reason: str) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(ROUTES)
    result = CliRunner().invoke(main, ["explain", *arguments, "--routes", str(path)])
    assert result.exit_code == 2
    assert reason in result.output
