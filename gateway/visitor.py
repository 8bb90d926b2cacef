"""The visitor of a request: an address becomes a place, a network and two ids, and is forgotten.

All of it happens in memory, before the event exists. The caches hold addresses too; they are
bounded, and emptied when the salt changes.
"""

import datetime as dt
import hashlib
import logging
import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import msgspec

from gateway import salts
from gateway.config import Rotation
from gateway.ipdata import NOWHERE, IpData, Place
from gateway.proxies import parse_address

_CACHED = 16_384  # the slots of each cache; some 20 MB when all are taken
_RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


class Visitor(msgspec.Struct, frozen=True, gc=False):
    """Who asked: what an event may know of them, and the address that it must not."""

    address: str  # in its usual spelling, only to be taken out of texts; "" where there is none
    place: Place
    origin_id: int  # of address and user agent, under the period's salt
    endpoint_id: int  # of the address alone
    json: str = ""  # made of the above: an event's last fields, without the opening brace

    def __post_init__(self) -> None:
        ids = f'"origin_id":{self.origin_id},"endpoint_id":{self.endpoint_id}'
        place = msgspec.json.encode(self.place)[1:].decode()
        written = f"{ids}{place}" if place == "}" else f"{ids},{place}"
        msgspec.structs.force_setattr(self, "json", written)


class Visitors:
    """Turns addresses into visitors under the salt of the time. One a process; not for threads."""

    def __init__(
        self,
        ip_data: IpData,
        salt_directory: Path,
        rotation: Rotation = "day",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ip_data = ip_data
        self._directory = salt_directory
        self._rotation = rotation
        self._clock = clock
        self._from = self._until = 0.0  # the span, in seconds since the epoch, of the salt at hand
        self._stand_in: tuple[salts.Period | None, bytes] = (None, b"")
        self._visitor: Callable[[str, str], Visitor]
        self._draw: Callable[[str, str], int]

    def visitor(self, address: str, user_agent: str) -> Visitor:
        """Look an address up and hash it. One that cannot be read is a visitor from nowhere."""
        if not self._from <= self._clock() < self._until:
            self._change_salt()
        return self._visitor(address, user_agent)

    def draw(self, address: str, user_agent: str) -> int:
        """Draw 64 bits, the same for a visitor under one salt. Never to be stored."""
        if not self._from <= self._clock() < self._until:
            self._change_salt()
        return self._draw(address, user_agent)

    def forget(self) -> None:
        """Let go of a salt whose time is over, and of the addresses kept with it.

        For a process that nobody asks anything: it would hold the salt for as long as it is idle,
        when the file of it has long been destroyed.
        """
        now = self._clock()
        if self._until and not self._from <= now < self._until:
            self._from = self._until = 0.0
            del self._visitor, self._draw
        if self._stand_in[0] is not None and now >= self._stand_in[0].end.timestamp():
            self._stand_in = (None, b"")

    def _change_salt(self) -> None:
        now = self._clock()
        period = salts.period_at(dt.datetime.fromtimestamp(now, dt.UTC), self._rotation)
        try:
            salt = salts.obtain(self._directory, period)
            self._from, self._until = period.start.timestamp(), period.end.timestamp()
        except OSError as error:
            # The event is worth more than its ids' agreement with the other workers', so a salt
            # that nobody shares stands in until the folder can be used again.
            log.warning(
                "no salt from %s: %s; using one of this process's own", self._directory, error
            )
            if self._stand_in[0] != period:
                self._stand_in = period, os.urandom(salts.SIZE)
            salt = self._stand_in[1]
            self._from, self._until = now, now + _RETRY_SECONDS
        self._visitor = _visitors_under(salt, self._ip_data)
        self._draw = _draws_under(salt)


def _visitors_under(salt: bytes, ip_data: IpData) -> Callable[[str, str], Visitor]:
    """Make the cached function from (address, user agent) to visitor for one salt."""
    # The purpose is part of the key, so that no id of one kind ever equals one of the other.
    origin = hashlib.blake2b(digest_size=8, key=salt, person=b"origin")
    endpoint = hashlib.blake2b(digest_size=8, key=salt, person=b"endpoint")

    @lru_cache(_CACHED)
    def end(address: str) -> tuple[str, bytes, Place, int]:
        parsed = parse_address(address)
        if parsed is None:
            return "", b"", NOWHERE, _digest(endpoint, b"")
        packed = parsed.packed
        return str(parsed), packed, ip_data.look_up(parsed), _digest(endpoint, packed)

    @lru_cache(_CACHED)
    def visitor(address: str, user_agent: str) -> Visitor:
        spelled, packed, place, endpoint_id = end(address)
        # The length keeps address and user agent apart, whatever bytes follow.
        named = bytes((len(packed),)) + packed + user_agent.encode(errors="surrogatepass")
        return Visitor(spelled, place, _digest(origin, named), endpoint_id)

    return visitor


def _draws_under(salt: bytes) -> Callable[[str, str], int]:
    """Make the function from (address, user agent) to a draw for one salt."""
    keyed = hashlib.blake2b(digest_size=8, key=salt, person=b"draw")

    def draw(address: str, user_agent: str) -> int:
        parsed = parse_address(address)
        packed = b"" if parsed is None else parsed.packed
        named = bytes((len(packed),)) + packed + user_agent.encode(errors="surrogatepass")
        return _digest(keyed, named)

    return draw


def _digest(keyed: "hashlib.blake2b", data: bytes) -> int:
    hasher = keyed.copy()
    hasher.update(data)
    return int.from_bytes(hasher.digest(), "little")
