"""What each request to the API deserves, without a server."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.api_request import (
    Events,
    Health,
    Packages,
    Refusal,
    bearer,
    decide,
    negotiate,
    parse_day,
)
from dashboard.export_formats import Format
from dashboard.exports import Selection

DAYS = {"start_date": "2026-03-01", "end_date": "2026-03-31"}
MARCH: dict[str, Any] = {"first": dt.date(2026, 3, 1), "last": dt.date(2026, 3, 31)}


def get(path: str, accept: str = "", **query: str | list[str]) -> Any:
    target = f"{path}?{urlencode(query, doseq=True)}" if query else path
    return decide("GET", target, accept, authorized=True)


@pytest.mark.parametrize(
    ("path", "narrowed"),
    [
        pytest.param("/v2/packages/acme/events", {}, id="everything"),
        pytest.param("/v2/packages/acme/p1/events", {"packages": ("p1",)}, id="a package"),
        pytest.param(
            "/v2/packages/acme/library/tool/events", {"packages": ("library/tool",)}, id="slashes"
        ),
        pytest.param(
            "/v2/packages/acme/%40acme%2fcli/events", {"packages": ("@acme/cli",)}, id="encoded"
        ),
        pytest.param("/v2/packages/acme/events/events", {"packages": ("events",)}, id="so named"),
        pytest.param("/v2/tracking-pixels/acme/events", {"event_types": ("view",)}, id="pixels"),
        pytest.param(
            "/v2/tracking-pixels/acme/px/events",
            {"event_types": ("view",), "packages": ("px",)},
            id="a pixel",
        ),
        pytest.param(
            "/v2/companies/acme/initech.example/events",
            {"company_domain": "initech.example"},
            id="a company",
        ),
    ],
)
def test_an_address_narrows_the_events(path: str, narrowed: dict[str, Any]) -> None:
    assert get(path, **DAYS) == Events(Selection(**MARCH, **narrowed), "scarf", "csv")


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        pytest.param({"counted": "true"}, {"counted_only": True}, id="counted"),
        pytest.param({"counted": "false"}, {}, id="all"),
        pytest.param({"traffic": ["ci", "bot"]}, {"traffic": ("ci", "bot")}, id="traffic"),
        pytest.param({"package": ["a", "b c"]}, {"packages": ("a", "b c")}, id="packages"),
    ],
)
def test_parameters_narrow_the_events(query: dict[str, Any], narrowed: dict[str, Any]) -> None:
    asked = get("/v2/packages/acme/events", **DAYS, **query)
    assert asked == Events(Selection(**MARCH, **narrowed), "scarf", "csv")


def test_our_own_columns_can_be_had() -> None:
    assert get("/v2/packages/acme/events", **DAYS, columns="all").columns == "all"


def test_the_file_is_named_for_its_days() -> None:
    asked = get("/v2/packages/acme/events", "application/x-ndjson", **DAYS)
    assert asked.file_name == "events-2026-03-01-2026-03-31.ndjson"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        pytest.param({}, ["start_date", "''", "YYYY-MM-DD"], id="no days"),
        pytest.param({"start_date": "2026-03-01"}, ["end_date", "''"], id="no end"),
        pytest.param({**DAYS, "start_date": "yesterday"}, ["start_date", "'yesterday'"], id="word"),
        pytest.param({**DAYS, "end_date": "20260331"}, ["'20260331'", "YYYY-MM-DD"], id="compact"),
        pytest.param({**DAYS, "end_date": "2026-W13-2"}, ["'2026-W13-2'"], id="week"),
        pytest.param({**DAYS, "end_date": "2026-02-30"}, ["no such day"], id="no such day"),
        pytest.param({**DAYS, "end_date": "2026-03-01T00:00:00Z"}, ["end_date"], id="time"),
        pytest.param({**DAYS, "end_date": "२०२६-०३-०१"}, ["end_date"], id="other digits"),
        pytest.param({**DAYS, "end_date": "2026-02-28"}, ["before start_date"], id="order"),
        pytest.param(
            {**DAYS, "start_date": ["2026-03-01"] * 2}, ["start_date", "once"], id="twice"
        ),
        pytest.param({**DAYS, "counted": "yes"}, ["counted", "'yes'", "true, false"], id="counted"),
        pytest.param({**DAYS, "traffic": "human"}, ["traffic", "'human'", "person"], id="traffic"),
        pytest.param({**DAYS, "columns": "few"}, ["columns", "'few'", "scarf"], id="columns"),
        pytest.param({**DAYS, "query": "x"}, ["query", "'x'", "start_date"], id="unknown"),
    ],
)
def test_a_bad_parameter_is_named(query: dict[str, Any], says: list[str]) -> None:
    refusal = get("/v2/packages/acme/events", **query)
    assert (refusal.status, refusal.code) == (400, "invalid-parameter")
    for part in says:
        assert part in refusal.message


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({}, Packages("acme", None, "", 100), id="plain"),
        pytest.param(
            {"type": "docker", "after": "p1", "per_page": "7"},
            Packages("acme", "docker", "p1", 7),
            id="page",
        ),
    ],
)
def test_the_list_of_packages(query: dict[str, str], expected: Packages) -> None:
    assert get("/v2/packages/acme", **query) == expected


@pytest.mark.parametrize("size", ["", "0", "1001", "-1", "ten", "1e2", "²"])
def test_a_page_has_a_size(size: str) -> None:
    refusal = get("/v2/packages/acme", per_page=size)
    assert (refusal.status, "per_page" in refusal.message) == (400, True)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "*",
        "/v2",
        "/v2/",
        "/v2/packages",
        "/v2/packages/",
        "/v2/packages//events",
        "/v2/packages/acme/",
        "/v2/packages/acme/p1",
        "/v2/packages/acme/events/",
        "/v2/companies/acme/events",
        "/v2/companies/acme/a/b/events",
        "/v2/tracking-pixels/acme",
        "/v1/packages/acme/events",
        "/healthz/",
        "http://other.example/healthz",
    ],
)
def test_other_addresses_are_unknown_to_anyone(path: str) -> None:
    for authorized in (True, False):
        refusal = decide("GET", path, "", authorized=authorized)
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code) == (404, "not-found")


@pytest.mark.parametrize("path", ["/v2/packages/acme/events", "/v2/packages/acme"])
def test_without_a_token_nothing_is_told(path: str) -> None:
    refusal = decide("GET", f"{path}?nonsense", "image/png", authorized=False)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code) == (401, "unauthorized")
    assert dict(refusal.headers)["WWW-Authenticate"].startswith("Bearer")


def test_health_needs_no_token() -> None:
    assert decide("GET", "/healthz", "", authorized=False) == Health()


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v2/packages/acme/events", "GET"),
        ("HEAD", "/v2/packages/acme/events", "GET"),
        ("PUT", "/v2/packages/acme", "GET, HEAD"),
        ("BREW", "/healthz", "GET, HEAD"),
    ],
)
def test_other_methods_are_told_which_are_served(method: str, path: str, allow: str) -> None:
    refusal = decide(method, path, "", authorized=False)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, dict(refusal.headers)) == (405, {"Allow": allow})


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "csv"),
        ("*/*", "csv"),
        ("text/csv", "csv"),
        ("text/*", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("application/x-ndjson", "ndjson"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/*", "ndjson"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "csv"),
        ("text/csv;q=0.5, application/x-ndjson", "ndjson"),
        ("*/*;q=0.1, application/vnd.apache.parquet;q=0.2", "parquet"),
        ("*/*, text/csv;q=0", "ndjson"),
        ("text/csv;q=x, application/x-ndjson;q=0.1", "ndjson"),
        ("image/png", None),
        ("text/csv;q=0", None),
        ("application/json", None),
        (",,;", None),
    ],
)
def test_accept_chooses(accept: str, expected: Format | None) -> None:
    assert negotiate(accept) == expected


def test_an_accept_that_nothing_fits_is_told_what_there_is() -> None:
    refusal = get("/v2/packages/acme/events", "image/png", **DAYS)
    assert (refusal.status, refusal.code) == (406, "not-acceptable")
    for part in ("image/png", "text/csv", "application/x-ndjson", "application/vnd.apache.parquet"):
        assert part in refusal.message


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer abc", "abc"),
        ("bearer   abc ", "abc"),
        ("Basic abc", ""),
        ("abc", ""),
        ("Bearer", ""),
        ("", ""),
    ],
)
def test_the_token_of_a_header(header: str, secret: str) -> None:
    assert bearer(header) == secret


@given(
    method=st.sampled_from(["GET", "HEAD", "POST"]) | st.text(max_size=5),
    path=st.sampled_from(["/v2/packages/a/events", "/v2/packages/a", ""]) | st.text(),
    query=st.text() | st.dictionaries(st.text(), st.text()).map(urlencode),
    accept=st.text(),
    authorized=st.booleans(),
)
def test_every_request_has_an_answer(
    method: str, path: str, query: str, accept: str, *, authorized: bool
) -> None:
    answer = decide(method, f"{path}?{query}", accept, authorized=authorized)
    assert isinstance(answer, Health | Events | Packages | Refusal)
    if not authorized:
        assert isinstance(answer, Health | Refusal)


@given(day=st.dates())
def test_every_day_can_be_written(day: dt.date) -> None:
    assert parse_day(day.isoformat()) == day
