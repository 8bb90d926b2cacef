"""JSON bodies that carry events: one object, several in a row, one a line, or a list of them.

Nested keys are flattened with dots. Keys that start with a dollar sign mean what they mean in
Scarf's event import; the ones that this module does not know stay as variables, `$type` among
them, because it is free text.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from gateway.decision import Hit, Refusal

MAX_KEY: Final = 256  # characters of a flattened key; what bounds the work on nested bodies
MAX_DEPTH: Final = 16
_NAMESPACE: Final = uuid.UUID("6f0e3f2a-7c1d-5f5b-9d6a-3b8f4a2c1e90")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
# Below this a number is in seconds (it would be the year 5138), above in milliseconds.
_SECONDS_END: Final = 100_000_000_000
_LAST: Final = 253_402_300_800  # seconds at the end of the year 9999


class BodyEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a body."""

    variables: dict[str, str]
    version: str | None = None  # $version
    referrer: str | None = None  # $referrer, or that of $headers
    user_agent: str | None = None  # $user_agent, or that of $headers
    host: str | None = None  # $domain
    address: str | None = None  # $remote_address; worth nothing without a token
    time: int | None = None  # $time; microseconds since the epoch
    unique_id: str | None = None  # $unique_id; the sender's own id of the event


class _BadBodyError(ValueError):
    """Why a body cannot be read."""


def parse(body: bytes, *, max_bytes: int, max_events: int) -> tuple[BodyEvent, ...] | Refusal:
    """Read every event of a body, or say why none is taken: a body is taken whole or not at all."""
    if len(body) > max_bytes:
        return Refusal(status=413, reason=f"the body is larger than {max_bytes} bytes")
    try:
        events: list[BodyEvent] = []
        for value in _objects(body):
            if len(events) == max_events:
                return Refusal(status=413, reason=f"the body holds more than {max_events} events")
            events.append(_event(value))
    except _BadBodyError as error:
        return Refusal(status=400, reason=str(error))
    return tuple(events)


def hits(base: Hit, events: Sequence[BodyEvent], *, vouched: bool = False) -> tuple[Hit, ...]:
    """One hit an event, each the base with what the event says of itself.

    Only with `vouched`, for a sender who showed a token, is the event's address believed.
    """
    return tuple(
        msgspec.structs.replace(
            base,
            version=event.version or event.variables.get("version") or base.version,
            referrer=event.referrer if event.referrer is not None else base.referrer,
            user_agent=event.user_agent if event.user_agent is not None else base.user_agent,
            host=event.host or base.host,
            address=event.address if vouched else base.address,
            event_time=event.time if event.time is not None else base.event_time,
            event_id=_event_id(base, event) or base.event_id,
            variables={**base.variables, **event.variables},
        )
        for event in events
    )


def _event_id(base: Hit, event: BodyEvent) -> str | None:
    # Hashed with the package's id, so that a sender reaches no event of another package.
    if event.unique_id is None:
        return None
    return str(uuid.uuid5(_NAMESPACE, f"{base.package_id}\n{event.unique_id}"))


def _objects(body: bytes) -> Iterator[dict[str, Any]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _BadBodyError("the body is not UTF-8") from error
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    at = _skip_space(text, 0)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError as error:
            raise _BadBodyError("the body is nested too deeply") from error
        except ValueError as error:
            raise _BadBodyError(f"the body is not JSON at character {at}") from error
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict):
                raise _BadBodyError("an event must be a JSON object")
            yield item
        at = _skip_space(text, end)


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _no_constant(name: str) -> Any:
    raise _BadBodyError(f"{name} is not JSON")


def _event(value: dict[str, Any]) -> BodyEvent:
    headers = _headers(value.pop("$headers", None))
    fields = {
        name: _text_field(value.pop(key, None), key)
        for key, name in (
            ("$version", "version"),
            ("$referrer", "referrer"),
            ("$user_agent", "user_agent"),
            ("$domain", "host"),
            ("$remote_address", "address"),
            ("$unique_id", "unique_id"),
        )
    }
    if fields["referrer"] is None:
        fields["referrer"] = headers.get("referer")
    if fields["user_agent"] is None:
        fields["user_agent"] = headers.get("user-agent")
    if fields["host"] is not None:
        fields["host"] = fields["host"].lower()
    time = _time(value.pop("$time", None))
    # The route says which package an event belongs to.
    for key in ("$package", "$pixel", "$tracking_pixel"):
        value.pop(key, None)
    return BodyEvent(variables=dict(_flat(value)), time=time, **fields)


def _text_field(value: object, key: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, dict | list):
        raise _BadBodyError(f"{key} must be a text")
    return _text(value)


def _headers(value: object) -> dict[str, str]:
    if value is None:
        return {}
    match value:
        case list() if all(isinstance(item, dict) for item in value):
            return {
                str(item.get("name", "")).lower(): _text(item.get("value"))
                for item in reversed(value)
            }
        case _:
            raise _BadBodyError('$headers must be a list of {"name": ..., "value": ...}')


def _time(value: object) -> int | None:
    match value:
        case None | "":
            return None
        case bool():
            pass
        case int() | float() if 0 <= value < _LAST * 1000:
            seconds = value if value < _SECONDS_END else value / 1000
            return int(seconds * 1_000_000)
        case str():
            try:
                moment = dt.datetime.fromisoformat(value)
            except ValueError:
                pass
            else:
                moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
                microseconds = (moment - _EPOCH) // _MICROSECOND
                if 0 <= microseconds < _LAST * 1_000_000:
                    return microseconds
    raise _BadBodyError("$time must be an ISO 8601 time, or seconds or milliseconds since 1970")


def _flat(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    # A stack, because a recursion would be as deep as the sender likes.
    waiting: list[tuple[str, Any, int]] = [(key, each, 1) for key, each in reversed(value.items())]
    while waiting:
        key, each, depth = waiting.pop()
        if len(key) > MAX_KEY:
            raise _BadBodyError(f"a key is longer than {MAX_KEY} characters once flattened")
        if depth > MAX_DEPTH:
            raise _BadBodyError(f"an event is nested more than {MAX_DEPTH} deep")
        match each:
            case dict():
                inner = reversed(each.items())
                waiting += [(f"{key}.{name}", item, depth + 1) for name, item in inner]
            case list():
                items = reversed(list(enumerate(each)))
                waiting += [(f"{key}.{index}", item, depth + 1) for index, item in items]
            case _:
                yield _whole(key), _text(each)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _whole(value)
    return "" if value is None else json.dumps(value)


def _whole(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON can spell and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
