"""Adds to a request the circumstances that its host's routes ask for, and no others.

A client that asks not to be recorded is not looked up for this either: what depends on the visitor
does not hold for it, and it gets the route's own URL.
"""

import time
from collections.abc import Callable

import msgspec

from gateway.circumstances import Circumstances, Observed
from gateway.recorder import asks_not_to_be_recorded
from gateway.request import Request
from gateway.table import RouteTable
from gateway.visitor import Visitors


class Surroundings:
    """What one worker knows beyond its requests: moment, visitors, and what was observed."""

    def __init__(
        self,
        visitors: Visitors,
        observed: Callable[[], Observed],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._visitors = visitors
        self._observed = observed
        self._clock = clock

    def around(self, table: RouteTable, request: Request, address: str) -> Request:
        """Return the request with its circumstances, or as it is where nothing depends on them."""
        needs = table.needs_of(request.host)
        if needs is None:
            return request
        known = not asks_not_to_be_recorded(request)
        agent = request.headers.get("user-agent", "")
        circumstances = Circumstances(
            time=self._clock(),
            country=self._visitors.visitor(address, agent).place.country
            if needs.place and known
            else None,
            draw=self._visitors.draw(address, agent) if needs.draw and known else None,
            observed=self._observed(),
        )
        return msgspec.structs.replace(request, circumstances=circumstances)
