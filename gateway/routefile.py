"""Reads a routes file: our own TOML, or a Scarf manifest as it is, by the ending of its name."""

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import msgspec

from gateway import manifest, table
from gateway.check import Placed, conflicts, describe, faults
from gateway.destination_faults import Fault
from gateway.problems import Problem, RoutesError, suggestion
from gateway.reach import unreached
from gateway.routes import Route
from gateway.table import RouteTable
from gateway.toml_text import to_toml

_TYPES: Final[Mapping[str, type[msgspec.Struct]]] = {
    str(each.__struct_config__.tag): each for each in get_args(Route)
}
_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*route[ \t]*\]\]", re.MULTILINE)

Read = tuple[list[Placed], list[Problem]]


def load(path: Path, content: bytes | None = None) -> RouteTable:
    """Index a routes file, or raise RoutesError with all that keeps it from serving.

    With a content given, the file itself is not read.
    """
    placed, problems = read(path, content)
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        raise RoutesError(fatal)
    return table.build([each.route for each in placed])


def check(path: Path) -> list[Problem]:
    """Everything that is wrong with a routes file, conflicts and unreached routes included."""
    placed, problems = read(path)
    if any(problem.fatal for problem in problems):
        return problems
    doubled = list(conflicts(placed))
    told = {problem.place for problem in doubled}
    idle = (problem for problem in unreached(placed) if problem.place not in told)
    return [*problems, *doubled, *idle]


def manifest_to_toml(path: Path) -> str:
    """A Scarf manifest as a routes file that loads to the same routes."""
    placed, problems = _read_text(path, manifest.read)
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        raise RoutesError(fatal)
    return to_toml([each.route for each in placed])


def read(path: Path, content: bytes | None = None) -> Read:
    """Read a file of either kind. Every problem is told; a route with one is left out."""
    readers = {".toml": read_toml, ".json": manifest.read}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        message = "ends neither in .toml (routes) nor in .json (a Scarf manifest)"
        return [], [Problem(str(path), message)]
    return _read_text(path, reader, content)


def content_of(path: Path) -> bytes:
    """Read a routes file's bytes, or raise RoutesError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RoutesError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error


def _read_text(
    path: Path, reader: Callable[[str, str], Read], content: bytes | None = None
) -> Read:
    try:
        text = (content_of(path) if content is None else content).decode()
    except RoutesError as error:
        return [], list(error.problems)
    except UnicodeDecodeError as error:
        return [], [Problem(str(path), f"is not UTF-8: byte {error.start} is {error.reason}")]
    return reader(text, str(path))


def read_toml(text: str, name: str) -> Read:
    """Read [[route]] tables. Every problem is told; a route with one is left out."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return [], [Problem(name, f"is no TOML: {error}")]
    problems = [
        Problem(name, f"{key!r} is no key here; routes stand in [[route]] tables")
        for key in document
        if key != "route"
    ]
    tables = document.get("route", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        return [], [*problems, Problem(name, "write [[route]], with two brackets, for each route")]
    if not tables:
        problems.append(Problem(name, "has no [[route]]", fatal=False))
    # The parser keeps no line numbers, but the headers tell them where each has its own line.
    lines = [text.count("\n", 0, match.start()) + 1 for match in _HEADER.finditer(text)]
    placed: list[Placed] = []
    for number, each in enumerate(tables, 1):
        line = f":{lines[number - 1]}" if len(lines) == len(tables) else ""
        route, wrong = _route(each)
        identity = "" if route is None else f" ({describe(route)})"
        place = f"{name}{line}: route {number}{identity}"
        problems += [Problem(place, f"{key}: {message}") for key, message in wrong]
        if route is not None and not wrong:
            placed.append(Placed(route, place))
    return placed, problems


def _route(fields: dict[str, Any]) -> tuple[Route | None, list[Fault]]:
    fields = dict(fields)
    kind = fields.pop("type", None)
    if kind is None:
        return None, [("type", f"is missing; it can be {', '.join(_TYPES)}")]
    struct = _TYPES.get(kind) if isinstance(kind, str) else None
    if struct is None:
        return None, [("type", f"{kind!r} is no type of route; {suggestion(str(kind), _TYPES)}")]
    twice = "domain" in fields and "domains" in fields
    if "domain" in fields:
        one = fields.pop("domain")
        fields.setdefault("domains", [one] if isinstance(one, str) else one)
    route, wrong = _struct(struct, fields)
    if twice:
        wrong.append(("domain", "and domains are one key in two forms; give one of them"))
    told = {key for key, _ in wrong}
    # The rest of a broken route is checked as well; what stands in for a bad value is not.
    return route, [*wrong, *(fault for fault in faults(route) if fault[0] not in told)]


def _struct(struct: Any, fields: dict[str, Any]) -> tuple[Any, list[Fault]]:
    """Make a struct of a table; a key that is missing or of a bad type gets an empty value."""
    known = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    wrong = [
        (key, f"is no key here; {suggestion(key, known)}") for key in fields if key not in known
    ]
    values: dict[str, Any] = {}
    for key, field in known.items():
        if key in fields:
            value, bad = _value(field, fields[key])
            wrong += [(f"{key}{place}", message) for place, message in bad]
            if bad and value is None:
                value = _empty(field)
            values[field.name] = value
        elif field.required:
            wrong.append((key, "is missing"))
            values[field.name] = _empty(field)
    return struct(**values), wrong


def _value(field: msgspec.structs.FieldInfo, value: Any) -> tuple[Any, list[Fault]]:
    struct = _struct_in(field.type)
    if struct is not None:
        match value:
            case dict() if get_origin(field.type) is Mapping:
                return _structs_by_key(struct, value)
            case dict():
                value, wrong = _struct(struct, value)
                return value, [(f".{key}", message) for key, message in wrong]
            case list():
                return _structs(struct, value)
    if type(value) is dt.date:  # a day begins at midnight, UTC
        value = dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    try:
        return msgspec.convert(value, type=field.type), []
    except msgspec.ValidationError as error:
        return None, [("", f"{error}; the value is {value!r}")]


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field's tables are made into, however deep in its type; None: no table."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next(filter(None, map(_struct_in, get_args(kind))), None)


def _structs(struct: Any, tables: list[Any]) -> tuple[Any, list[Fault]]:
    made = [_struct(struct, each if isinstance(each, dict) else {}) for each in tables]
    wrong = [
        (f"[{at}].{key}", message) for at, (_, bad) in enumerate(made, 1) for key, message in bad
    ]
    return tuple(each for each, _ in made), wrong


def _structs_by_key(struct: Any, tables: dict[str, Any]) -> tuple[Any, list[Fault]]:
    """Values by the writer's own keys, each a table or a text."""
    made: dict[str, Any] = {}
    wrong: list[Fault] = []
    for name, value in tables.items():
        if isinstance(value, dict):
            made[name], bad = _struct(struct, value)
            wrong += [(f".{name}.{key}", message) for key, message in bad]
        elif isinstance(value, str):
            made[name] = value
        else:
            wrong.append((f".{name}", f"{value!r} is neither a text nor a table"))
    return made, wrong


def _empty(field: msgspec.structs.FieldInfo) -> Any:
    if not field.required:
        return field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    struct = _struct_in(field.type)
    if struct is not None:
        return _struct(struct, {})[0]
    return "" if field.type is str else ()
