"""Reads the facts of a request out of what a web server has parsed. Free of any server's types."""

from collections.abc import Iterable

from gateway.proxies import Origin, Proxies
from gateway.request import Request


class BadTarget(ValueError):  # noqa: N818 it is the client's
    """A request that names its target in no way that a server has to understand."""


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
    headers = _joined(header_lines)
    if target.startswith("/"):
        authority, rest = _authority(headers), target
    else:
        authority, rest = _absolute(target, headers)
    path, _, query = rest.partition("#")[0].partition("?")
    origin = proxies.origin(peer, headers)
    if origin.host is not None:
        authority = origin.host
    request = Request(
        method=method,
        host=_host(authority),
        path=path or "/",
        query=query,
        headers=headers,
        body=body,
        scheme=_scheme(origin),
        authority=authority,
    )
    return request, origin.address


def _joined(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
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


def _host(authority: str) -> str:
    """Take the port off, and a full stop at the end, which names the same host."""
    host = authority.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def _scheme(origin: Origin) -> str:
    return "https" if origin.scheme is not None and origin.scheme.lower() == "https" else "http"
