"""Records the hits of one answer: visitor, event, journal; done before the answer goes.

Nothing here raises: a request is answered whether or not it can be recorded. What is lost is
counted by its reason and logged now and then, without a word about the client.
"""

import errno
import logging
import time
from collections.abc import Sequence

from gateway import compose
from gateway.counters import Counters, Fate
from gateway.decision import Hit
from gateway.journal import Journal, NotWritten
from gateway.logs import Seldom, where
from gateway.request import Request
from gateway.uuid7 import Uuid7s
from gateway.visitor import Visitors

_FATES: dict[int, Fate] = {
    errno.ENOSPC: "no-space",
    errno.EDQUOT: "no-space",
    errno.EROFS: "read-only",
    errno.EACCES: "read-only",
    errno.EPERM: "read-only",
}

log = logging.getLogger(__name__)


class Recorder:
    """Writes the events of one worker."""

    def __init__(self, visitors: Visitors, journal: Journal, counters: Counters) -> None:
        self._visitors = visitors
        self._journal = journal
        self._counters = counters
        self._ids = Uuid7s()
        self._seldom = Seldom(log)

    def record(self, hits: Sequence[Hit], request: Request, address: str, status: int) -> None:
        """Journal the hits of a request that came from an address and is answered with a status."""
        if not hits:
            return
        if asks_not_to_be_recorded(request):
            self._counters.count("unrecorded")
            return
        now = time.time_ns() // 1000
        appended = 0
        try:
            for hit in hits:
                self._append(hit, request, address, status, now)
                appended += 1
        except Exception as error:  # noqa: BLE001 the answer matters more than any mistake of ours
            self._counters.count("error", len(hits) - appended)
            self._seldom.warn(type(error).__name__, f"events are lost: {where(error)}")
        try:
            self._journal.flush()
        except NotWritten as error:
            appended -= error.events
            self._counters.count(_FATES.get(error.errno or 0, "disk"), error.events)
            self._seldom.warn(
                str(error.errno), f"events are lost, the journal takes no more: {error}"
            )
        self._counters.count("journaled", appended)

    def _append(self, hit: Hit, request: Request, address: str, status: int, now: int) -> None:
        agent = compose.agent(hit, request)
        visitor = self._visitors.visitor(address if hit.address is None else hit.address, agent)
        event = compose.compose(
            hit,
            request,
            visitor,
            status=status,
            user_agent=agent,
            now=now,
            event_id=self._ids.new(),
        )
        self._journal.append(event)


def asks_not_to_be_recorded(request: Request) -> bool:
    """Say whether the client has sent DNT or Global Privacy Control."""
    headers = request.headers
    return headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"
