"""Path templates in the order of their literalness, found without trying all of them.

Segment by segment from the left, literal text goes before a segment with a variable, and that
before a variable that spans segments; among variables, the longer literal beginning and end goes
first. Of templates that are equal in this, the one with more literal characters, then the one that
asks for more of the query, then the earlier one in the file.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from gateway.affixes import Affixes
from gateway.templates import Part, PathTemplate, Variable

T = TypeVar("T")

_Rank = tuple[int, ...]
_Entry = tuple[PathTemplate, T]


def literalness(template: PathTemplate) -> tuple[tuple[_Rank, ...], int, int, int]:
    """A sort key: the template with the smaller one is tried first."""
    return (
        tuple(_rank(segment) for segment in template.segments),
        -_literal_length(template.path),
        -len(template.query),
        -sum(_literal_length(value) for _, value in template.query),
    )


class PathIndex(Generic[T]):
    """Finds the templates that could match a path; the caller matches them in the order given."""

    def __init__(self, entries: Iterable[_Entry[T]]) -> None:
        ordered = sorted(entries, key=lambda entry: literalness(entry[0]))
        # Whole literal paths come before everything else, so one look-up serves them.
        self._literals: dict[str, list[T]] = {}
        for template, value in ordered:
            if _is_literal(template.path):
                self._literals.setdefault("".join(map(str, template.path)), []).append(value)
        others = [entry for entry in ordered if not _is_literal(entry[0].path)]
        self._root = _Node([(entry[0].segments, entry[1]) for entry in others])

    def candidates(self, path: str) -> list[T]:
        """What may match the canonical path, the most literal first."""
        # Collected, not generated: nested generators cost more than the whole search.
        found = [*self._literals.get(path, ())]
        self._root.collect(path.split("/"), 1, found)
        return found


class _Node(Generic[T]):
    """What may follow after some segments. The entries must be in their order already."""

    def __init__(self, entries: list[tuple[tuple[tuple[Part, ...], ...], T]]) -> None:
        literals: dict[str, list[tuple[tuple[tuple[Part, ...], ...], T]]] = {}
        patterns: dict[tuple[str, str], list[tuple[tuple[tuple[Part, ...], ...], T]]] = {}
        tails: list[tuple[str, str, T]] = []
        self._ends: list[T] = []
        for segments, value in entries:
            if not segments:
                self._ends.append(value)
                continue
            first, rest = segments[0], segments[1:]
            if _is_literal(first):
                literals.setdefault("".join(map(str, first)), []).append((rest, value))
            elif _spans(first):
                tails.append((*_affixes(first), value))
            else:
                patterns.setdefault(_affixes(first), []).append((rest, value))
        self._literals = {text: _Node(inner) for text, inner in literals.items()}
        self._patterns = Affixes((*affixes, _Node(inner)) for affixes, inner in patterns.items())
        self._tails = Affixes(tails)

    def collect(self, segments: list[str], at: int, found: list[T]) -> None:
        """Add what may match from the segment at this place on."""
        if at == len(segments):
            found += self._ends
            return
        literal = self._literals.get(segments[at])
        if literal is not None:
            literal.collect(segments, at + 1, found)
        if self._patterns:
            for node in self._patterns.candidates(segments[at]):
                node.collect(segments, at + 1, found)
        if self._tails:
            found += self._tails.candidates("/".join(segments[at:]))


def _rank(segment: tuple[Part, ...]) -> _Rank:
    if _is_literal(segment):
        return (0,)
    before, after = map(len, _affixes(segment))
    return (2 if _spans(segment) else 1, -before - after, before)


def _is_literal(parts: tuple[Part, ...]) -> bool:
    return not any(isinstance(part, Variable) for part in parts)


def _spans(parts: tuple[Part, ...]) -> bool:
    return any(isinstance(part, Variable) and part.reserved for part in parts)


def _affixes(parts: tuple[Part, ...]) -> tuple[str, str]:
    first, last = parts[0], parts[-1]
    return (
        first if isinstance(first, str) else "",
        last if isinstance(last, str) else "",
    )


def _literal_length(parts: tuple[Part, ...]) -> int:
    return sum(len(part) for part in parts if isinstance(part, str))
