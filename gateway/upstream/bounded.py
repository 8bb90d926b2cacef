"""A cache that stays within a budget."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Keeps what was used last, up to a total cost; a value costlier than all of it is not kept."""

    def __init__(self, budget: int, cost: Callable[[V], int] = lambda _: 1) -> None:
        self._budget = budget
        self._cost = cost
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._spent = 0

    def get(self, key: K) -> V | None:
        """The value, which thereby becomes the last used."""
        held = self._values.get(key)
        if held is None:
            return None
        self._values.move_to_end(key)
        return held[0]

    def put(self, key: K, value: V) -> None:
        """Keep a value under a key, in place of any before it."""
        self.drop(key)
        cost = self._cost(value)
        if cost > self._budget:
            return
        self._values[key] = value, cost
        self._spent += cost
        while self._spent > self._budget:
            _, (_, freed) = self._values.popitem(last=False)
            self._spent -= freed

    def drop(self, key: K) -> None:
        """Forget a key, if it is there."""
        held = self._values.pop(key, None)
        if held is not None:
            self._spent -= held[1]

    def __len__(self) -> int:
        return len(self._values)
