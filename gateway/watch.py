"""Looks after what the routes want looked at: servers that may be down, and newest versions.

All of it happens in the background, and a decision sees only the last value. Each process looks for
itself, so that failover needs nothing shared, not even a disk. Nothing is looked at, and no
connection made, unless a route asks for it.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import aiohttp

from gateway.choice import Look
from gateway.circumstances import Observed
from gateway.escapes import canonical, decoded, legal_path
from gateway.pulse import Pulse
from gateway.table import RouteTable

_CHANGED_SECONDS: Final = 0.25  # how soon a change of the routes is noticed
_AT_ONCE: Final = 16  # looks under way, whatever the number of routes
_LONGEST: Final = 128  # characters of a version
_BAD: Final = 400
_NO_HEAD: Final = frozenset({403, 405, 501})  # what servers say that want GET

log = logging.getLogger(__name__)


class Watch:
    """The looks of one process, and what they have found so far."""

    def __init__(self, table: Callable[[], RouteTable]) -> None:
        self.observed = Observed()
        self._table = table
        self._tasks: dict[Look, asyncio.Task[None]] = {}
        self._pulses: dict[str, Pulse] = {}
        self._versions: dict[str, str] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        """Look until cancelled, at whatever the routes in force ask for."""
        seen: RouteTable | None = None
        try:
            while True:
                table = self._table()
                if table is not seen:
                    seen = table
                    self._follow(table)
                await asyncio.sleep(_CHANGED_SECONDS)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            if self._session is not None:
                await self._session.close()

    def _follow(self, table: RouteTable) -> None:
        """Begin what is new, and forget what no route asks for any more."""
        wanted = set(table.looks)
        for look in self._tasks.keys() - wanted:
            self._tasks.pop(look).cancel()
        urls = {look.url for look in wanted}
        self._pulses = {url: pulse for url, pulse in self._pulses.items() if url in urls}
        self._versions = {url: found for url, found in self._versions.items() if url in urls}
        self._tell()
        for look in wanted - self._tasks.keys():
            self._tasks[look] = asyncio.create_task(self._keep_looking(look))

    async def _keep_looking(self, look: Look) -> None:
        while True:
            async with self._turns:
                if look.down_after:
                    await self._check(look)
                else:
                    await self._find_version(look)
            # Processes and routes that began together drift apart.
            await asyncio.sleep(look.every * random.uniform(0.9, 1.0))  # noqa: S311 no secret

    async def _check(self, look: Look) -> None:
        trouble = ""
        try:
            status, _ = await self._ask(look)
            if status >= _BAD:
                trouble = f"answers {status}"
        except TimeoutError:
            trouble = f"no answer in {look.timeout:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            trouble = f"cannot be reached: {type(error).__name__}"
        before = self._pulses.get(look.url, Pulse())
        after = before.after(trouble, look.down_after, look.up_after)
        self._pulses[look.url] = after
        if bool(after.down) != bool(before.down):
            log.warning("%s is %s", look.url, f"down: {after.down}" if after.down else "up again")
        if after.down != before.down:
            self._tell()

    async def _find_version(self, look: Look) -> None:
        try:
            _, location = await self._ask(look)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # What was found before goes on being believed.
            log.warning("%s tells no version: %s", look.url, type(error).__name__)
            return
        version = version_in(location)
        if version is None:
            log.warning("%s tells no version: it does not redirect to one", look.url)
        elif version != self._versions.get(look.url):
            log.info("%s leads to %s", look.url, version)
            self._versions[look.url] = version
            self._tell()

    async def _ask(self, look: Look) -> tuple[int, str]:
        """Return the status and the Location, by GET where HEAD is refused."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": "footfall"}
            )
        timeout = aiohttp.ClientTimeout(total=look.timeout)
        for method in ("HEAD", "GET"):
            async with self._session.request(
                method, look.url, allow_redirects=False, timeout=timeout
            ) as answer:
                if method == "GET" or answer.status not in _NO_HEAD:
                    return answer.status, answer.headers.get("Location", "")
        raise AssertionError("GET is the last method")

    def _tell(self) -> None:
        self.observed = Observed(
            down={url: pulse.down for url, pulse in self._pulses.items() if pulse.down},
            versions=dict(self._versions),
        )


def version_in(location: str) -> str | None:
    """The last segment of a redirect's path, in canonical form; None where it is no version."""
    path = location.partition("#")[0].partition("?")[0].rstrip("/")
    segment = canonical(legal_path(path.rpartition("/")[2]))
    plain = decoded(segment)
    if not plain or plain in {".", ".."} or "/" in plain or not plain.isprintable():
        return None
    return segment if len(segment) <= _LONGEST and any(map(str.isdigit, plain)) else None


async def stopped(task: "asyncio.Task[None]") -> None:
    """Cancel a watch and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
