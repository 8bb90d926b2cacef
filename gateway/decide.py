"""The one dispatcher: from a request to what it deserves."""

import msgspec

from gateway.decision import Decision, Refusal
from gateway.escapes import legal_path, legal_query
from gateway.request import Request
from gateway.table import RouteTable


def decide(table: RouteTable, request: Request) -> Decision:
    """Say what a request deserves. Total: every input has an answer, and none raises."""
    answerers = table.hosts.get(request.host, table.any_host)
    if not answerers:
        return Refusal(status=404, reason="no route serves this domain")
    # No protocol sees a character that could not stand in a URL, and so in a header, as it is.
    path = legal_path(request.path)
    query = legal_query(request.query) if request.query else ""
    if path != request.path or query != request.query:
        request = msgspec.structs.replace(request, path=path, query=query)
    for answer in answerers:
        decision = answer(request)
        if decision is not None:
            return decision
    return Refusal(status=404, reason="no route matches this path")
