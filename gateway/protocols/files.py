"""Files: a path by template or by regular expression, sent to a URL by template."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gateway import aliases, bodies, queries
from gateway.affixes import Affixes
from gateway.artifacts import event_type
from gateway.choice import Choice, compile_choice, needs
from gateway.conditions import Facts
from gateway.decision import Decision, Hit, Redirect, Refusal, Reply
from gateway.escapes import canonical, decoded, literal
from gateway.path_index import PathIndex
from gateway.queries import RequestQuery
from gateway.regexes import compile_regex, literal_prefix
from gateway.request import Request
from gateway.routes import FileRoute, RegexRoute
from gateway.template_syntax import parse_path, parse_url
from gateway.templates import PathMatcher, UrlTemplate

MAX_BODY_BYTES = 1_048_576
MAX_EVENTS = 1_000
_METHODS = ("GET", "HEAD", "POST")


class _Target(msgspec.Struct, frozen=True):
    """Where a route sends what it matches."""

    route: FileRoute | RegexRoute
    url: UrlTemplate | None  # None: answer 200
    matcher: PathMatcher | None = None  # a file route's
    pattern: Any = None  # a regex route's
    choice: Choice | None = None  # None: there is one URL alone
    depends: bool = False  # on more than the request
    rules: Mapping[str, aliases.Rule] = {}


class FileIndex(msgspec.Struct, frozen=True):
    """One host's templates, which are tried first, and its regular expressions."""

    templates: PathIndex[_Target]
    patterns: Affixes[_Target]


def build(routes: Sequence[FileRoute | RegexRoute]) -> FileIndex:
    """Prepare one host's files."""
    templates = []
    patterns = []
    for route in routes:
        target = _Target(
            route,
            parse_url(route.outgoing_url) if route.outgoing_url else None,
            choice=compile_choice(route),
            depends=needs(route).any,
            rules=aliases.compile_aliases(route.aliases, route.versions),
        )
        if isinstance(route, FileRoute):
            template = parse_path(route.incoming_path)
            target = msgspec.structs.replace(target, matcher=PathMatcher(template))
            templates.append((template, target))
        else:
            target = msgspec.structs.replace(target, pattern=compile_regex(route.pattern))
            patterns.append((literal_prefix(route.pattern), "", target))
    return FileIndex(PathIndex(templates), Affixes(patterns))


def decide(index: FileIndex, request: Request) -> Decision | None:
    """Answer with the first route that matches: templates by literalness, then expressions."""
    path = canonical(request.path)
    query = queries.parse(request.query)
    match = _match(index, path, query)
    return None if match is None else _answer(*match, request, path, query)


class Found(msgspec.Struct, frozen=True):
    """The route that answers a request, and what its choice of a URL is made from."""

    route: FileRoute | RegexRoute
    choice: Choice | None
    facts: Facts
    alias: str | None  # as asked; None: the version was none


def find(index: FileIndex, request: Request) -> FileRoute | RegexRoute | None:
    """The route that would answer, whatever it would say."""
    found = inspect(index, request)
    return None if found is None else found.route


def depends(index: FileIndex, request: Request) -> bool:
    """Whether the route that would answer has several answers to one request."""
    match = _match(index, canonical(request.path), queries.parse(request.query))
    return match is not None and match[0].depends


def inspect(index: FileIndex, request: Request) -> Found | None:
    """The route that would answer, and all that its choice of a URL rests on."""
    query = queries.parse(request.query)
    match = _match(index, canonical(request.path), query)
    if match is None:
        return None
    target, captures = match
    captures, alias = _version_meant(target, captures, request)
    facts = _facts(request, _variables(query, captures))
    return Found(target.route, target.choice, facts, alias)


def _match(
    index: FileIndex, path: str, query: RequestQuery
) -> tuple[_Target, dict[str, str]] | None:
    """The first route that matches, and the canonical values of its variables."""
    for target in index.templates.candidates(path, query.values):
        captures = target.matcher.match(path, query.values) if target.matcher else None
        if captures is not None:
            return target, captures
    if not index.patterns:
        return None
    # People write expressions for the text that they read, not for its escapes.
    text = decoded(path)
    for target in index.patterns.candidates(text):
        found = target.pattern.fullmatch(text)
        if found is not None:
            groups = found.groupdict(default="")
            return target, {name: literal(value) for name, value in groups.items()}
    return None


def _answer(
    target: _Target, captures: dict[str, str], request: Request, path: str, query: RequestQuery
) -> Decision:
    if request.method not in _METHODS:
        return Refusal(
            status=405,
            reason=f"only {', '.join(_METHODS)} are served here",
            headers={"Allow": ", ".join(_METHODS)},
        )
    route, url = target.route, target.url
    alias = None
    if target.rules:
        captures, alias = _version_meant(target, captures, request)
    variables = _variables(query, captures)
    if target.choice is not None:
        candidate = target.choice.of(_facts(request, variables))
        url = candidate.url
        if candidate.name:
            variables["target"] = candidate.name
    location = url.expand(captures, _others(target, query)) if url else ""
    if location is None:
        return Refusal(status=400, reason="the path has . or .. segments, which are not sent on")
    asked = decoded(path.rpartition("/")[2])
    sent_to = location[len(url.origin) :] if url else ""
    name = decoded(sent_to.partition("?")[0].partition("#")[0].rpartition("/")[2])
    hit = Hit(
        # Where nothing is handed out, the request is what its sender tells us.
        event_type=event_type(name or asked) if url else "telemetry",
        route_type="file",
        package_id=route.package_id or route.package,
        package=route.package,
        artifact=name or asked,
        version=variables.get("version") or None,
        reference=asked if alias is None else alias,
        variables=variables,
    )
    hits: tuple[Hit, ...] = (hit,)
    if request.method == "POST" and request.body:
        events = bodies.parse(request.body, max_bytes=MAX_BODY_BYTES, max_events=MAX_EVENTS)
        if not isinstance(events, Refusal):
            told = msgspec.structs.replace(hit, event_type="telemetry")
            hits = bodies.hits(told, events) or hits
        elif not url:
            return events
        # A redirect is never refused for its body, which is then for whoever it leads to.
    if not url:
        return Reply(hits=hits, cache_control=route.cache_control)
    return Redirect(location=location, hits=hits, cache_control=route.cache_control)


def _others(target: _Target, query: RequestQuery) -> Sequence[tuple[str, str]]:
    """The query's parts that the template does not ask for itself."""
    if target.matcher is None or not target.matcher.query_keys:
        return query.parts
    return [part for part in query.parts if part[0] not in target.matcher.query_keys]


def _version_meant(
    target: _Target, captures: dict[str, str], request: Request
) -> tuple[dict[str, str], str | None]:
    """The captures with the version that an alias stands for, and the alias as it was asked."""
    asked = captures.get(aliases.VARIABLE)
    if asked is None:
        return captures, None
    version = aliases.meant(target.rules, asked, request.circumstances.observed)
    if version is None:
        return captures, None
    return {**captures, aliases.VARIABLE: version}, decoded(asked)


def _variables(query: RequestQuery, captures: Mapping[str, str]) -> dict[str, str]:
    variables = query.variables()
    for variable, value in captures.items():
        variables[variable] = decoded(value)
    return variables


def _facts(request: Request, variables: Mapping[str, str]) -> Facts:
    return Facts(request.headers.get("user-agent", ""), variables, request.circumstances)
