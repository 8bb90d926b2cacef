"""Reads a routes file: our own TOML, or a Scarf manifest as it is, by the ending of its name."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from gateway import manifest, table
from gateway.check import Placed, conflicts, describe, problems_of
from gateway.problems import Problem, RoutesError, suggestion
from gateway.reach import unreached
from gateway.routes import PythonFile, Route
from gateway.table import RouteTable
from gateway.toml_text import to_toml

_TYPES: Final[Mapping[str, type[msgspec.Struct]]] = {
    str(each.__struct_config__.tag): each for each in get_args(Route)
}
_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*route[ \t]*\]\]", re.MULTILINE)

Read = tuple[list[Placed], list[Problem]]


def load(path: Path) -> RouteTable:
    """Read and index a routes file, or raise RoutesError with all that keeps it from serving."""
    placed, problems = _read(path)
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        raise RoutesError(fatal)
    return table.build([each.route for each in placed])


def check(path: Path) -> list[Problem]:
    """Everything that is wrong with a routes file, conflicts and unreached routes included."""
    placed, problems = _read(path)
    if any(problem.fatal for problem in problems):
        return problems
    return [*problems, *conflicts(placed), *unreached(placed)]


def manifest_to_toml(path: Path) -> str:
    """A Scarf manifest as a routes file that loads to the same routes."""
    placed, problems = _read_text(path, manifest.read)
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        raise RoutesError(fatal)
    return to_toml([each.route for each in placed])


def _read(path: Path) -> Read:
    readers = {".toml": read_toml, ".json": manifest.read}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        message = "ends neither in .toml (routes) nor in .json (a Scarf manifest)"
        return [], [Problem(str(path), message)]
    return _read_text(path, reader)


def _read_text(path: Path, reader: Any) -> Read:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return [], [Problem(str(path), f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return [], [Problem(str(path), f"is not UTF-8: byte {error.start} is {error.reason}")]
    placed, problems = reader(text, str(path))
    return placed, [*problems, *problems_of(placed)]


def read_toml(text: str, name: str) -> Read:
    """Read [[route]] tables. Every problem is told; a route with one is left out."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
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
    placed = []
    for number, each in enumerate(tables, 1):
        line = f":{lines[number - 1]}" if len(lines) == len(tables) else ""
        route, wrong = _route(each)
        place = f"{name}{line}: route {number}"
        if route is None:
            problems += [Problem(place, message) for message in wrong]
        else:
            placed.append(Placed(route, f"{place} ({describe(route)})"))
    return placed, problems


def _route(fields: dict[str, Any]) -> tuple[Route | None, list[str]]:
    fields = dict(fields)
    kind = fields.pop("type", None)
    if kind is None:
        return None, [f"type is missing; it can be {', '.join(_TYPES)}"]
    struct = _TYPES.get(kind) if isinstance(kind, str) else None
    if struct is None:
        return None, [f"type: {kind!r} is no type of route; {suggestion(str(kind), _TYPES)}"]
    if "domain" in fields and "domains" in fields:
        return None, ["domain and domains are one key in two forms; give one of them"]
    if "domain" in fields:
        one = fields.pop("domain")
        fields["domains"] = [one] if isinstance(one, str) else one
    return _struct(struct, fields)


def _struct(struct: Any, fields: dict[str, Any]) -> tuple[Any, list[str]]:
    """Make a struct of a table; or tell every key that is unknown, missing or of the wrong type."""
    known = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    wrong = [f"{key}: unknown key; {suggestion(key, known)}" for key in fields if key not in known]
    values: dict[str, Any] = {}
    for key, field in known.items():
        if key in fields:
            value, faults = _value(field, fields[key])
            values[field.name] = value
            wrong += [f"{key}{fault}" for fault in faults]
        elif field.required:
            wrong.append(f"{key} is missing")
    return (None if wrong else struct(**values)), wrong


def _value(field: msgspec.structs.FieldInfo, value: Any) -> tuple[Any, list[str]]:
    if field.type == tuple[PythonFile, ...] and isinstance(value, list):
        made = [
            _struct(PythonFile, each) if isinstance(each, dict) else (None, ["is no table"])
            for each in value
        ]
        faults = [f"[{at}].{fault}" for at, (_, wrong) in enumerate(made, 1) for fault in wrong]
        return tuple(file for file, _ in made), faults
    try:
        return msgspec.convert(value, type=field.type), []
    except msgspec.ValidationError as error:
        return None, [f": {error}; the value is {value!r}"]
