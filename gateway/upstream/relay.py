"""A registry's answer handed on: which headers pass, and which links are turned round."""

import math
import re
from urllib.parse import urljoin

import aiohttp
from multidict import CIMultiDictProxy

from gateway.decision import FromRegistry
from gateway.protocols.docker import LOGIN_HEADERS, error_body
from gateway.upstream.answer import Answer, Headers
from gateway.upstream.cooldowns import Limited
from gateway.upstream.trouble import Trouble

UNAUTHORIZED = 401
_FORBIDDEN = 403
DENIED = frozenset({UNAUTHORIZED, _FORBIDDEN})
VERSION = ("Docker-Distribution-API-Version", "registry/2.0")
# A manifest that a cache in front of the gateway kept would be a pull that nobody sees.
OWN_HEADERS = (VERSION, ("Cache-Control", "no-store"))

# A list of what passes, because a list of what does not is never complete: hop-by-hop headers,
# cookies, challenges and whatever the connection named are the upstream's business with us.
_PASSED = (
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Content-Range",
    "Accept-Ranges",
    "Docker-Content-Digest",
    "Docker-Distribution-API-Version",
    "ETag",
    "Last-Modified",
    "Cache-Control",
    "Retry-After",
    "OCI-Subject",
    "OCI-Filters-Applied",
    "RateLimit-Limit",
    "RateLimit-Remaining",
)

_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_LINK_TARGET = re.compile(r"<[^>]*?/v2/.+?/(tags|referrers)/([^>]*)>")


def passed(headers: CIMultiDictProxy[str]) -> Headers:
    """The headers that a client gets, repeated ones kept."""
    return tuple((name, value) for name in _PASSED for value in headers.getall(name, ()))


def location(response: aiohttp.ClientResponse) -> Headers:
    """Where a redirect leads, made absolute, and otherwise byte for byte: it may be signed."""
    where = response.headers.get("Location")
    if where is None:
        return ()
    absolute = where if _ABSOLUTE.match(where) else urljoin(str(response.url), where)
    return (("Location", absolute),)


def next_page(headers: CIMultiDictProxy[str], image: str) -> Headers:
    """The link to a list's next page, under the name that the image has here."""
    link = headers.get("Link")
    if link is None:
        return ()
    turned = _LINK_TARGET.sub(lambda found: f"</v2/{image}/{found[1]}/{found[2]}>", link)
    return (("Link", turned),)


def refusal(fetch: FromRegistry, response: aiohttp.ClientResponse, body: bytes) -> Answer:
    """A registry's error handed on."""
    if response.status in DENIED:
        return denied(fetch)
    dropped = {"Content-Length", "Content-Encoding"}  # the body was taken in and unpacked
    headers: Headers = tuple(
        (name, value) for name, value in passed(response.headers) if name not in dropped
    )
    return Answer(status=response.status, headers=headers, body=body)


def trouble_answer(fetch: FromRegistry, trouble: Trouble) -> Answer:
    """An upstream's trouble in the form that clients of registries show."""
    if trouble.status in DENIED:
        return denied(fetch)
    if isinstance(trouble, Limited):
        retry_after = str(math.ceil(trouble.seconds))
        return Answer(
            status=trouble.status,
            headers=(("Content-Type", "application/json"), VERSION, ("Retry-After", retry_after)),
            body=error_body("TOOMANYREQUESTS", trouble.reason),
        )
    return Answer(
        status=trouble.status,
        headers=(("Content-Type", "application/json"), VERSION),
        body=error_body("UNAVAILABLE", trouble.reason),
    )


def denied(fetch: FromRegistry) -> Answer:
    """The registry lets nobody in, or not this client.

    For a public route the client's credentials play no part, so a 401 would send it round in
    circles: the answer is 403, with the remedy for the operator.
    """
    json = ("Content-Type", "application/json")
    if fetch.authorization:
        body = error_body("UNAUTHORIZED", "the registry does not accept these credentials")
        return Answer(status=UNAUTHORIZED, headers=(json, *LOGIN_HEADERS.items()), body=body)
    reason = (
        "the image's registry lets no anonymous client read it; it does not exist there, or its"
        " route needs private = true"
    )
    return Answer(status=_FORBIDDEN, headers=(json, VERSION), body=error_body("DENIED", reason))
