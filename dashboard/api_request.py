"""What a request to the API asks for: facts in, a decision out. Total and without I/O.

API.md describes every address, parameter and status that is decided here.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import parse_qsl, unquote

from dashboard.export_columns import COLUMNS, ColumnSet
from dashboard.export_formats import MEDIA_TYPES, Format
from dashboard.exports import Selection
from pipeline.schema import TRAFFIC

PAGE_LIMIT: Final = 1000
PAGE_DEFAULT: Final = 100

EVENT_PARAMETERS: Final = ("start_date", "end_date", "counted", "columns", "traffic", "package")
LIST_PARAMETERS: Final = ("type", "after", "per_page")
_REPEATABLE: Final = ("traffic", "package")  # they add up; every other may be given once


@dataclass(frozen=True, slots=True)
class Health:
    """The process is asked whether it is alive."""


@dataclass(frozen=True, slots=True)
class Description:
    """The API's description of itself is asked for."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events are asked for, as a file."""

    selection: Selection
    columns: ColumnSet
    format: Format

    @property
    def file_name(self) -> str:
        """What a browser saves the answer as."""
        return f"events-{self.selection.first}-{self.selection.last}.{self.format}"


@dataclass(frozen=True, slots=True)
class Packages:
    """A page of the list of packages is asked for."""

    owner: str
    route_type: str | None
    after: str
    per_page: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request is answered with a reason."""

    status: int
    code: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


Word = TypeVar("Word", bound=str)

Answer = Health | Description | Events | Packages | Refusal

UNAUTHORIZED: Final = Refusal(
    401,
    "unauthorized",
    "a valid token is needed, as `Authorization: Bearer TOKEN`; "
    "`python -m dashboard token NAME` makes one",
    (("WWW-Authenticate", 'Bearer realm="footfall"'),),
)


class _BadParameterError(Exception):
    def __init__(self, name: str, value: str, right: str) -> None:
        super().__init__(f"{name} = {value!r} is not valid: {right}")


def decide(method: str, target: str, accept: str, *, authorized: bool) -> Answer:
    """Say what a request deserves. Total: every input has an answer."""
    asked, _, query = target.partition("?")
    path = tuple(unquote(part) for part in asked.split("/")[1:])
    if not _is_known(path):
        return Refusal(404, "not-found", f"there is nothing at {asked!r}; see API.md")
    # What a HEAD of an export could tell (its length) is not known before its end.
    allowed = ("GET",) if path[3:] and path[-1] == "events" else ("GET", "HEAD")
    if method not in allowed:
        allow = (("Allow", ", ".join(allowed)),)
        return Refusal(405, "method-not-allowed", f"{method} is not served here", allow)
    if path == ("healthz",):
        return Health()
    if path == ("openapi.json",):
        return Description()
    if not authorized:
        return UNAUTHORIZED
    try:
        given = parse_qsl(query, keep_blank_values=True)
        match path:
            case (_, _, owner):
                return _packages(owner, given)
            case _:
                return _events(path[1], "/".join(path[3:-1]), given, accept)
    except _BadParameterError as error:
        return Refusal(400, "invalid-parameter", str(error))


def bearer(authorization: str) -> str:
    """The token in an Authorization header; empty where it holds none."""
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _is_known(path: tuple[str, ...]) -> bool:
    if path in (("healthz",), ("openapi.json",)):
        return True
    if "" in path:
        return False
    match path:
        case ("v2", "packages", _):
            return True
        case ("v2", "packages" | "tracking-pixels", _, *_, "events"):
            return True
        case ("v2", "companies", _, _, "events"):
            return True
    return False


def _events(collection: str, name: str, query: list[tuple[str, str]], accept: str) -> Answer:
    """`name` is what stands between owner and `events`: a company's domain, or a package.

    A package's name may hold slashes, as a container image's does.
    """
    given = _parameters(query, EVENT_PARAMETERS)
    first, last = _day("start_date", given), _day("end_date", given)
    if last < first:
        raise _BadParameterError(
            "end_date", str(last), f"it must not be before start_date, {first}"
        )
    company = name if collection == "companies" else None
    one_package = (name,) if name and company is None else ()
    selection = Selection(
        first=first,
        last=last,
        packages=(*one_package, *(_named(value) for value in given.get("package", ()))),
        event_types=("view",) if collection == "tracking-pixels" else (),
        traffic=tuple(_one_of("traffic", value, TRAFFIC) for value in given.get("traffic", ())),
        company_domain=company,
        counted_only=_one_of("counted", _last(given, "counted", "false"), ("true", "false"))
        == "true",
    )
    columns = _one_of("columns", _last(given, "columns", "scarf"), tuple(COLUMNS))
    output = negotiate(accept)
    if output is None:
        offered = ", ".join(MEDIA_TYPES.values())
        return Refusal(406, "not-acceptable", f"Accept: {accept} fits none of {offered}")
    return Events(selection, columns, output)


def _packages(owner: str, query: list[tuple[str, str]]) -> Answer:
    given = _parameters(query, LIST_PARAMETERS)
    size = _last(given, "per_page", str(PAGE_DEFAULT))
    if not re.fullmatch(r"[0-9]{1,4}", size) or not 1 <= int(size) <= PAGE_LIMIT:
        raise _BadParameterError("per_page", size, f"a number from 1 to {PAGE_LIMIT}")
    return Packages(owner, _last(given, "type", "") or None, _last(given, "after", ""), int(size))


def _parameters(query: Iterable[tuple[str, str]], known: tuple[str, ...]) -> dict[str, list[str]]:
    # An unknown parameter is refused: a filter that is misspelt must not return everything.
    given: dict[str, list[str]] = {}
    for name, value in query:
        if name not in known:
            raise _BadParameterError(name, value, f"the parameters here are {', '.join(known)}")
        if name in given and name not in _REPEATABLE:
            raise _BadParameterError(name, value, "it was given before, and may be given once")
        given.setdefault(name, []).append(value)
    return given


def _last(given: dict[str, list[str]], name: str, default: str) -> str:
    return given[name][-1] if name in given else default


def _named(package: str) -> str:
    if not package:
        raise _BadParameterError("package", package, "it must name a package")
    return package


def _day(name: str, given: dict[str, list[str]]) -> dt.date:
    value = _last(given, name, "")
    try:
        return parse_day(value)
    except ValueError as error:
        raise _BadParameterError(name, value, str(error)) from error


def parse_day(text: str) -> dt.date:
    """A calendar day as YYYY-MM-DD, and in no other of ISO 8601's spellings."""
    right = "a day is written YYYY-MM-DD, for example 2026-01-31"
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(right)
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"there is no such day; {right}") from error


def _one_of(name: str, value: str, words: Iterable[Word]) -> Word:
    for word in words:
        if word == value:
            return word
    raise _BadParameterError(name, value, f"one of {', '.join(words)}")


def negotiate(accept: str) -> Format | None:
    """The format that an Accept header likes best; CSV where it has no opinion."""
    if not accept.strip():
        return "csv"
    ranges = [_media_range(part) for part in accept.split(",")]
    liked = {output: _quality(media_type, ranges) for output, media_type in MEDIA_TYPES.items()}
    # The first of equals wins, which is CSV.
    best = max(liked, key=lambda output: liked[output])
    return best if liked[best] > 0 else None


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            quality = parameter.removeprefix("q=")
            return name, float(quality) if re.fullmatch(r"[01](\.[0-9]{0,3})?", quality) else 0.0
    return name, 1.0


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> float:
    # The most specific range that covers a type speaks for it, whatever the others say.
    for cover in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for name, quality in ranges:
            if name == cover:
                return quality
    return 0.0
