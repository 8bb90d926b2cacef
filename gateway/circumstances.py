"""What some routes' targets depend on beyond the request itself. Only theirs are asked for it."""

from collections.abc import Mapping

import msgspec


class Observed(msgspec.Struct, frozen=True):
    """What the watch in the background has found. A new look makes a new value."""

    down: Mapping[str, str] = {}  # health checks that fail, by their URL, with the reason
    versions: Mapping[str, str] = {}  # the last segment that each alias's URL redirects to


class Circumstances(msgspec.Struct, frozen=True, gc=False):
    """The moment and the visitor, as far as a decision may know them. Never the address."""

    time: float = 0.0  # seconds since the epoch
    country: str | None = None  # None: not known, not asked for, or not to be looked up
    # The same 64 bits for one visitor under one salt, and for nothing else; it is never stored.
    draw: int | None = None
    observed: Observed = Observed()


class Needs(msgspec.Struct, frozen=True):
    """What a host's routes depend on."""

    any: bool = False  # False: on nothing but the request
    place: bool = False
    draw: bool = False


UNKNOWN = Circumstances()
