"""JSON bodies: which events they carry, and why one is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bodies import BodyEvent, hits, parse
from gateway.decision import Hit, Refusal

BASE = Hit(
    event_type="telemetry", route_type="telemetry", package_id="id", package="p", version="0"
)


def events(body: str | bytes, max_bytes: int = 1_000_000, max_events: int = 100) -> Any:
    sent = body.encode() if isinstance(body, str) else body
    return parse(sent, max_bytes=max_bytes, max_events=max_events)


def variables(body: str) -> list[dict[str, str]]:
    return [event.variables for event in events(body)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param('{"x": "1"}', [{"x": "1"}], id="one object"),
        pytest.param('{"x":"1"}{"y":"2"}', [{"x": "1"}, {"y": "2"}], id="objects in a row"),
        pytest.param('{"x":"1"}\n\n{"y":"2"}\n', [{"x": "1"}, {"y": "2"}], id="one a line"),
        pytest.param('[{"x":"1"},{"y":"2"}]', [{"x": "1"}, {"y": "2"}], id="a list"),
        pytest.param("", [], id="nothing"),
        pytest.param("{}", [{}], id="an empty object"),
        pytest.param('\ufeff{"x":"1"}', [{"x": "1"}], id="a byte order mark"),
        pytest.param('{"a":{"b":{"c":1}}}', [{"a.b.c": "1"}], id="nested"),
        pytest.param('{"a":[1,{"b":2}]}', [{"a.0": "1", "a.1.b": "2"}], id="a list inside"),
        pytest.param(
            '{"a":true,"b":null,"c":1.50,"d":-0}',
            [{"a": "true", "b": "", "c": "1.5", "d": "0"}],
            id="values that are no text",
        ),
        pytest.param('{"a":"\\ud83d"}', [{"a": "?"}], id="half a character"),
        pytest.param(
            '{"$type":"start","$new":1}', [{"$type": "start", "$new": "1"}], id="free text"
        ),
        pytest.param('{"$package":"other","$pixel":"p"}', [{}], id="the route says whose it is"),
    ],
)
def test_a_body_is_read(body: str, expected: list[dict[str, str]]) -> None:
    assert variables(body) == expected


def test_dollar_keys_speak_of_the_event_itself() -> None:
    body = {
        "$version": 1.2,
        "$referrer": "https://docs.acme.example/",
        "$user_agent": "acme/1",
        "$domain": "Get.acme.example",
        "$remote_address": "192.0.2.7",
        "$time": "2026-01-02T03:04:05+01:00",
        "$unique_id": "u-1",
        "x": "1",
    }
    assert events(json.dumps(body)) == (
        BodyEvent(
            variables={"x": "1"},
            version="1.2",
            referrer="https://docs.acme.example/",
            user_agent="acme/1",
            host="get.acme.example",
            address="192.0.2.7",
            time=1_767_319_445_000_000,
            unique_id="u-1",
        ),
    )


def test_headers_stand_in_for_what_is_not_said() -> None:
    headers = [{"name": "User-Agent", "value": "h/1"}, {"name": "Referer", "value": "https://r/"}]
    (event,) = events(json.dumps({"$headers": headers, "$user_agent": "own/1"}))
    assert (event.user_agent, event.referrer) == ("own/1", "https://r/")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-02T03:04:05Z", 1_767_323_045_000_000),
        ("2026-01-02T03:04:05.000001", 1_767_323_045_000_001),
        ("2026-01-02", 1_767_312_000_000_000),
        (1_767_323_045, 1_767_323_045_000_000),
        (1_767_323_045.5, 1_767_323_045_500_000),
        (1_767_323_045_000, 1_767_323_045_000_000),
        (None, None),
    ],
)
def test_times(time: object, expected: int | None) -> None:
    (event,) = events(json.dumps({"$time": time}))
    assert event.time == expected


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param('{"x":1', 400, "not JSON", id="cut off"),
        pytest.param('{"x":1}{', 400, "not JSON", id="the second cut off"),
        pytest.param("1", 400, "object", id="no object"),
        pytest.param('[{"x":1},2]', 400, "object", id="no object in a list"),
        pytest.param('{"x":NaN}', 400, "not JSON", id="no number"),
        pytest.param(b'{"x":"\xff"}', 400, "UTF-8", id="not UTF-8"),
        pytest.param("[" * 100_000, 400, "nested", id="very deep"),
        pytest.param('{"a":' * 20 + "1" + "}" * 20, 400, "nested", id="deep"),
        pytest.param('{"a":' + "9" * 10_000 + "}", 400, "not JSON", id="a huge number"),
        pytest.param(json.dumps({"k" * 300: 1}), 400, "longer", id="a long key"),
        pytest.param('{"$time":"soon"}', 400, "$time", id="no time"),
        pytest.param('{"$time":true}', 400, "$time", id="a true time"),
        pytest.param('{"$time":"0001-01-01"}', 400, "$time", id="before the epoch"),
        pytest.param('{"$time":"9999-12-31T23:59:59-14:00"}', 400, "$time", id="after the end"),
        pytest.param('{"$version":{}}', 400, "$version", id="no text"),
        pytest.param('{"$headers":{}}', 400, "$headers", id="no headers"),
        pytest.param("{}" * 101, 413, "more than 100 events", id="too many"),
        pytest.param(" " * 1_000_001, 413, "larger than 1000000 bytes", id="too large"),
    ],
)
def test_a_body_is_refused_whole(body: str | bytes, status: int, reason: str) -> None:
    refusal = events(body)
    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert reason in refusal.reason


def test_a_bombs_cost_is_bounded() -> None:
    """A long key above many leaves would be copied into each of them."""
    bomb = json.dumps({"k" * 500_000: dict.fromkeys(map(str, range(20_000)), 1)})
    assert isinstance(events(bomb), Refusal)


def told(body: dict[str, object], *, vouched: bool = False) -> Hit:
    (hit,) = hits(BASE, events(json.dumps(body)), vouched=vouched)
    return hit


def test_a_hit_is_the_base_with_what_the_event_says() -> None:
    assert told({"x": 1}).version == "0"
    assert told({"version": "1"}).version == "1"
    assert told({"version": "1", "$version": "2"}).version == "2"
    assert told({"$referrer": "https://r/"}).referrer == "https://r/"
    assert told({}).referrer is None


def test_an_address_is_believed_only_where_a_token_vouches() -> None:
    body = {"$remote_address": "192.0.2.7"}
    assert told(body, vouched=True).address == "192.0.2.7"
    assert told(body).address is None
    assert "192.0.2.7" not in repr(told(body))


def test_the_senders_own_id_makes_a_repeated_event_one() -> None:
    first, again, other = (
        told({"$unique_id": "a"}),
        told({"$unique_id": "a"}),
        told({"$unique_id": "b"}),
    )
    assert first.event_id == again.event_id
    assert first.event_id != other.event_id
    assert told({}).event_id is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text("abc$", max_size=3), json_values, max_size=4), max_size=4))
def test_every_object_is_one_event(objects: list[dict[str, object]]) -> None:
    body = "\n".join(json.dumps(each) for each in objects)
    assert len(events(body)) == len(objects)


@given(st.binary() | st.text('{}[]":,$aetimeundrl0e19\\ \n').map(str.encode))
def test_every_body_is_read_or_refused(body: bytes) -> None:
    found = events(body)
    if isinstance(found, Refusal):
        assert found.status in {400, 413}
    else:
        for hit in hits(BASE, found):
            assert all(isinstance(value, str) for value in hit.variables.values())
