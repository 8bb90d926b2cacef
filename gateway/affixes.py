"""Finds the few of many patterns that could match a text, by how they begin and end."""

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Affixes(Generic[T]):
    """Values filed under a literal beginning and a literal end.

    A look-up tries each distinct pair of lengths once, whatever the number of values: ten thousand
    names that end in `.tar.gz` have few distinct lengths. Longer affixes come first, and values
    with equal ones in the order given.
    """

    def __init__(self, entries: Iterable[tuple[str, str, T]]) -> None:
        shapes: dict[tuple[int, int], dict[tuple[str, str], list[T]]] = {}
        for prefix, suffix, value in entries:
            table = shapes.setdefault((len(prefix), len(suffix)), {})
            table.setdefault((prefix, suffix), []).append(value)
        self._shapes = tuple(sorted(shapes.items(), key=lambda item: (-sum(item[0]), item[0])))
        # Most segments with a variable have no literal text beside it.
        self._all = shapes[0, 0]["", ""] if set(shapes) == {(0, 0)} else None

    def __bool__(self) -> bool:
        return bool(self._shapes)

    def candidates(self, text: str) -> list[T]:
        """The values whose affixes fit the text without overlapping."""
        if self._all is not None:
            return self._all
        found: list[T] = []
        length = len(text)
        for (before, after), table in self._shapes:
            if before + after <= length:
                found += table.get((text[:before], text[length - after :]), ())
        return found
