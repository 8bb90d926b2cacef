"""Reads URL templates (RFC 6570) and the fixed URLs that stand beside them in a routes file."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from gateway.escapes import canonical, climbs, legal_query, query_value
from gateway.templates import Part, PathTemplate, UrlTemplate, Variable

# RFC 6570 names, plus the dash, which manifests in the wild use.
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_UNUSABLE = re.compile(r"[\x00-\x20\x7f]")


class TemplateError(ValueError):
    """Why a text is no template that can be served."""


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
