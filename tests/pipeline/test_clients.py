import time
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events import USER_AGENT_LIMIT
from pipeline.agents.agent import AGENT_KINDS, Agent
from pipeline.agents.marks import BOTS, SPECIFIC
from pipeline.agents.parse import parse
from pipeline.agents.products import PRODUCTS
from pipeline.clients import COLUMNS, with_clients, with_image_platforms
from pipeline.schema import EVENTS

FILES = sorted((Path(__file__).parent / "agents").glob("*.toml"))


class Case(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A user agent with what else the event holds, and the columns it fills; the rest are null."""

    user_agent: str
    agent_kind: str
    route_type: str = "file"
    event_type: str = "download"
    variables: str = "{}"
    client: str | None = None
    client_version: str | None = None
    runtime: str | None = None
    runtime_version: str | None = None
    os: str | None = None
    os_version: str | None = None
    arch: str | None = None
    libc: str | None = None
    ci: str | None = None


class CaseFile(msgspec.Struct, forbid_unknown_fields=True):
    case: list[Case]


def read_cases(file: Path) -> list[Case]:
    return msgspec.toml.decode(file.read_bytes(), type=CaseFile).case


def columns_of(cases: list[Case]) -> list[dict[str, Any]]:
    inputs = ("user_agent", "variables", "route_type", "event_type")
    events = pl.LazyFrame({name: [getattr(case, name) for case in cases] for name in inputs})
    return with_clients(events).select(COLUMNS).collect().to_dicts()


def events_with(user_agents: list[str | None], variables: str | None = "{}") -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "user_agent": user_agents,
            "variables": [variables] * len(user_agents),
            "route_type": ["docker"] * len(user_agents),
            "event_type": ["pull"] * len(user_agents),
        },
        schema=dict.fromkeys(("user_agent", "variables", "route_type", "event_type"), pl.String),
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_user_agents_are_read_as_their_cases_say(file: Path) -> None:
    cases = read_cases(file)
    for case, found in zip(cases, columns_of(cases), strict=True):
        expected = {name: getattr(case, name) for name in COLUMNS}
        assert found == expected, case.user_agent


def test_there_are_cases_for_every_kind_of_agent() -> None:
    kinds = {case.agent_kind for file in FILES for case in read_cases(file)}
    assert kinds == set(AGENT_KINDS)


def test_a_misspelt_key_of_a_case_fails(tmp_path: Path) -> None:
    file = tmp_path / "curl.toml"
    file.write_text('[[case]]\nuser_agent = "curl/8"\nagent_kind = "tool"\nversion = "8"\n')
    with pytest.raises(msgspec.ValidationError, match="version"):
        read_cases(file)


def test_the_columns_are_those_of_the_events_table_and_the_kind() -> None:
    added = with_clients(events_with(["curl/8.5.0"])).collect_schema()
    assert set(COLUMNS) - {"agent_kind"} <= set(EVENTS)
    assert all(added[name] == pl.String for name in COLUMNS)


def test_first_words_are_lower_case_and_found() -> None:
    for word, (client, kind) in PRODUCTS.items():
        assert word == word.lower()
        found = parse(f"{word}/1.2.3")
        assert (found.client, found.agent_kind) == (client, kind)


def test_rows_keep_their_order_and_number() -> None:
    agents = [None, "curl/8.5.0", "", "Wget/1.21.3", "curl/8.5.0", None] * 50
    found = with_clients(events_with(agents)).select("user_agent", "client").collect()
    names = {"curl/8.5.0": "curl", "Wget/1.21.3": "wget"}
    assert found["user_agent"].to_list() == agents
    assert found["client"].to_list() == [names.get(agent or "") for agent in agents]


def test_the_streaming_engine_gives_the_same() -> None:
    agents = [f"curl/8.{n % 300}.0" for n in range(20_000)]
    query = with_clients(events_with(agents))
    assert query.collect(engine="streaming").equals(query.collect(engine="in-memory"))


@pytest.mark.parametrize(
    ("platform", "told", "expected"),
    [
        pytest.param("linux/amd64", (None, None), ("Linux", "amd64"), id="the-platform-tells"),
        pytest.param("linux/arm64/v8", (None, None), ("Linux", "arm64"), id="with-variant"),
        pytest.param("linux/arm/v7", (None, None), ("Linux", "arm/v7"), id="variant-that-counts"),
        pytest.param("linux/amd64", ("Linux", "arm64"), ("Linux", "arm64"), id="the-client-told"),
        pytest.param("linux/amd64", ("Linux", None), ("Linux", "amd64"), id="the-client-told-half"),
        pytest.param("linux/toaster", (None, None), ("Linux", None), id="unknown-architecture"),
        pytest.param("plan9", (None, None), (None, None), id="unknown-system"),
        pytest.param(None, ("Linux", None), ("Linux", None), id="no-platform"),
    ],
)
def test_an_image_tells_its_platform_where_the_client_does_not(
    platform: str | None,
    told: tuple[str | None, str | None],
    expected: tuple[str | None, str | None],
) -> None:
    event = pl.LazyFrame(
        {"platform": [platform], "os": [told[0]], "arch": [told[1]]},
        schema=dict.fromkeys(("platform", "os", "arch"), pl.String),
    )
    assert with_image_platforms(event).select("os", "arch").collect().row(0) == expected


# Pieces of real user agents in disorder reach further into the parser than plain text does.
PIECES = st.sampled_from(
    [
        *("Mozilla/5.0 ", "pip/", "uv/1 ", "docker/", "npm/", "Gradle/8 ", "NuGet ", "curl/"),
        *("{", "}", '"ci":true', '{"distro":{"libc":', "(", ")", ";", "/", " ", "1.2.3", "v"),
        *("go/go1.2", "cpython 3.1", "os/linux", "darwin22", "x86_64", " ci/", "Ubuntu/", "²", "İ"),
        *("Android 10; K", "Mac OS X 10_", "Windows NT 6.1", "Chrome/9", "bot"),
        *("\0", "\u017f", "\u212a"),
        *(mark.client for mark in (*SPECIFIC.marks, *BOTS.marks)),
    ]
)
USER_AGENTS = st.text(max_size=80) | st.lists(PIECES, max_size=15).map("".join)
CLIENTS = {name for name, _ in PRODUCTS.values()} | {
    mark.client for mark in (*SPECIFIC.marks, *BOTS.marks)
}
BROWSERS = {"Edge", "Opera", "Samsung Internet", "Vivaldi", "Yandex Browser", "DuckDuckGo"} | {
    "Electron",
    "Firefox",
    "Chrome",
    "Safari",
}


@given(USER_AGENTS)
def test_any_text_is_read_and_nothing_is_invented(user_agent: str) -> None:
    found = parse(user_agent)
    assert found.agent_kind in AGENT_KINDS
    assert "" not in found
    assert found.client is None or found.client in CLIENTS | BROWSERS
    for version in (found.client_version, found.runtime_version):
        assert version is None or version in user_agent
    for name in ("client_version", "runtime_version", "os_version"):
        subject = name.removesuffix("_version")
        assert getattr(found, name) is None or getattr(found, subject) is not None


@given(USER_AGENTS)
def test_the_one_pass_over_all_marks_misses_none(user_agent: str) -> None:
    for marks in (SPECIFIC, BOTS):
        is_marked = any(mark.pattern.search(user_agent) for mark in marks.marks)
        assert (marks.find(user_agent) is not None) == is_marked


@given(st.lists(USER_AGENTS | st.none(), max_size=5), st.text(max_size=60) | st.none())
def test_any_events_are_read(user_agents: list[str | None], variables: str | None) -> None:
    found = with_clients(events_with(user_agents, variables)).collect()
    assert found.height == len(user_agents)
    assert not any(value == "" for name in COLUMNS for value in found[name])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Mozilla/5.0 " + "(iPhone " * 125, id="brackets-left-open"),
        pytest.param("gradle/" + "(a;1;" * 200, id="gradle-brackets"),
        pytest.param("nuget" + " a" * 500, id="words"),
        pytest.param("pip/1 " + '{"a":' * 200, id="deep-json"),
        pytest.param("pip/1 " + "[" * 1000, id="deep-json-list"),
        pytest.param("x" * 1024, id="one-word"),
        pytest.param("1" * 1024, id="digits"),
        pytest.param("a-" * 512, id="dashes"),
    ],
)
def test_no_text_takes_long(text: str) -> None:
    start = time.perf_counter()
    parse(text[:USER_AGENT_LIMIT])
    # A hundred times what the slowest takes; backtracking would take far longer.
    assert time.perf_counter() - start < 0.5


def test_an_agent_is_unknown_by_itself() -> None:
    assert Agent().agent_kind == "unknown"
    assert parse("") == Agent()
