"""One module a protocol, each a pure pair of functions that the dispatcher calls.

    def build(routes: Sequence[XRoute]) -> XIndex
    def decide(index: XIndex, request: Request) -> Decision | None

`build` runs once a load, for each host: it gets that host's routes of its type, in file order, and
those for every host ("*") after the host's own. Where two routes match one request, the first wins.
It never raises for routes that passed the checks in `gateway.check`. An index is a frozen value,
shared between requests and between hosts.

`decide` is total: None says that the request is not this protocol's, so that the next one is asked.
The order is that of `gateway.table.PROTOCOLS`.
"""
