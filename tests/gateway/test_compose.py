"""The event of one hit: what is taken over, what is capped, what is taken out."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import compose
from gateway.decision import Hit
from gateway.events import RawEvent
from gateway.ipdata import Place
from gateway.request import Request
from gateway.visitor import Visitor

NOW = 1_790_000_000_000_000
DAY = 86_400_000_000
CLIENT = "127.77.88.99"
HIT = Hit(
    event_type="download", route_type="file", package_id="id", package="tool", artifact="tool.tgz",
    version="1.2", reference="1.2",
)  # fmt: skip


def composed(hit: Hit = HIT, headers: dict[str, str] | None = None, **facts: Any) -> RawEvent:
    request = msgspec.structs.replace(
        Request("GET", "get.acme.example", "/tool"), headers=headers or {}, **facts
    )
    visitor = Visitor(CLIENT, Place(country="DE", asn=64500), 1, 2)
    sender = compose.sender(request.headers)
    return compose.compose(hit, request, sender, visitor, status=307, now=NOW, event_id="new")


def hit(**changes: Any) -> Hit:
    return msgspec.structs.replace(HIT, **changes)


def test_what_is_taken_over() -> None:
    event = composed(
        hit(variables={"os": "linux"}),
        {"user-agent": "curl/8", "referer": "https://acme.example/a?b", "range": "bytes=100-"},
    )
    assert msgspec.structs.asdict(event) == {
        "v": 1, "event_id": "new", "event_time": NOW, "event_type": "download",
        "route_type": "file", "package_id": "id", "package": "tool", "host": "get.acme.example",
        "artifact": "tool.tgz", "version": "1.2", "reference": "1.2", "method": "GET",
        "status": 307, "range_start": 100, "user_agent": "curl/8",
        "referrer": "https://acme.example/a", "variables": '{"os":"linux"}', "country": "DE",
        "region": None, "city": None, "latitude": None, "longitude": None, "asn": 64500,
        "as_org": None, "company": None, "company_domain": None, "connection_type": None,
        "origin_id": 1, "endpoint_id": 2,
    }  # fmt: skip


def test_a_hit_speaks_for_itself_where_it_does() -> None:
    sent = hit(referrer="http://a.example/", user_agent="x/1", event_id="sent", host="b.example")
    event = composed(sent, {"user-agent": "curl/8", "referer": "https://acme.example/"})
    assert (event.referrer, event.user_agent) == ("http://a.example/", "x/1")
    assert (event.event_id, event.host) == ("sent", "b.example")


@pytest.mark.parametrize(
    ("sent", "dated"),
    [(None, NOW), (NOW - DAY, NOW - DAY), (NOW + DAY, NOW + DAY), (NOW + DAY + 1, NOW), (0, NOW),
     (-(2**70), NOW)],
)  # fmt: skip
def test_times_that_cannot_be_are_ours(sent: int | None, dated: int) -> None:
    assert composed(hit(event_time=sent)).event_time == dated


@pytest.mark.parametrize(
    ("header", "start"),
    [
        (None, None), ("bytes=0-", 0), ("bytes=100-", 100), ("bytes=5-9, 20-", 5),
        ("BYTES = 7-", 7), ("bytes=-500", -500), ("bytes=-0", -1), ("items=1-", None),
        ("bytes=", None), ("bytes=x-", None), ("bytes=99999999999999999999-", None),
    ],
)  # fmt: skip
def test_range_starts(header: str | None, start: int | None) -> None:
    assert compose.range_start(header) == start


def test_the_clients_own_address_is_in_no_field() -> None:
    everything = hit(
        package=CLIENT, package_id=CLIENT, artifact=f"a-{CLIENT}.tgz", version=CLIENT,
        reference=CLIENT, variables={"v": CLIENT, CLIENT: "x", "file": f"a-{CLIENT}.tgz"},
    )  # fmt: skip
    headers = {"user-agent": f"x/{CLIENT}", "referer": f"http://{CLIENT}/{CLIENT}"}
    event = composed(everything, headers, host=CLIENT, method=CLIENT)
    assert CLIENT not in msgspec.json.encode(event).decode()
    assert event.artifact == "a-[ip].tgz"


def test_a_version_of_four_numbers_stays_wherever_the_route_found_it() -> None:
    event = composed(hit(version="17.0.8.1", reference="17.0.8.1", artifact="jdk-17.0.8.1.tgz",
                         variables={"version": "17.0.8.1", "file": "jdk-17.0.8.1.tgz",
                                    "other": "17.0.8.2"}))  # fmt: skip
    assert (event.version, event.artifact) == ("17.0.8.1", "jdk-17.0.8.1.tgz")
    assert json.loads(event.variables) == {
        "version": "17.0.8.1", "file": "jdk-17.0.8.1.tgz", "other": "[ip]",
    }  # fmt: skip


def test_variables_lose_what_names_someone_and_secrets_by_their_key() -> None:
    event = composed(hit(variables={"mail": "canary@example.com", "token": "short", "os": "linux"}))
    assert json.loads(event.variables) == {"mail": "[email]", "token": "[secret]", "os": "linux"}


def test_variables_are_capped() -> None:
    event = composed(hit(variables={f"{n:03}{'k' * 300}": "v " * 2000 for n in range(100)}))
    kept = json.loads(event.variables)
    assert 0 < len(kept) < 100
    assert all(len(key) <= 128 and len(value) <= 1024 for key, value in kept.items())
    assert len(event.variables) < 9000


def test_a_strange_method_is_not_taken_over() -> None:
    assert composed(method="BREW").method == "OTHER"


# What the quick test lets through, what it does not, and addresses of the visitor in all spellings.
WORDS = st.sampled_from(
    ["tool", "1.2", "17.0.8.1", "tool-linux-amd64.tar.gz", CLIENT, f"a-{CLIENT}.tgz", "\u00fc",
     CLIENT.replace(".", "-"), CLIENT.replace(".", "%2E"), "me@a.example", "a" * 1100, "", "::1",
     "ghp_" + "aB3dE5" * 6, "x86_64-unknown-linux-gnu", 'quo"te', "a/b"]
) | st.text(st.characters(codec="utf-8"), max_size=8)  # fmt: skip
HITS = st.builds(
    Hit,
    event_type=st.just("download"), route_type=st.just("file"), package_id=WORDS, package=WORDS,
    artifact=WORDS, version=st.none() | WORDS, reference=st.none() | WORDS,
    referrer=st.none() | WORDS.map(lambda word: f"https://a.example/{word}"),
    user_agent=st.none() | WORDS, event_time=st.none() | st.just(NOW - DAY),
    event_id=st.none() | st.just("sent"), host=st.none() | WORDS,
    variables=st.dictionaries(WORDS | st.just("token"), WORDS, max_size=3),
)  # fmt: skip
ASKED = st.dictionaries(st.sampled_from(["user-agent", "referer", "range"]), WORDS)


@example(HIT, {"user-agent": f"x/{CLIENT}"}, CLIENT, Place())
@given(
    HITS,
    ASKED,
    st.sampled_from([CLIENT, "2001:db8::7", ""]),
    st.sampled_from([Place(country="DE", city="K\u00f6ln"), Place(latitude=0.0), Place()]),
)
def test_an_event_put_together_from_parts_is_the_same_event(
    found: Hit, headers: dict[str, str], address: str, place: Place
) -> None:
    request = Request("GET", "get.acme.example", "/tool", headers=headers)
    visitor = Visitor(address, place, 1, 2**64 - 1)
    sender = compose.sender(headers)
    whole = compose.compose(found, request, sender, visitor, status=307, now=NOW, event_id="new")
    # The draft serves requests with other headers too.
    draft = compose.draft(found, Request("GET", "get.acme.example", "/tool"), 307)
    written = compose.finish(draft, compose.sign(sender).for_hit(found), visitor, NOW, "new")
    assert msgspec.json.decode(written, type=RawEvent) == whole
    assert not address or address not in written.decode()
