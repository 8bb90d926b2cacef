"""The one dispatcher: from a request to what it deserves."""

from gateway.decision import Decision, Refusal
from gateway.request import Request
from gateway.table import RouteTable


def decide(table: RouteTable, request: Request) -> Decision:
    """Say what a request deserves. Total: every input has an answer, and none raises."""
    answerers = table.hosts.get(request.host, table.any_host)
    if not answerers:
        return Refusal(status=404, reason="no route serves this domain")
    for answer in answerers:
        decision = answer(request)
        if decision is not None:
            return decision
    return Refusal(status=404, reason="no route matches this path")
