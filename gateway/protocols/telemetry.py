"""Telemetry: JSON objects by POST, one event each, maybe only from who shows a token."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import unquote

import msgspec

from gateway import bodies
from gateway.decision import Decision, Hit, Refusal, Reply
from gateway.request import Request
from gateway.routes import TelemetryRoute

_JSON = "application/json; charset=utf-8"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="telemetry"'}
_BEARER = "bearer "
_UNPACKED = frozenset({"", "identity"})


class TelemetryIndex(msgspec.Struct, frozen=True):
    """One host's telemetry paths."""

    paths: dict[str, TelemetryRoute]


def build(routes: Sequence[TelemetryRoute]) -> TelemetryIndex:
    """Prepare one host's telemetry paths."""
    paths: dict[str, TelemetryRoute] = {}
    for route in routes:
        paths.setdefault(route.path, route)
    return TelemetryIndex(paths)


def decide(index: TelemetryIndex, request: Request) -> Decision | None:
    """Take the events of a body whole, or none of them and say why."""
    route = index.paths.get(request.path) or index.paths.get(unquote(request.path))
    if route is None:
        return None
    if request.method != "POST":
        return Refusal(
            status=405, reason="telemetry is sent here by POST", headers={"Allow": "POST"}
        )
    vouched = bool(route.token_sha256)
    if vouched and not _is_known(request.headers.get("authorization", ""), route.token_sha256):
        return Refusal(
            status=401, reason="a bearer token of this endpoint is needed", headers=_CHALLENGE
        )
    if request.headers.get("content-encoding", "").strip().lower() not in _UNPACKED:
        # Unpacking would let a small body become a large one.
        return Refusal(status=415, reason="send the body without a Content-Encoding")
    events = bodies.parse(request.body, max_bytes=route.max_body_bytes, max_events=route.max_events)
    if isinstance(events, Refusal):
        return events
    base = Hit(
        event_type="telemetry",
        route_type="telemetry",
        package_id=route.package_id or route.package,
        package=route.package,
        artifact=route.path,
    )
    hits = bodies.hits(base, events, vouched=vouched)
    body = msgspec.json.encode({"events": len(hits)})
    return Reply(body=body, content_type=_JSON, hits=hits)


def _is_known(authorization: str, digests: Sequence[str]) -> bool:
    """Whether a header shows one of the tokens, in a time that tells nothing of them."""
    scheme, token = authorization[: len(_BEARER)].lower(), authorization[len(_BEARER) :].strip()
    shown = sha256(token.encode("utf-8", "surrogateescape")).hexdigest().encode()
    matches = [
        hmac.compare_digest(shown, digest.lower().encode("utf-8", "replace")) for digest in digests
    ]
    return scheme == _BEARER and any(matches)
