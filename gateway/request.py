"""The facts of a request that a decision may rest on. Never the client's address."""

from collections.abc import Mapping

import msgspec

from gateway.circumstances import UNKNOWN, Circumstances


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request as the protocols see it, free of the web server that received it."""

    method: str
    host: str  # lower case, without port
    path: str  # as sent: still percent-encoded, starting with a slash, without the query
    query: str = ""  # as sent, without the question mark
    headers: Mapping[str, str] = {}  # lower-case names; repeated ones joined by ", "
    body: bytes = b""
    scheme: str = "http"  # what the client typed, so that rewritten links match it
    authority: str = ""  # host and port as the client typed them, for rewritten links
    # Filled in only for hosts with routes that ask for it, see RouteTable.needs.
    circumstances: Circumstances = UNKNOWN
