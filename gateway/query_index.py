"""Finds the few of many templates of one path that could match a query, by its literal values."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Generic, TypeVar

T = TypeVar("T")

_first = itemgetter(0)


class QueryIndex(Generic[T]):
    """Values filed under the query keys and values that each asks for, in the order given.

    A look-up tries each distinct set of keys once, whatever the number of values: ten thousand
    downloads told apart by `?file=` alone are one set.
    """

    def __init__(self, entries: Iterable[tuple[Mapping[str, str], T]]) -> None:
        shapes: dict[tuple[str, ...], dict[tuple[str, ...], list[tuple[int, T]]]] = {}
        for number, (wanted, value) in enumerate(entries):
            keys = tuple(sorted(wanted))
            table = shapes.setdefault(keys, {})
            table.setdefault(tuple(wanted[key] for key in keys), []).append((number, value))
        self._shapes = tuple(shapes.items())
        # Most paths have no template that asks for a literal value.
        self._all = [value for _, value in shapes[()][()]] if set(shapes) == {()} else None

    def collect(self, query: Mapping[str, str], found: list[T]) -> None:
        """Add what the query (canonical keys and values) does not rule out, in order."""
        if self._all is not None:
            found += self._all
            return
        numbered: list[tuple[int, T]] = []
        for keys, table in self._shapes:
            numbered += table.get(tuple([query.get(key, "\0") for key in keys]), ())
        numbered.sort(key=_first)
        found += [value for _, value in numbered]
