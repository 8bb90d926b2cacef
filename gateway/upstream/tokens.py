"""The token exchange of OCI registries: from a challenge to a header that opens the door."""

import time
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from gateway.upstream.boundary import is_elsewhere
from gateway.upstream.bounded import Bounded
from gateway.upstream.challenge import Challenge, find_challenge
from gateway.upstream.client import Client, whole
from gateway.upstream.coalesce import Coalescer
from gateway.upstream.trouble import Trouble, Unusable

_OK = 200
_UNAUTHORIZED = 401
_DENIED = frozenset({_UNAUTHORIZED, 403})
_CLIENTS_FAULT = frozenset(range(400, 500)) - {429}
_TOKEN_BYTES = 1024 * 1024
# What the specification gives a token that does not say.
_DEFAULT_SECONDS = 60.0
# A token is not used for the last part of its life, so that it does not die on the way.
_MARGIN_SECONDS = 30.0
_MARGIN_SHARE = 0.25
_REMEMBERED = 10_000


class Access(msgspec.Struct, frozen=True):
    """Who reads what: tokens are shared among equal ones and no others."""

    registry: str
    repository: str  # "": just to be let in
    credentials: str | None  # a client's Basic header; None: anybody
    allow_private: bool = False  # the token service may be in a network of somebody's own


class _TokenAnswer(msgspec.Struct):
    token: str = ""
    access_token: str = ""
    expires_in: float | None = None


class Tokens:
    """Authorization headers for registries, kept until shortly before they expire."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._held: Bounded[Access, tuple[str, float]] = Bounded(_REMEMBERED)
        self._exchanges: Coalescer[str] = Coalescer()

    def held(self, access: Access) -> str | None:
        """The header that is known to open this, without asking anybody."""
        held = self._held.get(access)
        return held[0] if held is not None and self._clock() < held[1] else None

    async def obtain(self, access: Access, challenge: str, refused: str | None) -> str | None:
        """A header that answers a challenge, other than the one that was just refused.

        None: there is nothing that would. Raises a Trouble when the token service gives none.
        """
        held = self.held(access)
        if held is not None and held != refused:
            return held  # another request was faster
        bearer = find_challenge(challenge, "bearer")
        if bearer is not None:
            return await self._exchanges.run(access, lambda: self._exchange(access, bearer))
        if find_challenge(challenge, "basic") is not None and refused is None:
            return access.credentials
        return None

    async def _exchange(self, access: Access, challenge: Challenge) -> str:
        url = _token_url(access, challenge)
        headers = {"Authorization": access.credentials} if access.credentials else {}
        inside = access.allow_private or not is_elsewhere(url, access.registry)
        response = await self._client.open("GET", url, headers, only_public=not inside)
        body = await whole(response, _TOKEN_BYTES)
        if response.status in _DENIED or (access.credentials and response.status in _CLIENTS_FAULT):
            # Not as a fault of the service's: by sending nonsense a client could have the registry
            # taken for one that is down.
            raise Trouble(_UNAUTHORIZED, "the registry's token service gives no token for this")
        if response.status != _OK:
            raise Unusable(url, f"status {response.status} where a token was asked for")
        try:
            answer = msgspec.json.decode(body, type=_TokenAnswer)
        except (ValueError, RecursionError) as error:  # no JSON, or none in UTF-8
            raise Unusable(url, "no JSON where a token was asked for") from error
        token = answer.token or answer.access_token
        if not token.isascii() or not token.isprintable() or not token:
            raise Unusable(url, "an unusable token")
        header = f"Bearer {token}"
        self._held.put(access, (header, self._clock() + _usable_seconds(answer.expires_in)))
        return header

    async def close(self) -> None:
        """Cancel the exchanges that are under way."""
        await self._exchanges.close()


def _token_url(access: Access, challenge: Challenge) -> str:
    realm = challenge.parameters.get("realm", "")
    if not realm.startswith(("https://", "http://")):
        raise Unusable(access.registry, "a challenge without the URL of a token service")
    if access.credentials and access.registry.startswith("https:") and realm.startswith("http:"):
        raise Unusable(access.registry, "a challenge that would send credentials in the clear")
    # A registry's own scope is the better one where it names any: not all are called repository:.
    own = f"repository:{access.repository}:pull" if access.repository else ""
    scope = challenge.parameters.get("scope") or own
    asked = [("scope", scope)] if scope else []
    if "service" in challenge.parameters:
        asked.insert(0, ("service", challenge.parameters["service"]))
    return f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}" if asked else realm


def _usable_seconds(expires_in: float | None) -> float:
    seconds = expires_in if expires_in is not None and expires_in > 0 else _DEFAULT_SECONDS
    return seconds - min(_MARGIN_SECONDS, seconds * _MARGIN_SHARE)
