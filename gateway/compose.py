"""Puts an event together from what the protocol found, what was asked, and the visitor."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from gateway import scrub
from gateway.decision import Hit
from gateway.events import USER_AGENT_LIMIT, VERSION, RawEvent
from gateway.request import Request
from gateway.visitor import Visitor

NAME_LIMIT = 1024
KEY_LIMIT = 128
VALUE_LIMIT = 1024
VARIABLES_LIMIT = 8192  # characters of keys and values together; what does not fit is left out

_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)
_RANGE = re.compile(
    r"\s*bytes\s*=\s*(?:(?P<first>\d{1,18})\s*-|-\s*(?P<last>\d{1,18}))", re.ASCII | re.IGNORECASE
)
_EARLIEST = 946_684_800_000_000  # 2000-01-01, microseconds since the epoch
_AHEAD = 86_400_000_000  # a day: senders' clocks differ
_encode = msgspec.json.Encoder().encode


def agent(hit: Hit, request: Request) -> str:
    """Name the user agent of the event, scrubbed. The origin's id is made of it too."""
    sent = hit.user_agent if hit.user_agent is not None else request.headers.get("user-agent", "")
    # Cut here already, so that nothing longer is remembered.
    return scrub.user_agent(sent[: 2 * USER_AGENT_LIMIT], USER_AGENT_LIMIT) if sent else ""


def compose(
    hit: Hit,
    request: Request,
    visitor: Visitor,
    *,
    status: int,
    user_agent: str,
    now: int,
    event_id: str,
) -> RawEvent:
    """Write the event of one hit; the times are microseconds since the epoch."""
    address = visitor.address  # taken out of every text that the client may have put it into
    place = visitor.place
    return RawEvent(
        event_id=hit.event_id or event_id,
        event_time=_time(hit.event_time, now),
        **_said(hit, request, address, [], status=status, user_agent=user_agent),
        country=place.country,
        region=place.region,
        city=place.city,
        latitude=place.latitude,
        longitude=place.longitude,
        asn=place.asn,
        as_org=place.as_org,
        company=place.company,
        company_domain=place.company_domain,
        connection_type=place.connection_type,
        origin_id=visitor.origin_id,
        endpoint_id=visitor.endpoint_id,
    )


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An event with everything in it but its id, its time and its visitor.

    Equal requests have equal drafts, so that one can be kept and serve them all.
    """

    hit: Hit
    request: Request
    status: int
    user_agent: str
    middle: bytes  # the JSON between the event's time and its place
    texts: str  # everything that the client's address may stand in, and must be taken out of


def draft(hit: Hit, request: Request, status: int) -> Draft:
    """Write what does not depend on the visitor."""
    texts: list[str] = []
    user_agent = agent(hit, request)
    said = _said(hit, request, None, texts, status=status, user_agent=user_agent)
    together = "\n".join(texts)
    if "%" in together:
        together = "\n".join(form for text in texts for form in scrub.forms(text))
    return Draft(
        hit=hit,
        request=request,
        status=status,
        user_agent=user_agent,
        middle=b"," + _encode(said)[1:-1],
        texts=together,
    )


def finish(draft: Draft, visitor: Visitor, now: int, event_id: str) -> bytes:
    """Write the JSON of the whole event, byte for byte that of `compose`."""
    hit = draft.hit
    if visitor.address and scrub.may_hold(draft.texts, visitor.address):
        return _encode(
            compose(
                hit, draft.request, visitor, status=draft.status, user_agent=draft.user_agent,
                now=now, event_id=event_id,
            )
        )  # fmt: skip
    return b'{"v":%d,"event_id":"%b","event_time":%d%b,%b' % (
        VERSION,
        # An id that a sender gave is a UUID, so it needs no escape either.
        (hit.event_id or event_id).encode(),
        _time(hit.event_time, now),
        draft.middle,
        visitor.json,
    )


def _said(
    hit: Hit,
    request: Request,
    address: str | None,
    texts: list[str],
    *,
    status: int,
    user_agent: str,
) -> dict[str, Any]:
    """The fields that come from the request, in the event's order.

    An address is taken out of every text before it is cut. Without one, `texts` gets what it would
    have been taken out of.
    """
    version = hit.version
    own = partial(scrub.own, address=address) if address else None

    def name(text: str) -> str:
        clean = scrub.name(text[:NAME_LIMIT], version)
        if own is not None:
            return own(clean)
        texts.append(clean)
        return clean

    def variable(key: str, value: str) -> str:
        if scrub.key_names_a_secret(key):
            return scrub.SECRET
        # What the route itself calls a name is judged as one.
        if value in (hit.artifact, version, hit.reference):
            return name(value)[:VALUE_LIMIT]
        clean = scrub.free(value[: 2 * VALUE_LIMIT])
        if own is not None:
            clean = own(clean)
        else:
            texts.append(clean)
        return clean[:VALUE_LIMIT]

    texts.append(user_agent)
    sent_from = hit.referrer if hit.referrer is not None else request.headers.get("referer")
    return {
        "event_type": hit.event_type,
        "route_type": hit.route_type,
        "package_id": name(hit.package_id),
        "package": name(hit.package),
        "host": name(hit.host if hit.host is not None else request.host),
        "artifact": name(hit.artifact),
        "version": None if version is None else name(version),
        "reference": None if hit.reference is None else name(hit.reference),
        "method": request.method if request.method in _METHODS else "OTHER",
        "status": status,
        "range_start": range_start(request.headers.get("range")),
        "user_agent": user_agent if own is None else own(user_agent),
        "referrer": scrub.referrer(sent_from[: scrub.REFERRER_READ]) if sent_from else None,
        "variables": _variables(hit.variables, variable) if hit.variables else "{}",
    }


def range_start(header: str | None) -> int | None:
    """Read the first byte of the first range; None: no Range, or one that no server heeds.

    The last N bytes of a file are -N, counted from its end as Python does: never 0, the start.
    """
    match = _RANGE.match(header) if header else None
    if match is None:
        return None
    return int(match["first"]) if match["first"] else -max(int(match["last"]), 1)


def _time(sent: int | None, now: int) -> int:
    # A sender's clock may be wrong by years; such an event is dated by ours.
    return sent if sent is not None and _EARLIEST <= sent <= now + _AHEAD else now


def _variables(variables: Mapping[str, str], clean: Callable[[str, str], str]) -> str:
    kept: dict[str, str] = {}
    room = VARIABLES_LIMIT
    for key, value in variables.items():
        clean_key = scrub.free(key[:KEY_LIMIT])
        clean_value = clean(key, value)
        room -= len(clean_key) + len(clean_value)
        if room < 0:
            break
        kept[clean_key] = clean_value
    return _encode(kept).decode()
