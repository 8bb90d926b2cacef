"""Telemetry: who may send it, how much of it, and what it becomes."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import Refusal, Reply
from gateway.protocols import telemetry
from gateway.request import Request
from gateway.routes import TelemetryRoute

TOKEN = "s3cret"
OPEN = TelemetryRoute(
    domains=("*",), package="tool", package_id="p1", path="/t", max_body_bytes=64, max_events=2
)
CLOSED = TelemetryRoute(
    domains=("*",),
    package="tool",
    path="/closed",
    token_sha256=("0" * 64, sha256(TOKEN.encode()).hexdigest().upper()),
)
INDEX = telemetry.build([OPEN, CLOSED])


def ask(body: bytes = b"", path: str = "/t", method: str = "POST", **headers: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return telemetry.decide(INDEX, Request(method, "h", path, "", headers, body))


def test_each_object_is_an_event() -> None:
    reply = ask(b'{"a": {"b": 1}} {"$version": "2.0", "c": true}')
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (200, b'{"events":2}')
    first, second = reply.hits
    assert (first.event_type, first.route_type, first.package_id) == (
        "telemetry",
        "telemetry",
        "p1",
    )
    assert (first.variables, first.version) == ({"a.b": "1"}, None)
    assert (second.variables, second.version) == ({"c": "true"}, "2.0")


@pytest.mark.parametrize(
    "authorization",
    ["Bearer s3cret", "bearer s3cret", "Bearer  s3cret "],
    ids=["exact", "case", "space"],
)
def test_a_token_opens(authorization: str) -> None:
    assert ask(b"{}", "/closed", authorization=authorization).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"authorization": "Bearer wrong"}, id="wrong"),
        pytest.param({"authorization": "Basic s3cret"}, id="scheme"),
        pytest.param({"authorization": f"Bearer {sha256(b's3cret').hexdigest()}"}, id="the hash"),
        pytest.param({"authorization": "Bearer "}, id="empty"),
    ],
)
def test_without_a_token_it_is_401(headers: dict[str, str]) -> None:
    refusal = ask(b"{}", "/closed", **headers)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 401
    assert refusal.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_address_is_believed_from_a_holder_of_a_token_alone() -> None:
    body = b'{"$remote_address": "192.0.2.7"}'
    (vouched,) = ask(body, "/closed", authorization="Bearer s3cret").hits
    (anybody,) = ask(body).hits
    assert vouched.address == "192.0.2.7"
    assert anybody.address is None
    for hit in (vouched, anybody):
        assert "192.0.2.7" not in str(hit.variables)


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        pytest.param(b"{" + b" " * 64 + b"}", 413, "bytes", id="large body"),
        pytest.param(b"{}{}{}", 413, "events", id="many events"),
        pytest.param(b"{", 400, "JSON", id="no JSON"),
        pytest.param(b"[1]", 400, "object", id="no object"),
    ],
)
def test_a_body_is_taken_whole_or_not_at_all(body: bytes, status: int, word: str) -> None:
    refusal = ask(body)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert word in refusal.reason


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_other_methods(method: str) -> None:
    refusal = ask(method=method)
    assert (refusal.status, refusal.headers["Allow"]) == (405, "POST")


def test_a_packed_body_is_not_unpacked() -> None:
    assert ask(b"\x1f\x8b", content_encoding="gzip").status == 415


def test_other_paths_are_left_to_other_protocols() -> None:
    assert ask(path="/other") is None


@given(body=st.binary(), path=st.sampled_from(["/t", "/closed"]), authorization=st.text())
def test_decide_is_total(body: bytes, path: str, authorization: str) -> None:
    assert ask(body, path, authorization=authorization) is not None
