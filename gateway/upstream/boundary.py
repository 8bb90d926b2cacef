"""Where the gateway may be led by an upstream's word: out into the public, and no further inside.

A route names its upstream, and that may be anywhere, loopback included: the operator wrote it down.
But upstreams name places too: an index redirects to a page, a registry names its token service.
Whoever controls one could so have the gateway ask a metadata service or an inner host for him.
Such a place must be public, or the host of the route's own upstream, unless the route allows it.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# Translates IPv4 for networks that have none; the last four bytes are the address (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


class NotPublicError(OSError):
    """A host name that leads into a network of somebody's own."""


def is_elsewhere(url: str, upstream: str) -> bool:
    """Whether a URL is on another host than the upstream that a route names."""
    try:
        return urlsplit(url).hostname != urlsplit(upstream).hostname
    except ValueError:
        return True


def is_inner_address(host: str) -> bool:
    """Whether a URL's host is an address, and not a public one. Names are judged when resolved."""
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return not is_public(address)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the whole internet, and any that is wrapped in it too."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return True
    wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        wrapped.append(IPv4Address(address.packed[-4:]))
    return all(is_public(inner) for inner in wrapped if inner is not None)


class PublicResolver(AbstractResolver):
    """Resolves names to their public addresses only.

    The check is here, and not on the name beforehand, because what is connected to must be what
    was checked: a name may have another address a moment later.
    """

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()
        # Where a proxy is set, the gateway connects to that one alone, and it may be anywhere.
        self._proxies = set(_hosts(getproxies().values()))

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look a name up. Raises NotPublicError where it has no public address."""
        found = await self._resolver.resolve(host, port, family)
        if host in self._proxies:
            return found
        public = [each for each in found if not is_inner_address(each["host"])]
        if not public:
            raise NotPublicError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        """Let go of the resolver behind it."""
        await self._resolver.close()


def _hosts(urls: Iterable[str]) -> Iterable[str]:
    for url in urls:
        try:
            host = urlsplit(url).hostname
        except ValueError:
            continue
        if host:
            yield host
