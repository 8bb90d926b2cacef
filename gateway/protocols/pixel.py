"""View pixels: a picture that nobody sees, and that counts who reads a page."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

import msgspec

from gateway.decision import Decision, Hit, Refusal, Reply
from gateway.request import Request
from gateway.routes import PixelRoute

PIXEL_PATH = "/a.png"
PIXEL_KEY = "x-pxid"
ANY_PIXEL = "*"

# A PNG of one pixel, grey with alpha, all zero: transparent everywhere.
PIXEL_PNG = bytes.fromhex(
    "89504e470d0a1a0a"
    "0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6360600000000300012b094d84"
    "0000000049454e44ae426082"
)

_UNCACHED = "no-store, no-cache, must-revalidate, max-age=0, private"
# For the caches that know nothing newer.
_OLD_CACHES = {"Pragma": "no-cache", "Expires": "0"}
_PAGE_KEYS = ("page", "Page")


class PixelIndex(msgspec.Struct, frozen=True):
    """One host's pixels by their ids."""

    pixels: dict[str, PixelRoute]


def build(routes: Sequence[PixelRoute]) -> PixelIndex:
    """Prepare one host's pixels."""
    pixels: dict[str, PixelRoute] = {}
    for route in routes:
        pixels.setdefault(route.pixel_id, route)
    return PixelIndex(pixels)


def decide(index: PixelIndex, request: Request) -> Decision | None:
    """Answer /a.png?x-pxid=ID; without an id, /a.png may be somebody's file."""
    if request.path != PIXEL_PATH or not index.pixels:
        return None
    keys = _first_values(request.query)
    pixel_id = keys.pop(PIXEL_KEY, None)
    if pixel_id is None:
        return None
    if request.method not in {"GET", "HEAD"}:
        return Refusal(
            status=405, reason="a pixel is fetched with GET", headers={"Allow": "GET, HEAD"}
        )
    route = index.pixels.get(pixel_id) or index.pixels.get(ANY_PIXEL)
    if route is None or not pixel_id:
        return Refusal(status=404, reason="no pixel has this x-pxid")
    return Reply(
        body=PIXEL_PNG,
        content_type="image/png",
        headers=_OLD_CACHES,
        cache_control=_UNCACHED,
        hits=(_hit(route, pixel_id, keys),),
    )


def _hit(route: PixelRoute, pixel_id: str, keys: dict[str, str]) -> Hit:
    page = next((keys[key] for key in _PAGE_KEYS if keys.get(key)), "")
    # A page that is no URL, such as a title or a path, stays a variable; as a referrer it would
    # displace the header, which names the site.
    referrer = page if _is_url(page) else None
    if referrer is not None:
        keys = {key: value for key, value in keys.items() if key not in _PAGE_KEYS}
    package = route.package or pixel_id
    return Hit(
        event_type="view",
        route_type="pixel",
        package_id=route.package_id or package,
        package=package,
        artifact=PIXEL_PATH.removeprefix("/"),
        referrer=referrer,
        variables=keys,
    )


def _first_values(query: str) -> dict[str, str]:
    """The query's keys, each with its first value, without the bare numbers that defeat caches."""
    found: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key and (value or not key.isdigit()):
            found.setdefault(key, value)
    return found


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # such as an unclosed bracket in the host
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
