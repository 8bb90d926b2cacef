"""Puts an event together from what the protocol found, what was asked, and the visitor."""

import re
from collections.abc import Mapping

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
_SHORT = 1024  # no limit of a name or a value cuts what is as short
_BEGIN = f'{{"v":{VERSION},'
_encode = msgspec.json.Encoder().encode


class Sender(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What an event tells of who sent a request."""

    user_agent: str  # scrubbed; the origin's id is made of it too
    range_start: int | None = None  # first byte of the first range
    referrer: str | None = None  # scrubbed

    def for_hit(self, hit: Hit) -> "Sender":
        """The same, but for what the hit itself tells of it."""
        return Sender(
            self.user_agent if hit.user_agent is None else _user_agent(hit.user_agent),
            self.range_start,
            self.referrer if hit.referrer is None else _referrer(hit.referrer),
        )


class Signature(msgspec.Struct, frozen=True, gc=False):
    """A sender as it is written into events."""

    sender: Sender
    json: str  # the event's fields, with a comma before
    addressed: str  # what the client's address may stand in, and must be taken out of

    def for_hit(self, hit: Hit) -> "Signature":
        """The same, but for what the hit itself tells of the sender."""
        if hit.user_agent is None and hit.referrer is None:
            return self
        return sign(self.sender.for_hit(hit))


def sender(headers: Mapping[str, str]) -> Sender:
    """Read the headers of a request; their names are lower case."""
    return Sender(
        _user_agent(headers.get("user-agent", "")),
        range_start(headers.get("range")),
        _referrer(headers.get("referer", "")),
    )


def sign(sender: Sender) -> Signature:
    """Write a sender, once for all of its requests."""
    # Of a referrer every address is taken out already.
    return Signature(sender, _fields(sender), scrub.addressed([sender.user_agent]))


class _Told(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The fields that a hit and its answer tell."""

    event_type: str
    route_type: str
    package_id: str
    package: str
    host: str
    artifact: str
    version: str | None = None
    reference: str | None = None
    method: str
    status: int
    variables: str


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An event with everything in it but its id, its time, its sender and its visitor.

    Requests for one target have equal drafts, so that one can be kept and serve them all.
    """

    hit: Hit
    request: Request  # its headers do not matter
    status: int
    json: str  # as of a signature
    addressed: str


def compose(
    hit: Hit,
    request: Request,
    sender: Sender,
    visitor: Visitor,
    *,
    status: int,
    now: int,
    event_id: str,
) -> RawEvent:
    """Write the event of one hit; the times are microseconds since the epoch.

    The visitor's address is taken out of every text that the client may have put it into.
    """
    address = visitor.address
    sender = sender.for_hit(hit)
    told, _ = _told(hit, request, status, address)
    return RawEvent(
        v=VERSION,
        event_id=hit.event_id or event_id,
        event_time=_time(hit.event_time, now),
        **msgspec.structs.asdict(told),
        range_start=sender.range_start,
        user_agent=scrub.own(sender.user_agent, address) if address else sender.user_agent,
        referrer=sender.referrer,
        **msgspec.structs.asdict(visitor.place),
        origin_id=visitor.origin_id,
        endpoint_id=visitor.endpoint_id,
    )


def draft(hit: Hit, request: Request, status: int) -> Draft:
    """Write what depends neither on the headers nor on the visitor."""
    told, texts = _told(hit, request, status, "")
    return Draft(hit, request, status, _fields(told), scrub.addressed(texts) if texts else "")


def finish(draft: Draft, signature: Signature, visitor: Visitor, now: int, event_id: str) -> bytes:
    """Write the JSON of the whole event that `compose` makes, without making it.

    The signature is already the hit's, and the visitor that of its user agent. The fields stand in
    another order, which no reader of the journal heeds.
    """
    hit = draft.hit
    if (draft.addressed or signature.addressed) and visitor.address:
        addressed = f"{draft.addressed}\n{signature.addressed}"
        if scrub.may_hold(addressed, visitor.address):
            return _encode(
                compose(
                    hit, draft.request, signature.sender, visitor, status=draft.status, now=now,
                    event_id=event_id,
                )
            )  # fmt: skip
    # An id that a sender gave is a UUID, so it needs no escape either.
    return (
        f'{_BEGIN}"event_id":"{hit.event_id or event_id}","event_time":{_time(hit.event_time, now)}'
        f"{draft.json}{signature.json},{visitor.json}"
    ).encode()


def _told(hit: Hit, request: Request, status: int, address: str) -> tuple[_Told, list[str]]:
    """What the hit and the answer tell, and the texts that an address may stand in.

    The address, where one is given, is taken out of every text before it is cut.
    """
    host = request.host if hit.host is None else hit.host
    version, reference, variables = hit.version, hit.reference, hit.variables
    names = (hit.package_id, hit.package, host, hit.artifact, version or "", reference or "")
    texts: list[str] = []
    # Most texts come through as they are, which one look at all of them tells.
    together = " ".join({*names, *variables, *variables.values()})
    if len(together) <= _SHORT and scrub.is_plain(together):
        package_id, package, host, artifact, clean_version, clean_reference = names
        written = _plain_variables(variables)
    else:
        cleaner = _Cleaner(hit, address)
        texts = cleaner.texts
        package_id, package, host, artifact, clean_version, clean_reference = map(
            cleaner.name, names
        )
        written = _variables(variables, cleaner)
    told = _Told(
        event_type=hit.event_type,
        route_type=hit.route_type,
        package_id=package_id,
        package=package,
        host=host,
        artifact=artifact,
        version=None if version is None else clean_version,
        reference=None if reference is None else clean_reference,
        method=request.method if request.method in _METHODS else "OTHER",
        status=status,
        variables=written,
    )
    return told, texts


class _Cleaner:
    """Takes out of a hit's texts what may not be written; keeps those that an address may be in."""

    def __init__(self, hit: Hit, address: str) -> None:
        self._version = hit.version
        self._names = (hit.artifact, hit.version, hit.reference)
        self._address = address
        self.texts: list[str] = []

    def name(self, text: str) -> str:
        return self._without_own(scrub.name(text[:NAME_LIMIT], self._version))

    def variable(self, key: str, value: str) -> str:
        if scrub.key_names_a_secret(key):
            return scrub.SECRET
        # What the route itself calls a name is judged as one.
        if value in self._names:
            return self.name(value)[:VALUE_LIMIT]
        return self._without_own(scrub.free(value[: 2 * VALUE_LIMIT]))[:VALUE_LIMIT]

    def _without_own(self, text: str) -> str:
        self.texts.append(text)
        return scrub.own(text, self._address) if self._address else text


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


def _plain_variables(variables: Mapping[str, str]) -> str:
    return _text(
        {
            key[:KEY_LIMIT]: scrub.SECRET if scrub.key_names_a_secret(key) else value
            for key, value in variables.items()
        }
    )


def _variables(variables: Mapping[str, str], cleaner: _Cleaner) -> str:
    kept: dict[str, str] = {}
    room = VARIABLES_LIMIT
    for key, value in variables.items():
        clean_key = scrub.free(key[:KEY_LIMIT])
        clean_value = cleaner.variable(key, value)
        room -= len(clean_key) + len(clean_value)
        if room < 0:
            break
        kept[clean_key] = clean_value
    return _text(kept)


def _user_agent(sent: str) -> str:
    # Cut here already, so that nothing longer is remembered.
    return scrub.user_agent(sent[: 2 * USER_AGENT_LIMIT], USER_AGENT_LIMIT) if sent else ""


def _referrer(sent: str) -> str | None:
    return scrub.referrer(sent[: scrub.REFERRER_READ]) if sent else None


def _text(value: object) -> str:
    return _encode(value).decode()


def _fields(value: object) -> str:
    """Some fields of an event, to stand behind others."""
    return f",{_encode(value)[1:-1].decode()}"
