"""Whose word is taken for the client's address, as a table of headers that try to lie."""

from ipaddress import ip_address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.proxies import Origin, Proxies, parse_address

PEER, CLIENT, INNER, LIE = "10.0.0.1", "198.51.100.7", "10.0.0.2", "203.0.113.66"

CASES = [
    ("nobody is trusted", 0, PEER, CLIENT, PEER),
    ("one hop", 1, PEER, CLIENT, CLIENT),
    ("one hop, the client lies on the left", 1, PEER, f"{LIE}, {CLIENT}", CLIENT),
    ("two hops", 2, PEER, f"{CLIENT}, {INNER}", CLIENT),
    ("two hops, the client lies", 2, PEER, f"{LIE}, {CLIENT}, {INNER}", CLIENT),
    ("two hops, one was passed by", 2, PEER, LIE, PEER),
    ("one hop, no header", 1, PEER, None, PEER),
    ("one hop, nonsense", 1, PEER, "unknown", PEER),
    ("networks", ("10.0.0.0/8",), PEER, CLIENT, CLIENT),
    ("networks, several proxies", ("10.0.0.0/8",), PEER, f"{LIE}, {CLIENT}, {INNER}", CLIENT),
    ("networks, the peer is a stranger", ("10.0.0.0/8",), LIE, CLIENT, LIE),
    ("networks, all trusted", ("10.0.0.0/8",), PEER, f"10.1.1.1, {INNER}", "10.1.1.1"),
    ("networks, nonsense on the way", ("10.0.0.0/8",), PEER, f"{LIE}, ?, {INNER}", INNER),
    ("networks, IPv6", ("fd00::/8",), "fd00::1", "2001:db8::7", "2001:db8::7"),
    ("networks, the peer is mapped", ("10.0.0.0/8",), f"::ffff:{PEER}", CLIENT, CLIENT),
    ("with a port", 1, PEER, f"{CLIENT}:4711", CLIENT),
    ("IPv6 with a port", 1, PEER, "[2001:db8::7]:4711", "2001:db8::7"),
    ("mapped", 1, PEER, f"::ffff:{CLIENT}", CLIENT),
]


@pytest.mark.parametrize(
    ("trusted", "peer", "chain", "address"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_the_clients_address(
    trusted: int | tuple[str, ...], peer: str, chain: str | None, address: str
) -> None:
    others = {"forwarded": f"for={LIE}", "x-real-ip": LIE, "cf-connecting-ip": LIE}
    headers = others if chain is None else {**others, "x-forwarded-for": chain}
    assert Proxies(trusted).origin(peer, headers).address == address


def test_host_and_scheme_are_believed_from_trusted_proxies_alone() -> None:
    headers = {"x-forwarded-host": "lie.example, get.acme.example", "x-forwarded-proto": "https"}
    assert Proxies(0).origin(PEER, headers) == Origin(PEER, None, None)
    assert Proxies(("10.0.0.0/8",)).origin(LIE, headers) == Origin(LIE, None, None)
    assert Proxies(1).origin(PEER, headers) == Origin(PEER, "get.acme.example", "https")


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "::g", "[", "a:1"]
)
def test_what_is_no_address(text: str) -> None:
    assert parse_address(text) is None


NEARLY = st.lists(
    st.sampled_from([".", ":", "::", "0", "00", "1", "12", "256", "1.2.3.4", "ffff", "a", "g"]),
    max_size=9,
).map("".join)


@given(NEARLY | st.ip_addresses().map(str) | st.text(st.characters(exclude_characters='[]"%')))
def test_an_address_is_what_the_standard_library_takes_for_one(text: str) -> None:
    assume(text.count(":") != 1)  # before a port
    try:
        expected = ip_address(text.strip())
    except ValueError:
        assert parse_address(text) is None
    else:
        assert parse_address(text) == (getattr(expected, "ipv4_mapped", None) or expected)
