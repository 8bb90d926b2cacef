"""Whose word is taken for the client's address: the socket's, or that of trusted proxies before it.

Only `X-Forwarded-For` is read, from the right, because each proxy writes at that end what it has
seen itself. `Forwarded` and every other header pass through common proxies as the client sent
them, so they are never believed.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_pton

import msgspec

Address = IPv4Address | IPv6Address


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a request came from, and what the client typed, as far as it can be believed."""

    address: str  # of the client, as written; "" when there is none, as on a Unix socket
    host: str | None  # what a trusted proxy says was asked; None: nothing believable
    scheme: str | None


class Proxies:
    """The proxies that are trusted: the last so many, or all in some networks."""

    def __init__(self, trusted: int | tuple[str, ...] = 0) -> None:
        self._hops = trusted if isinstance(trusted, int) else 0
        networks = () if isinstance(trusted, int) else map(ip_network, trusted)
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(networks)
        self.none = not self._hops and not self._networks

    def origin(self, peer: str, headers: Mapping[str, str]) -> Origin:
        """Say where a request came from. The headers' names are lower case, repeats joined."""
        if self.none or (self._networks and not self._is_trusted(parse_address(peer))):
            return Origin(peer, None, None)
        chain = headers.get("x-forwarded-for", "").split(",")
        address = self._by_hops(peer, chain) if self._hops else self._by_networks(peer, chain)
        return Origin(
            address, _last(headers.get("x-forwarded-host")), _last(headers.get("x-forwarded-proto"))
        )

    def _by_hops(self, peer: str, chain: list[str]) -> str:
        # A shorter chain did not come through every proxy, so nobody trusted wrote its left end.
        if len(chain) < self._hops:
            return peer
        address = parse_address(chain[-self._hops])
        return peer if address is None else str(address)

    def _by_networks(self, peer: str, chain: list[str]) -> str:
        client = peer
        for entry in reversed(chain):
            address = parse_address(entry)
            if address is None:
                break
            client = str(address)
            if not self._is_trusted(address):
                break
        return client

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def parse_address(text: str) -> Address | None:
    """Read an address as proxies write it, with or without a port; None when it is none.

    An IPv6 address that only wraps an IPv4 address is that IPv4 address.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]
    # What the operating system reads in a fifth of the time is what `ip_address` reads.
    try:
        if ":" not in text:
            return IPv4Address(inet_pton(AF_INET, text))
        address = IPv6Address(inet_pton(AF_INET6, text))
    except (OSError, ValueError):
        return None
    return address.ipv4_mapped or address


def _last(value: str | None) -> str | None:
    # A chain of proxies may add to the header; the one next to us wrote the last.
    return value.rpartition(",")[2].strip() or None if value else None
