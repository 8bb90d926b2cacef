"""URL templates (RFC 6570): a path that is matched, and a URL that is made from what it captured.

Captured values stay in the canonical form of `gateway.escapes` until they are shown to a reader.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import msgspec
import re2

from gateway.escapes import canonical, legal_query, query_value, simple

# RFC 6570 names, plus the dash, which manifests in the wild use.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?=/|$)")
_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")

Captures = Mapping[str, str]
Query = Mapping[str, str]  # canonical key to canonical value; a repeated key's first value


class TemplateError(ValueError):
    """Why a text is no template that can be served."""


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


def parse_path(text: str) -> PathTemplate:
    """Read an incoming path, which may have a query part."""
    if not text.startswith("/"):
        raise TemplateError("must start with a slash")
    if "#" in text:
        raise TemplateError("has a fragment (#), which clients never send")
    path, query = _split(_parts(text))
    _no_neighbours(path)
    keys = [(query_value(key), _escaped(value, query_value)) for key, _, value in query]
    for key, value in keys:
        _no_neighbours(value)
        if sum(key == other for other, _ in keys) > 1:
            raise TemplateError(f"names the query key {key!r} twice")
    return PathTemplate(_escaped(path, canonical), tuple(keys))


def parse_url(text: str) -> UrlTemplate:
    """Read an outgoing URL."""
    origin, rest = _origin(text)
    rest, hash_mark, fragment = rest.partition("#")
    if "{" in fragment:
        raise TemplateError("has a variable after the #, which no server sees")
    path, query = _split(_parts(rest))
    if climbs("".join(part if isinstance(part, str) else "\0" for part in path)):
        raise TemplateError("has . or .. segments; write the path that they lead to")
    return UrlTemplate(
        origin,
        _escaped(path, canonical),
        tuple(
            (query_value(key), legal_query(key + equals), _escaped(value, legal_query))
            for key, equals, value in query
        ),
        hash_mark + legal_query(fragment),
    )


def parse_origin(text: str) -> tuple[str, str]:
    """Split a fixed URL, or a bare host (https), into origin and path, without a last slash."""
    origin, path = _origin(text if "://" in text else f"https://{text}")
    if "?" in path or "#" in path:
        raise TemplateError("must end with its path: no query and no fragment")
    if climbs(canonical(path)):
        raise TemplateError("has . or .. segments; write the path that they lead to")
    return origin, canonical(path).rstrip("/")


def climbs(path: str) -> bool:
    """Whether a canonical path has . or .. segments, which clients resolve before they ask."""
    return "/." in path and _DOT_SEGMENT.search(path) is not None


def _origin(text: str) -> tuple[str, str]:
    match = re.match(r"(https?)://([^/?#\\]*)", text)
    if match is None:
        raise TemplateError("must start with https:// or http:// and a host")
    scheme, authority = match.groups()
    if "{" in authority:
        raise TemplateError(
            "has a variable in its host, or right behind it, so a request could choose where it is"
            " sent; name the host and put a slash behind it"
        )
    if "@" in authority:
        raise TemplateError("has a user name or password before the host; leave it out")
    if not authority.isascii():
        raise TemplateError("has a host that is not ASCII; write it in its xn-- form")
    try:
        parsed = urlsplit(f"{scheme}://{authority}")
        port = parsed.port
    except ValueError as error:
        raise TemplateError(f"has a bad host or port: {error}") from error
    host = r"\[[0-9a-f:.]+\]" if authority.startswith("[") else r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?"
    name = authority.removesuffix(f":{port}") if port is not None else authority
    if not re.fullmatch(host, name.lower()):
        raise TemplateError(f"has no usable host: {authority!r}")
    rest = text[match.end() :]
    if rest.startswith("\\"):
        raise TemplateError("has a backslash behind the host, which some clients take for a slash")
    return f"{scheme}://{authority.lower()}", rest


def _parts(text: str) -> list[Part]:
    """Literals as written, and variables. Operators that only add a separator become one."""
    if _UNUSABLE.search(text):
        raise TemplateError("holds a space or a control character; write it as a percent escape")
    parts: list[Part] = []
    # Splitting at a group gives literals and expressions in turn.
    for index, piece in enumerate(_EXPRESSION.split(text)):
        if index % 2 == 0 and ("{" in piece or "}" in piece):
            raise TemplateError("has a brace without its partner")
        for part in _expression(piece) if index % 2 else [piece]:
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            else:
                parts.append(part)
    return [part for part in parts if part != ""]


def _expression(inside: str) -> list[Part]:
    operator = inside[:1] if inside[:1] in set("+#./;?&=,!@|") else ""
    names = inside[len(operator) :].split(",")
    for name in names:
        if not _NAME.fullmatch(name):
            wrong = "a modifier (* or :3)" if re.search(r"[*:]", name) else f"the name {name!r}"
            raise TemplateError(f"has {wrong} in {{{inside}}}; only {{name}} and {{+name}} work")
    match operator:
        case "" | "+":
            variables = [Variable(name, reserved=operator == "+") for name in names]
            return [part for each in variables for part in (",", each)][1:]
        case "/" | ".":
            return [part for name in names for part in (operator, Variable(name))]
        case "?" | "&":
            separators = [operator, *"&" * (len(names) - 1)]
            pairs = zip(separators, names, strict=True)
            return [part for mark, name in pairs for part in (f"{mark}{name}=", Variable(name))]
        case _:
            raise TemplateError(f"has {{{inside}}}; only {{name}} and {{+name}} work")


def _split(parts: list[Part]) -> tuple[list[Part], list[tuple[str, str, list[Part]]]]:
    """The path's parts, and the query's pairs as (key, its = or nothing, value), all as written."""
    path: list[Part] = []
    pairs: list[list[Part]] = []
    in_query = False
    for part in parts:
        if isinstance(part, Variable):
            (pairs[-1] if in_query else path).append(part)
            continue
        query = part
        if not in_query:
            before, mark, query = part.partition("?")
            path.append(before)
            in_query = bool(mark)
            pairs = [[]] if in_query else []
        if in_query:
            first, *others = query.split("&")
            pairs[-1].append(first)
            pairs.extend([other] for other in others)
    return path, [_pair(pair) for pair in pairs if pair != [""]]


def _pair(parts: list[Part]) -> tuple[str, str, list[Part]]:
    key, equals, value = parts[0].partition("=") if isinstance(parts[0], str) else ("", "", "")
    if not key or (not equals and len(parts) > 1):
        raise TemplateError("has a variable for a query's key; only its value can be one")
    return key, equals, [value, *parts[1:]]


def _escaped(parts: Sequence[Part], escape: Callable[[str], str]) -> tuple[Part, ...]:
    escaped = [escape(part) if isinstance(part, str) else part for part in parts]
    return tuple(part for part in escaped if part != "")


def _no_neighbours(parts: Sequence[Part]) -> None:
    for left, right in pairwise(parts):
        if isinstance(left, Variable) and isinstance(right, Variable):
            raise TemplateError(
                f"has {{{left.name}}} and {{{right.name}}} side by side, and nothing tells where"
                " one ends; put a character between them"
            )


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
    return "".join(
        part
        if isinstance(part, str)
        else captures[part.name]
        if part.reserved
        else simple(captures[part.name])
        for part in parts
    )
