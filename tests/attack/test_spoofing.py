"""Who may say where a request came from, and what was asked: nobody but trusted proxies."""

from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import intake
from gateway.proxies import Proxies
from tests.attack.target import Gateway, gateway

PEER = "127.0.0.5"
CLIENT = "203.0.113.7"
LIAR = "198.51.100.66"
INNER = "10.1.1.1"  # a proxy of ours, further from us
NETWORKS = ("127.0.0.5/32", "10.0.0.0/8")
NOBODY, ONE_HOP, TWO_HOPS = 0, 1, 2

# What a client, or a proxy on the way, says; what is believed with 0, 1 and 2 trusted hops and with
# networks, when the connection comes from PEER.
MATRIX: list[tuple[str, dict[str, str], tuple[str, str, str, str]]] = [
    ("nothing", {}, (PEER, PEER, PEER, PEER)),
    ("one proxy", {"x-forwarded-for": CLIENT}, (PEER, CLIENT, PEER, CLIENT)),
    ("a lie before one proxy", {"x-forwarded-for": f"{LIAR}, {CLIENT}"},
     (PEER, CLIENT, LIAR, CLIENT)),
    ("two proxies", {"x-forwarded-for": f"{CLIENT}, {INNER}"}, (PEER, INNER, CLIENT, CLIENT)),
    ("a lie before two proxies", {"x-forwarded-for": f"{LIAR}, {CLIENT}, {INNER}"},
     (PEER, INNER, CLIENT, CLIENT)),
    ("an inner address as a lie", {"x-forwarded-for": f"{INNER}, {CLIENT}"},
     (PEER, CLIENT, INNER, CLIENT)),
    ("only inner addresses", {"x-forwarded-for": f"10.9.9.9, {INNER}"},
     (PEER, INNER, "10.9.9.9", "10.9.9.9")),
    ("nonsense", {"x-forwarded-for": "unknown"}, (PEER, PEER, PEER, PEER)),
    ("nonsense at the right", {"x-forwarded-for": f"{LIAR}, unknown"}, (PEER, PEER, LIAR, PEER)),
    ("an empty entry", {"x-forwarded-for": f"{LIAR}, "}, (PEER, PEER, LIAR, PEER)),
    ("an obfuscated name", {"x-forwarded-for": "_hidden, _SEVKISEK"}, (PEER, PEER, PEER, PEER)),
    ("a port", {"x-forwarded-for": f"{CLIENT}:4711"}, (PEER, CLIENT, PEER, CLIENT)),
    ("IPv6", {"x-forwarded-for": "[2001:db8::7]:4711"},
     (PEER, "2001:db8::7", PEER, "2001:db8::7")),
    ("IPv6 with a zone", {"x-forwarded-for": "fe80::7%eth0"}, (PEER, "fe80::7", PEER, "fe80::7")),
    ("mapped", {"x-forwarded-for": f"::ffff:{CLIENT}"}, (PEER, CLIENT, PEER, CLIENT)),
    ("quoted", {"x-forwarded-for": f'"{CLIENT}"'}, (PEER, CLIENT, PEER, CLIENT)),
    ("a number", {"x-forwarded-for": "3405803783"}, (PEER, PEER, PEER, PEER)),
    ("octal", {"x-forwarded-for": "0313.0.0161.07"}, (PEER, PEER, PEER, PEER)),
    *((name, {name.lower(): value}, (PEER, PEER, PEER, PEER)) for name, value in (
        ("Forwarded", f"for={LIAR};host=evil.example;proto=https"),
        ("X-Real-IP", LIAR),
        ("True-Client-IP", LIAR),
        ("CF-Connecting-IP", LIAR),
        ("X-Client-IP", LIAR),
        ("X-Cluster-Client-IP", LIAR),
        ("Fastly-Client-IP", LIAR),
        ("X-Forwarded", LIAR),
        ("X-Original-Forwarded-For", LIAR),
        ("X-Forwarded-For-Original", LIAR),
        ("Via", f"1.1 {LIAR}"),
        ("From", f"me@{LIAR}"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "believed"), [row[1:] for row in MATRIX],
                         ids=[row[0] for row in MATRIX])  # fmt: skip
def test_who_is_believed(headers: dict[str, str], believed: tuple[str, ...]) -> None:
    for trusted, address in zip((NOBODY, ONE_HOP, TWO_HOPS, NETWORKS), believed, strict=True):
        assert Proxies(trusted).origin(PEER, headers).address == address, trusted


@pytest.mark.parametrize("peer", ["127.0.0.6", "", "11.0.0.1", "::1", LIAR])
def test_a_peer_outside_of_the_networks_is_the_client(peer: str) -> None:
    headers = {"x-forwarded-for": CLIENT, "x-forwarded-host": "evil.example",
               "x-forwarded-proto": "https"}  # fmt: skip
    origin = Proxies(NETWORKS).origin(peer, headers)
    assert (origin.address, origin.host, origin.scheme) == (peer, None, None)


@pytest.mark.parametrize(
    ("trusted", "said", "host"),
    [
        (NOBODY, "get.acme.example", "asked.example"),
        (ONE_HOP, "get.acme.example", "get.acme.example"),
        (NETWORKS, "get.acme.example", "get.acme.example"),
        (ONE_HOP, "evil.example, get.acme.example", "get.acme.example"),
        (ONE_HOP, "GET.acme.example:443", "get.acme.example"),
        (ONE_HOP, "", "asked.example"),
        (ONE_HOP, "evil.example@get.acme.example", None),
        (ONE_HOP, "get.acme.example/evil", None),
        (ONE_HOP, '"><script>', None),
    ],
)
def test_who_may_name_the_host(trusted: int | tuple[str, ...], said: str, host: str | None) -> None:
    lines = [("host", "asked.example"), ("x-forwarded-for", CLIENT), ("x-forwarded-host", said)]

    def read() -> str:
        request, _ = intake.read("GET", "/x", lines, body=b"", peer=PEER, proxies=Proxies(trusted))
        return request.host

    if host is None:
        with pytest.raises(intake.BadTarget):
            read()
    else:
        assert read() == host


ENTRY = st.one_of(st.ip_addresses().map(str), st.text('0123456789abcdef.:[]"% _-', max_size=20))


@given(st.lists(ENTRY, max_size=4), st.lists(ENTRY, min_size=1, max_size=3), st.integers(1, 3))
def test_whatever_a_client_writes_changes_nothing_that_trusted_proxies_say(
    lies: list[str], chain: list[str], hops: int
) -> None:
    chain = [entry.replace(",", "") for entry in chain][-hops:]
    if len(chain) < hops:
        return
    honest = Proxies(hops).origin(PEER, {"x-forwarded-for": ", ".join(chain)})
    told = Proxies(hops).origin(PEER, {"x-forwarded-for": ", ".join([*lies, *chain])})
    assert told == honest
    ip_address(told.address)


@given(st.lists(ENTRY, max_size=4))
def test_by_networks_the_client_is_the_last_whom_no_proxy_of_ours_wrote(lies: list[str]) -> None:
    told = Proxies(NETWORKS).origin(PEER, {"x-forwarded-for": ", ".join([*lies, CLIENT, INNER])})
    assert told.address == CLIENT


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("spoofing"), "--trusted-proxies", "0") as target:
        yield target


@pytest.mark.parametrize(
    "line",
    [
        f"PROXY TCP4 {LIAR} 127.0.0.1 4711 80\r\n".encode(),
        b"PROXY UNKNOWN\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([198, 51, 100, 66]) + b"\x7f\0\0\1AA\0P",
    ],
    ids=["version 1", "unknown", "version 2"],
)  # fmt: skip
def test_a_proxy_line_is_no_request(target: Gateway, line: bytes) -> None:
    answer = target.send(line + b"GET /tool/1.0/x HTTP/1.1\r\nHost: get.acme.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_two_liars_are_one_visitor(target: Gateway) -> None:
    for number, (_, said, _) in enumerate(MATRIX):
        headers = {**said, "x-forwarded-host": "all.acme.example"}
        status, told, _ = target.ask(f"/tool/{number}/x", headers, source=PEER)
        assert (status, told["location"]) == (307, f"https://files.acme.example/{number}/x")
    target.stop()
    table = target.raw()
    assert table.height == len(MATRIX)
    assert table["endpoint_id"].n_unique() == 1
    assert set(table["host"]) == {"get.acme.example"}
