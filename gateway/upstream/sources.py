"""Which registry is asked for an image: the route's own, or a fallback while that one is unwell."""

import time
from collections.abc import Callable, Mapping

import aiohttp

from gateway.decision import FromRegistry, Source
from gateway.upstream import relay
from gateway.upstream.client import Client
from gateway.upstream.cooldowns import Cooldowns, Limit, Limited
from gateway.upstream.tokens import Access, Tokens
from gateway.upstream.trouble import Trouble

_TOO_MANY = 429
_ERRORS = 400


class Sources:
    """Asks registries, with the tokens that they want, and remembers how they fare."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._tokens = Tokens(client, clock)
        self._cooldowns = Cooldowns(clock)

    def is_down(self, registry: str) -> bool:
        """Whether a registry gave no answer a moment ago."""
        return self._cooldowns.is_down(registry)

    async def close(self) -> None:
        """Cancel what is under way."""
        await self._tokens.close()

    async def open(
        self, method: str, fetch: FromRegistry, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Ask the registry, and its fallbacks while it gives no answer of its own.

        A fallback's answer is taken where it has what was asked for. That it lacks something says
        nothing, so that in the end the registry's own trouble is what the client is told.
        """
        own = Source(registry=fetch.registry, repository=fetch.repository)
        # Stable: the file's order, with those that just gave no answer last.
        sources = sorted(
            (own, *fetch.fallbacks), key=lambda source: self._cooldowns.is_down(source.registry)
        )
        told: aiohttp.ClientResponse | Trouble | None = None
        for source in sources:
            answer = await self._tried(method, source, fetch, headers)
            if _settles(answer, is_own=source is own):
                _let_go(told)
                return _given(answer)
            if source is own:
                told = answer
            else:
                _let_go(answer)
        return _given(told)

    async def _tried(
        self, method: str, source: Source, fetch: FromRegistry, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse | Trouble:
        """Ask one registry, unless it limits us, and take note of how it fares."""
        limit = Limit(source.registry, fetch.authorization, fetch.endpoint, method)
        seconds = self._cooldowns.limited(limit)
        if seconds > 0:
            return Limited(source.registry, seconds)
        try:
            response = await self._ask(method, source, fetch, headers)
        except Trouble as trouble:
            if trouble.status not in relay.DENIED:
                self._cooldowns.note_down(source.registry)
            return trouble
        if response.status == _TOO_MANY:
            self._cooldowns.note_limit(limit, response.headers.get("Retry-After", ""))
        elif is_passing(response.status):
            self._cooldowns.note_down(source.registry)
        else:
            self._cooldowns.note_up(source.registry)
        return response

    async def _ask(
        self, method: str, source: Source, fetch: FromRegistry, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Ask one registry, and once more with a fresh token when it wants one."""
        url = f"{source.registry}{_path(source, fetch)}"
        access = Access(
            source.registry, source.repository, fetch.authorization, fetch.allow_private
        )
        used = self._tokens.held(access)
        response = await self._client.open(method, url, _authorized(headers, used))
        if response.status != relay.UNAUTHORIZED:
            return response
        challenge = ", ".join(response.headers.getall("WWW-Authenticate", ()))
        fresh = await self._tokens.obtain(access, challenge, used)
        if fresh is None:
            return response
        response.release()
        return await self._client.open(method, url, _authorized(headers, fresh))


def _path(source: Source, fetch: FromRegistry) -> str:
    if fetch.endpoint == "ping":
        return "/v2/"
    query = f"?{fetch.query}" if fetch.query else ""
    return f"/v2/{source.repository}/{fetch.endpoint}/{fetch.reference}{query}"


def _settles(answer: aiohttp.ClientResponse | Trouble, *, is_own: bool) -> bool:
    """Whether what a registry said is what the client gets."""
    if isinstance(answer, Trouble):
        return is_own and answer.status in relay.DENIED
    return not is_passing(answer.status) if is_own else answer.status < _ERRORS


def _given(answer: aiohttp.ClientResponse | Trouble | None) -> aiohttp.ClientResponse:
    if isinstance(answer, Trouble):
        raise answer
    if answer is None:
        raise AssertionError  # the registry itself is among the sources
    return answer


def _let_go(answer: aiohttp.ClientResponse | Trouble | None) -> None:
    if isinstance(answer, aiohttp.ClientResponse):
        answer.release()


def is_passing(status: int) -> bool:
    """Whether an error says nothing of the tag: too many requests, or the registry is unwell."""
    return status == _TOO_MANY or status >= 500  # noqa: PLR2004 - named in the sentence above


def _authorized(headers: Mapping[str, str], authorization: str | None) -> Mapping[str, str]:
    return {**headers, "Authorization": authorization} if authorization else headers
