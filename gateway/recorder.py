"""Records the hits of one answer: visitor, event, journal; done before the answer goes.

Appending and committing are two steps, so that the answers of one turn of the event loop share one
write.

Nothing here raises: a request is answered whether or not it can be recorded. What is lost is
counted by its reason and logged now and then, without a word about the client.
"""

import errno
import logging
import time
from collections.abc import Sequence

from gateway import compose
from gateway.compose import Draft, Signature
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
    errno.EMFILE: "descriptors",
    errno.ENFILE: "descriptors",
}

log = logging.getLogger(__name__)


class Recorder:
    """Writes the events of one worker."""

    def __init__(self, visitors: Visitors, journal: Journal, counters: Counters) -> None:
        self._visitors = visitors
        self._journal = journal
        self._counters = counters
        self._ids = Uuid7s()
        self._appended = 0  # since the last commit
        self._seldom = Seldom(log)

    def record(self, hits: Sequence[Hit], request: Request, address: str, status: int) -> None:
        """Journal the hits of a request that came from an address and is answered with a status."""
        if not hits:
            return
        try:
            drafts = [compose.draft(hit, request, status) for hit in hits]
            signature = signature_of(request)
        except Exception as error:  # noqa: BLE001 the answer matters more than any mistake of ours
            self._lost(len(hits), error)
            return
        self.append(drafts, signature, address)
        self.commit()

    def append(self, drafts: Sequence[Draft], signature: Signature | None, address: str) -> None:
        """Take the events of one visitor. The answer may go only after the next `commit`."""
        if signature is None:
            self._counters.count("unrecorded")
            return
        now = time.time_ns() // 1000
        appended = 0
        try:
            for draft in drafts:
                vouched = draft.hit.address
                signed = signature.for_hit(draft.hit)
                visitor = self._visitors.visitor(
                    address if vouched is None else vouched, signed.sender.user_agent
                )
                body = compose.finish(draft, signed, visitor, now, self._ids.new())
                self._journal.append_json(body)
                appended += 1
        except Exception as error:  # noqa: BLE001 as above
            self._lost(len(drafts) - appended, error)
        self._appended += appended

    def commit(self) -> None:
        """Write what was appended, with one call to the kernel."""
        appended, self._appended = self._appended, 0
        try:
            self._journal.flush()
        except NotWritten as error:
            appended -= error.events
            self._counters.count(_FATES.get(error.errno or 0, "disk"), error.events)
            self._seldom.warn(
                str(error.errno), "events are lost, the journal takes no more: %s", error
            )
        self._counters.count("journaled", appended)

    def _lost(self, events: int, error: Exception) -> None:
        self._counters.count("error", events)
        self._seldom.warn(type(error).__name__, "events are lost: %s", where(error))


def signature_of(request: Request) -> Signature | None:
    """Read who sent a request; None for one who is not to be recorded."""
    if asks_not_to_be_recorded(request):
        return None
    return compose.sign(compose.sender(request.headers))


def asks_not_to_be_recorded(request: Request) -> bool:
    """Say whether the client has sent DNT or Global Privacy Control."""
    headers = request.headers
    return headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"
