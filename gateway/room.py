"""Room for new connections: a worker closes the idlest of its own before descriptors run out.

A worker without descriptors accepts nobody, asks no upstream and opens no journal; thousands of
clients that connect and say nothing could bring it there. So connections may have no more than a
share of the descriptors, and when they are at it, those go that have waited longest: a client that
asks at once is answered, however many others are there.
"""

import logging
import resource
from collections.abc import Collection
from heapq import nsmallest
from typing import Final, Protocol

from gateway.counters import Counters
from gateway.logs import Seldom

SHARE: Final = 0.75  # of the descriptors, for clients
MOST: Final = 50_000  # connections, which take some 6 kB each
# Of each of the two pools of connections to upstreams. What is left is for the journal and files.
POOL_SHARE: Final = 0.1
POOL_MOST: Final = 4096
# Looking for the idlest costs a look at all, so that one of so many goes at once.
_AT_ONCE: Final = 32
# Where the limit has no end, as on some systems.
_ENDLESS: Final = 65_536

log = logging.getLogger(__name__)


class Closable(Protocol):
    """A connection."""

    def waiting(self) -> tuple[bool, float]:
        """Whether the gateway is at work on an answer for it, and since when it is as it is."""

    def give_way(self) -> None:
        """Close it, whatever it waits for."""


def raise_limit() -> int:
    """Raise this process's limit of descriptors as far as it may; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, _ENDLESS) if hard == resource.RLIM_INFINITY else hard
    if soft != wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            log.warning("the limit of %s file descriptors cannot be raised: %s", soft, error)
            return soft
    return wanted


def most_of(descriptors: int) -> int:
    """How many connections a process holds that may have so many descriptors."""
    return max(1, min(MOST, int(SHARE * descriptors)))


def pool_of(descriptors: int) -> int:
    """How many connections a pool holds in a process that may have so many descriptors."""
    return max(1, min(POOL_MOST, int(POOL_SHARE * descriptors)))


class Room:
    """Keeps the connections of one worker at a number that it can hold."""

    def __init__(self, counters: Counters, most: int = MOST) -> None:
        self.most = most
        self._counters = counters
        self._seldom = Seldom(log)

    def make(self, connections: Collection[Closable]) -> list[Closable]:
        """Close the idlest, those that wait for an answer last; return them."""
        at_once = max(1, self.most // _AT_ONCE)
        idlest = nsmallest(at_once, connections, key=lambda connection: connection.waiting())
        for connection in idlest:
            connection.give_way()
        self._counters.close_idle(len(idlest))
        self._seldom.warn(
            "room",
            "idle connections are closed to make room: a worker holds %d; right would be "
            "a higher limit of file descriptors (ulimit -n, LimitNOFILE), or fewer idle clients",
            self.most,
        )
        return idlest
