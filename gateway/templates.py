"""URL templates (RFC 6570): a path that is matched, and a URL that is made from what it captured.

Captured values stay in the canonical form of `gateway.escapes` until they are shown to a reader.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import re2

from gateway.escapes import climbs, simple

Captures = Mapping[str, str]
Query = Mapping[str, str]  # canonical key to canonical value; a repeated key's first value


class Variable(msgspec.Struct, frozen=True):
    """{name}, or {+name}, which may span segments and keeps reserved characters."""

    name: str
    reserved: bool = False


Part = str | Variable


class PathTemplate(msgspec.Struct, frozen=True):
    """What a request must look like: a path, and query keys that may come in any order."""

    path: tuple[Part, ...]
    query: tuple[tuple[str, tuple[Part, ...]], ...]  # canonical key, and its value's parts

    @property
    def variables(self) -> frozenset[str]:
        """Every name that a match captures."""
        return frozenset(_names(self.path)).union(*(_names(value) for _, value in self.query))

    @property
    def segments(self) -> tuple[tuple[Part, ...], ...]:
        """The path's parts between its slashes; what follows a {+variable} stays in one piece."""
        segments: list[list[Part]] = [[]]
        spanning = False
        for part in self.path:
            if isinstance(part, Variable):
                spanning = spanning or part.reserved
                segments[-1].append(part)
            elif spanning:
                segments[-1].append(part)
            else:
                first, *others = part.split("/")
                segments[-1].extend([first] if first else [])
                segments.extend([other] if other else [] for other in others)
        return tuple(tuple(segment) for segment in segments[1:])  # a path starts with a slash


class UrlTemplate(msgspec.Struct, frozen=True):
    """Where a request is sent. The scheme and the authority are fixed text."""

    origin: str  # such as https://files.example:8443
    path: tuple[Part, ...]
    query: tuple[tuple[str, str, tuple[Part, ...]], ...]  # canonical key, "key=" as written, value
    fragment: str = ""

    @property
    def variables(self) -> frozenset[str]:
        """Every name that an expansion needs."""
        return frozenset(_names(self.path)).union(*(_names(value) for *_, value in self.query))

    def expand(self, captures: Captures, passed_on: Sequence[tuple[str, str]] = ()) -> str | None:
        """The URL for these values; None where one would climb out of the path with dot segments.

        `passed_on` are a request's own query parts, as canonical key and text. For each key the
        first one counts, and the template's come first.
        """
        path = _expand(self.path, captures)
        if climbs(path):
            return None
        url = self.origin + path
        if self.query or passed_on:
            parts: dict[str, str] = {}
            for key, written, value in self.query:
                parts.setdefault(key, written + _expand(value, captures))
            for key, text in passed_on:
                parts.setdefault(key, text)
            url += "?" + "&".join(parts.values())
        return url + self.fragment


class PathMatcher:
    """A path template made ready to match."""

    def __init__(self, template: PathTemplate) -> None:
        self._path = _Matcher(template.path, one="([^/]+)")
        # A key that is set but empty is still set.
        self._query = tuple((key, _Matcher(value, one="(.*)")) for key, value in template.query)
        self.query_keys = frozenset(key for key, _ in template.query)

    def match(self, path: str, query: Query) -> dict[str, str] | None:
        """The canonical values of the variables; None where path (canonical) or query differ."""
        captures = self._path.match(path)
        if captures is None:
            return None
        for key, matcher in self._query:
            value = query.get(key)
            found = None if value is None else matcher.match(value)
            if found is None:
                return None
            if any(captures.setdefault(name, text) != text for name, text in found.items()):
                return None
        return captures


class _Matcher:
    """Matches one text against parts, in time linear in its length."""

    def __init__(self, parts: tuple[Part, ...], *, one: str) -> None:
        self._names = tuple(_names(parts))
        if not self._names:
            self._literal = "".join(map(str, parts))
            self._pattern: Any = None
            return
        self._repeats = len(set(self._names)) < len(self._names)
        self._least = 1 if one.endswith("+)") else 0  # characters that a variable holds
        # Variables that share a segment are captured as one and then divided. The standard
        # library's engine is quick, but takes a power of the length where variables can trade
        # characters; so what cannot be divided goes to RE2, which never does.
        slots = [[part] for part in parts] if _needs_re2(parts) else _slots(parts)
        self._dividers = tuple(
            tuple(part for part in slot if isinstance(part, str))
            for slot in slots
            if isinstance(slot[0], Variable)
        )
        self._divides = any(self._dividers)
        pattern = "".join(
            re.escape(slot[0]) if isinstance(slot[0], str) else "(.+)" if slot[0].reserved else one
            for slot in slots
        )
        self._pattern = re2.compile(pattern) if _needs_re2(parts) else re.compile(pattern)

    def match(self, text: str) -> dict[str, str] | None:
        if self._pattern is None:
            return {} if text == self._literal else None
        match = self._pattern.fullmatch(text)
        if match is None:
            return None
        values = self._divided(match.groups()) if self._divides else match.groups()
        if values is None:
            return None
        captures = dict(zip(self._names, values, strict=True))
        # A name that stands twice must stand for one value.
        if self._repeats and [captures[name] for name in self._names] != list(values):
            return None
        return captures

    def _divided(self, groups: Sequence[str]) -> list[str] | None:
        """Divide at the last place possible, so that the first variable takes the most."""
        values: list[str] = []
        for group, dividers in zip(groups, self._dividers, strict=True):
            end = len(group)
            at = len(values)
            for divider in reversed(dividers):
                start = group.rfind(divider, 0, end - self._least)
                if start < 0:
                    return None
                values.insert(at, group[start + len(divider) : end])
                end = start
            if end < self._least:
                return None
            values.insert(at, group[:end])
        return values


def _names(parts: Sequence[Part]) -> list[str]:
    return [part.name for part in parts if isinstance(part, Variable)]


def _needs_re2(parts: tuple[Part, ...]) -> bool:
    """Whether a variable that spans segments shares its segment, or the path, with another such."""
    reserved = [part for part in parts if isinstance(part, Variable) and part.reserved]
    shape = "".join(
        part if isinstance(part, str) else "\1" if part.reserved else "\0" for part in parts
    )
    crowded = (segment for segment in shape.split("/") if "\1" in segment)
    return len(reserved) > 1 or any("\0" in segment for segment in crowded)


def _slots(parts: tuple[Part, ...]) -> list[list[Part]]:
    """Literals alone, and variables together with those that follow in the same segment."""
    slots: list[list[Part]] = []
    for index, part in enumerate(parts):
        follows = index >= 2 and isinstance(parts[index - 2], Variable)  # noqa: PLR2004 - variable, literal, variable
        if isinstance(part, Variable) and follows and "/" not in str(parts[index - 1]):
            slots[-2:] = [[*slots[-2], *slots[-1], part]]
        else:
            slots.append([part])
    return slots


def _expand(parts: tuple[Part, ...], captures: Captures) -> str:
    pieces: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(part)
        elif part.reserved:
            pieces.append(captures[part.name])
        else:
            pieces.append(simple(captures[part.name]))
    return "".join(pieces)
