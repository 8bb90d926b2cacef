"""A dry run: what a request would be answered, by which route, and why by no other one.

Pure: it asks the same `decide` as the server, sends nothing, and writes no event.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway import compose, queries, table
from gateway.check import Placed
from gateway.circumstances import UNKNOWN
from gateway.decide import decide
from gateway.decision import Decision, Redirect, Refusal, Reply
from gateway.escapes import canonical, legal_path, legal_query
from gateway.ipdata import NOWHERE
from gateway.protocols import files
from gateway.reach import FINDERS
from gateway.recorder import asks_not_to_be_recorded
from gateway.request import Request
from gateway.routes import FileRoute, Route
from gateway.table import ANY_HOST, PROTOCOLS, Answerer, RouteTable
from gateway.template_syntax import parse_path
from gateway.templates import PathMatcher, PathTemplate
from gateway.visitor import Visitor

_SHOWN: Final = 20  # routes whose path is another one; the rest are counted
_UNTOLD: Final = frozenset({"v", "event_id", "event_time", "origin_id", "endpoint_id"})

_OTHER_PATH: Final = "its path is another one"
_UPSTREAM: Final = "what the upstream answers"


class Passed(msgspec.Struct, frozen=True):
    """Something that was not taken, and why."""

    what: str
    reason: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of a request."""

    status: int | None  # None: whatever the upstream answers
    headers: Mapping[str, str]
    answer: str  # in words
    route: str | None  # its place; None: no route takes the request
    why: str
    alias: str | None = None  # what was asked for and what it means
    target: str | None = None  # the URL as it stands in the routes file
    other_targets: tuple[Passed, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()
    recorded: bool = True  # False: the client asks not to be
    passed_over: tuple[Passed, ...] = ()
    more: int = 0  # routes for other paths, which are not listed


def explain(placed: Sequence[Placed], request: Request) -> Explanation:
    """Explain the answer. Total, as `decide` is."""
    routes = table.build([each.route for each in placed])
    recorded = not asks_not_to_be_recorded(request)
    if not recorded:
        known = msgspec.structs.replace(request.circumstances, country=None, draw=None)
        request = msgspec.structs.replace(request, circumstances=known)
    if routes.needs_of(request.host) is None:
        asked = msgspec.structs.replace(request, circumstances=UNKNOWN)
    else:
        asked = request
    decision = decide(routes, asked)
    asked = msgspec.structs.replace(
        asked, path=legal_path(asked.path), query=legal_query(asked.query)
    )
    answerer = _answering(routes, asked)
    mine = _of_host(placed, routes, asked.host)
    winner = None if answerer is None else _winner(answerer, asked, decision, mine)
    status = _status(decision)
    passed = [
        Passed(each.place, reason)
        for each in mine
        if each is not winner and (reason := _reason(each.route, winner, answerer, asked))
    ]
    near = [each for each in passed if each.reason != _OTHER_PATH]
    far = [each for each in passed if each.reason == _OTHER_PATH]
    shown = max(0, _SHOWN - len(near))
    return Explanation(
        status=status,
        headers=headers_of(decision),
        answer=_words(decision),
        route=None if winner is None else winner.place,
        why=_why(routes, asked, answerer, winner),
        **_file_details(answerer, asked, decision),
        events=tuple(_events(decision, request, status)) if recorded else (),
        recorded=recorded,
        passed_over=(*near, *far[:shown]),
        more=len(far[shown:]),
    )


def headers_of(decision: Decision) -> dict[str, str]:
    """The headers that the gateway itself decides on."""
    match decision:
        case Redirect():
            return {"location": decision.location, "cache-control": decision.cache_control}
        case Reply():
            own = {"content-type": decision.content_type, "cache-control": decision.cache_control}
            return own | {name.lower(): value for name, value in decision.headers.items()}
        case Refusal():
            own = {"content-type": "application/json", "cache-control": "no-store"}
            return own | {name.lower(): value for name, value in decision.headers.items()}
        case _:
            return {}


def _answering(routes: RouteTable, request: Request) -> Answerer | None:
    answerers = routes.hosts.get(request.host, routes.any_host)
    return next((each for each in answerers if each(request) is not None), None)


def _of_host(placed: Sequence[Placed], routes: RouteTable, host: str) -> list[Placed]:
    """The host's routes in the order in which the protocols are asked."""
    domain = host if host in routes.hosts else ANY_HOST
    mine = [each for each in placed if domain in each.route.domains]
    if domain != ANY_HOST:
        mine += [
            each
            for each in placed
            if ANY_HOST in each.route.domains and domain not in each.route.domains
        ]
    return sorted(mine, key=lambda each: _turn(each.route))


def _turn(route: Route) -> int:
    return next(at for at, (types, _) in enumerate(PROTOCOLS) if isinstance(route, types))


def _alone(route: Route, request: Request) -> Decision | None:
    """What the route would answer if it were the only one."""
    protocol = PROTOCOLS[_turn(route)][1]
    found: Decision | None = protocol.decide(protocol.build([route]), request)
    return found


def _winner(
    answerer: Answerer, request: Request, decision: Decision, mine: Sequence[Placed]
) -> Placed | None:
    finder = FINDERS.get(answerer.func)
    if finder is not None:
        found = finder(answerer.args[0], request)
        return next((each for each in mine if each.route is found), None)
    same = [each for each in mine if PROTOCOLS[_turn(each.route)][1].decide is answerer.func]
    return next((each for each in same if _alone(each.route, request) == decision), None)


def _why(
    routes: RouteTable, request: Request, answerer: Answerer | None, winner: Placed | None
) -> str:
    if answerer is None:
        if request.host in routes.hosts or routes.any_host:
            return "no route of this domain takes the request"
        return f"no route names this domain; those named are {', '.join(sorted(routes.hosts))}"
    kind = _kind(answerer)
    if winner is None:
        return f"the {kind} routes of this domain answer together"
    if answerer.func is files.decide:
        order = "of the paths that match, its path is the most literal"
        return order if isinstance(winner.route, FileRoute) else "no template takes the path"
    return f"the first of the {kind} routes that takes it"


def _reason(
    route: Route, winner: Placed | None, answerer: Answerer | None, request: Request
) -> str:
    if isinstance(route, FileRoute):
        missed = _missed(parse_path(route.incoming_path), request)
        if missed:
            return missed
    elif _alone(route, request) is None:
        return _OTHER_PATH
    if winner is None or answerer is None:
        # The routes of one protocol answer together, and so have all been heard.
        return "" if answerer is not None else _OTHER_PATH
    own, other = _turn(route), _turn(winner.route)
    if own > other:
        return f"{_kind(answerer)} routes are asked before it"
    if own < other:
        return _OTHER_PATH
    if type(route) is not type(winner.route):
        return "templates are tried before expressions"
    return "takes it too, but comes later"


def _missed(template: PathTemplate, request: Request) -> str:
    """Why a template does not match; "" where it does."""
    path, query = canonical(request.path), queries.parse(request.query).values
    if PathMatcher(template).match(path, query) is not None:
        return ""
    if PathMatcher(PathTemplate(template.path, ())).match(path, {}) is None:
        return _OTHER_PATH
    missing = [key for key, _ in template.query if key not in query]
    if missing:
        return f"the query has no {' and no '.join(missing)}"
    return "the query has other values"


def _file_details(
    answerer: Answerer | None, request: Request, decision: Decision
) -> dict[str, Any]:
    """What only files have: aliases, and a choice of targets."""
    if answerer is None or answerer.func is not files.decide or isinstance(decision, Refusal):
        return {}
    found = files.inspect(answerer.args[0], request)
    if found is None:
        return {}
    details: dict[str, Any] = {}
    if found.alias is not None:
        details["alias"] = f"{found.alias} means {found.facts.variables.get('version')}"
    if found.choice is not None:
        told = found.choice.passed_over(found.facts)
        details["target"] = found.choice.of(found.facts).text
        details["other_targets"] = tuple(
            Passed(candidate.text, reason) for candidate, reason in told if reason
        )
    return details


def _events(decision: Decision, request: Request, status: int | None) -> list[Mapping[str, Any]]:
    hits = () if isinstance(decision, Refusal) else decision.hits
    place = msgspec.structs.replace(NOWHERE, country=request.circumstances.country)
    events: list[Mapping[str, Any]] = []
    for hit in hits:
        event = compose.compose(
            hit,
            request,
            compose.sender(request.headers),
            Visitor("", place, 0, 0),
            status=status or 0,
            now=int(request.circumstances.time * 1_000_000),
            event_id="",
        )
        fields = msgspec.to_builtins(event)
        if status is None:
            fields["status"] = _UPSTREAM
        events.append(
            {
                key: value
                for key, value in fields.items()
                if key not in _UNTOLD and value not in (None, "")
            }
        )
    return events


def _status(decision: Decision) -> int | None:
    match decision:
        case Redirect():
            return 307
        case Reply() | Refusal():
            return decision.status
        case _:
            return None


def _words(decision: Decision) -> str:
    match decision:
        case Redirect():
            return "sent on"
        case Reply():
            return "answered by the gateway itself"
        case Refusal():
            return f"refused: {decision.reason}"
        case _:
            source = getattr(decision, "registry", "") or getattr(decision, "index", "")
            source = source or getattr(decision, "upstream", "")
            return f"fetched from {source}, whose answer it is"


def _kind(answerer: Answerer) -> str:
    """The types of route that a protocol answers for, as a routes file names them."""
    types: tuple[Any, ...] = next(
        types for types, protocol in PROTOCOLS if protocol.decide is answerer.func
    )
    return " and ".join(each.__struct_config__.tag for each in types)
