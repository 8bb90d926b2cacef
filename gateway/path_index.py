"""Path templates in the order of their literalness, found without trying all of them.

Segment by segment from the left, literal text goes before a segment with a variable, and that
before a variable that spans segments; among variables, the longer literal beginning and end goes
first. Of templates that are equal in this, the one with more literal characters, then the one that
asks for more of the query, then the earlier one in the file.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from gateway.affixes import Affixes
from gateway.query_index import QueryIndex
from gateway.templates import Part, PathTemplate, Variable

T = TypeVar("T")

_Rank = tuple[int, ...]
_Entry = tuple[PathTemplate, T]
_Wanted = Mapping[str, str]  # the literal values that a template asks of a query
_Below = tuple[tuple[tuple[Part, ...], ...], _Wanted, T]  # what is left of a path below a node


def literalness(template: PathTemplate) -> tuple[tuple[_Rank, ...], int, int, int]:
    """A sort key: the template with the smaller one is tried first."""
    return (
        tuple(_rank(segment) for segment in template.segments),
        -_literal_length(template.path),
        -len(template.query),
        -sum(_literal_length(value) for _, value in template.query),
    )


class PathIndex(Generic[T]):
    """Finds the templates that could match a request; the caller matches them in that order."""

    def __init__(self, entries: Iterable[_Entry[T]]) -> None:
        ordered = sorted(entries, key=lambda entry: literalness(entry[0]))
        # Whole literal paths come before everything else, so one look-up serves them.
        literals: dict[str, list[tuple[_Wanted, T]]] = {}
        others: list[_Below[T]] = []
        for template, value in ordered:
            wanted = _wanted(template)
            if _is_literal(template.path):
                text = "".join(map(str, template.path))
                literals.setdefault(text, []).append((wanted, value))
            else:
                others.append((template.segments, wanted, value))
        self._literals = {text: QueryIndex(values) for text, values in literals.items()}
        self._root = _Node(others)

    def candidates(self, path: str, query: Mapping[str, str]) -> list[T]:
        """What may match the canonical path and query, the most literal first."""
        # Collected, not generated: nested generators cost more than the whole search.
        found: list[T] = []
        literal = self._literals.get(path)
        if literal is not None:
            literal.collect(query, found)
        self._root.collect(path.split("/"), 1, query, found)
        return found


class _Node(Generic[T]):
    """What may follow after some segments. The entries must be in their order already."""

    def __init__(self, entries: list[_Below[T]]) -> None:
        literals: dict[str, list[_Below[T]]] = {}
        patterns: dict[tuple[str, str], list[_Below[T]]] = {}
        tails: dict[tuple[str, str], list[tuple[_Wanted, T]]] = {}
        ends: list[tuple[_Wanted, T]] = []
        for segments, wanted, value in entries:
            if not segments:
                ends.append((wanted, value))
                continue
            first, rest = segments[0], (segments[1:], wanted, value)
            if _is_literal(first):
                literals.setdefault("".join(map(str, first)), []).append(rest)
            elif _spans(first):
                tails.setdefault(_affixes(first), []).append((wanted, value))
            else:
                patterns.setdefault(_affixes(first), []).append(rest)
        self._ends = QueryIndex(ends) if ends else None
        self._literals = {text: _Node(inner) for text, inner in literals.items()}
        # None where there are none, as mostly: asking an empty one costs a call.
        self._patterns = (
            Affixes((*affixes, _Node(inner)) for affixes, inner in patterns.items())
            if patterns
            else None
        )
        self._tails = (
            Affixes((*affixes, QueryIndex(inner)) for affixes, inner in tails.items())
            if tails
            else None
        )

    def collect(
        self, segments: list[str], at: int, query: Mapping[str, str], found: list[T]
    ) -> None:
        """Add what may match from the segment at this place on."""
        if at == len(segments):
            if self._ends is not None:
                self._ends.collect(query, found)
            return
        literal = self._literals.get(segments[at])
        if literal is not None:
            literal.collect(segments, at + 1, query, found)
        if self._patterns is not None:
            for node in self._patterns.candidates(segments[at]):
                node.collect(segments, at + 1, query, found)
        if self._tails is not None:
            for tail in self._tails.candidates("/".join(segments[at:])):
                tail.collect(query, found)


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


def _wanted(template: PathTemplate) -> _Wanted:
    return {key: "".join(map(str, value)) for key, value in template.query if _is_literal(value)}
