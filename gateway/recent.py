"""A memory of what was of use lately, bounded by weight."""

from array import array
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Remembers values until twice the limit's weight has come after their last use.

    There are two generations: what is found in the old one moves to the young one, and when the
    young one is full it becomes the old one. So nothing is written when a value is found, and
    forgetting costs nothing.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}
        self._weight = 0  # of the young ones

    def get(self, key: K) -> V | None:
        """Find a value."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Remember a value that is not known yet."""
        self._weight += weight
        if self._weight > self._limit:
            self._old, self._young = self._young, {}
            self._weight = weight
        self._young[key] = value, weight

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old, self._weight = {}, {}, 0


class Sightings:
    """Says whether something has come lately, by its hash, in memory that never grows.

    Each hash has one place, and is forgotten when another one needs it.
    """

    def __init__(self, places: int) -> None:
        self._hashes = array("q", bytes(8 * places))

    def again(self, mark: int) -> bool:
        """Say whether this hash has come before, and note that it has now."""
        place = mark % len(self._hashes)
        if self._hashes[place] == mark:
            return True
        self._hashes[place] = mark
        return False
