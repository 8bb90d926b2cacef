"""Reads the facts of a request out of what a web server has parsed. Free of any server's types."""

import re
from collections.abc import Iterable
from functools import lru_cache

from gateway.proxies import Origin, Proxies
from gateway.request import Request

# What a header's name is made of. A space before the colon, or a line that goes on with the one
# before, hides a header from one server and not from the next: so requests are smuggled.
_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A host by name or address, and a port. No user before it: links are made of it.
_AUTHORITY = re.compile(r"(?P<host>[\w.~-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?", re.ASCII)
_LINE_ENDS = ("\r", "\n", "\0")


class BadTarget(ValueError):  # noqa: N818 it is the client's
    """A request that names its target, or its headers, in no way that every server understands.

    What follows it on its connection may be a part of it, so the connection must end.
    """


def read(
    method: str,
    target: str,
    header_lines: Iterable[tuple[str, str]],
    *,
    body: bytes,
    peer: str,
    proxies: Proxies,
) -> tuple[Request, str]:
    """Return the request's facts, and apart from them the client's address.

    The target is as sent, ASCII; header names are lower case. Raises BadTarget.
    """
    return place(method, target, joined(header_lines), body=body, peer=peer, proxies=proxies)


def place(
    method: str,
    target: str,
    headers: dict[str, str],
    *,
    body: bytes,
    peer: str,
    proxies: Proxies,
) -> tuple[Request, str]:
    """Do what `read` does with headers that are `joined`."""
    if target.startswith("/"):
        authority, rest = _authority(headers), target
    else:
        authority, rest = _absolute(target, headers)
    path, query = parted(rest)
    origin = proxies.origin(peer, headers)
    if origin.host is not None:
        authority = origin.host
    request = Request(
        method=method,
        host=_host(authority),
        path=path,
        query=query,
        headers=headers,
        body=body,
        scheme=_scheme(origin),
        authority=authority,
    )
    return request, origin.address


def parted(target: str) -> tuple[str, str]:
    """Divide a target that begins with its path into path and query. No server wants the rest."""
    path, _, query = target.partition("#")[0].partition("?")
    return path or "/", query


def joined(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Make one header of each name. Raises BadTarget."""
    headers: dict[str, str] = {}
    for name, raw in lines:
        # Bytes that are no UTF-8 arrive as lone surrogates, which nothing further on could encode.
        value = (
            raw if raw.isascii() else raw.encode(errors="surrogateescape").decode(errors="replace")
        )
        if name in headers:
            if name == "host":
                raise BadTarget("more than one Host header")
            headers[name] += f", {value}"
        else:
            headers[name] = value
    if headers and ("" in headers or _NAMES.fullmatch("".join(headers)) is None):
        raise BadTarget("a header whose name is none")
    values = "".join(headers.values())
    if any(end in values for end in _LINE_ENDS):
        raise BadTarget("a header with the end of a line in it")
    return headers


def _authority(headers: dict[str, str]) -> str:
    return headers.get("host", "").strip()


def _absolute(target: str, headers: dict[str, str]) -> tuple[str, str]:
    """Read the form that proxies are sent. Its authority counts, not Host (RFC 9112, 3.2.2)."""
    if target == "*":
        return _authority(headers), "/*"
    scheme, mark, rest = target.partition("://")
    if not mark or scheme.lower() not in {"http", "https"}:
        raise BadTarget("neither a path nor an http URL")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    authority, rest = rest[:end], rest[end:]
    return authority.rpartition("@")[2], rest if rest.startswith("/") else f"/{rest}"


@lru_cache(4096)
def _host(authority: str) -> str:
    """Take the port off, and a full stop at the end, which names the same host."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise BadTarget("a Host that is no host")
    return match["host"].lower().rstrip(".")


def _scheme(origin: Origin) -> str:
    return "https" if origin.scheme is not None and origin.scheme.lower() == "https" else "http"
