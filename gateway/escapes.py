"""Percent-encoding: a canonical form of what clients send, to be compared and passed on.

Everything but `decoded` returns printable ASCII without spaces, which can stand in a Location
header as it is.
"""

import re
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes

# RFC 3986. A path may hold these without an escape; the slash separates its segments.
_UNRESERVED = r"A-Za-z0-9._~\-"
_SEGMENT = _UNRESERVED + r"!$&'()*+,;=:@"
_SEGMENT_CHARACTERS = "!$&'()*+,;=:@"

_UNRESERVED_ONLY = re.compile(f"[{_UNRESERVED}]*")
_PLAIN_PATH = re.compile(f"[{_SEGMENT}/]*")
_TO_CANONICAL = re.compile(f"(%[0-9A-Fa-f]{{2}})|[^{_SEGMENT}/%]+|%")
_ILLEGAL_IN_PATH = re.compile(rf"[^{_SEGMENT}/%]+|%(?![0-9A-Fa-f]{{2}})")
_DOT_SEGMENT = re.compile(r"/\.{1,2}(?=/|$)")
# Brackets are no legal query, but `a[]=1` is everywhere and every server takes it.
_ILLEGAL_IN_QUERY = re.compile(rf"[^{_SEGMENT}/?\[\]%]+|%(?![0-9A-Fa-f]{{2}})")


def canonical(path: str) -> str:
    """A path with exactly the escapes that it needs, in upper case and UTF-8.

    Two paths that mean the same have the same form. An escaped slash stays escaped, because it is
    part of its segment.
    """
    if _PLAIN_PATH.fullmatch(path):
        return path
    return _TO_CANONICAL.sub(_canonical_piece, path)


def legal_path(path: str) -> str:
    """The path as it was sent, with only what no path may hold escaped."""
    return path if _PLAIN_PATH.fullmatch(path) else _ILLEGAL_IN_PATH.sub(_escaped, path)


def legal_query(query: str) -> str:
    """The query as it was sent, with only what no query may hold escaped."""
    return _ILLEGAL_IN_QUERY.sub(_escaped, query)


def decoded(escaped: str) -> str:
    """The text behind the escapes; bytes that are no UTF-8 become replacement marks."""
    return unquote(escaped, errors="replace") if "%" in escaped else escaped


def simple(canonical_text: str) -> str:
    """Escape everything but unreserved characters, as RFC 6570 does for {var}."""
    if _UNRESERVED_ONLY.fullmatch(canonical_text):
        return canonical_text
    return quote_from_bytes(unquote_to_bytes(canonical_text), safe="~")


def literal(text: str) -> str:
    """Plain text in the canonical form: a percent sign in it means itself."""
    return quote_from_bytes(_bytes(text), safe=_SEGMENT_CHARACTERS + "~/")


def query_value(value: str) -> str:
    """The canonical form of a query's key or value, in which a plus sign is a space."""
    return canonical(value.replace("+", "%20"))


def climbs(path: str) -> bool:
    """Whether a canonical path has . or .. segments, which clients resolve before they ask."""
    return "/." in path and _DOT_SEGMENT.search(path) is not None


def _canonical_piece(match: re.Match[str]) -> str:
    if match[1] is None:
        return _escaped(match)
    byte = bytes.fromhex(match[1][1:])
    return match[1].upper() if byte == b"/" else quote_from_bytes(byte, safe=_SEGMENT_CHARACTERS)


def _escaped(match: re.Match[str]) -> str:
    return quote_from_bytes(_bytes(match[0]), safe="")


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, which no server makes of bytes
        return text.encode("utf-8", "replace")
