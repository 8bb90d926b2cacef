"""Writes routes as TOML, without what is a default."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gateway.routes import PythonFile, Route


def to_toml(routes: Iterable[Route]) -> str:
    """A routes file that reads back to equal routes."""
    return "\n".join(_table("route", route) for route in routes)


def _table(name: str, struct: Any) -> str:
    lines = [f"[[{name}]]"]
    tag = struct.__struct_config__.tag
    if tag is not None:
        lines.append(f"type = {_value(tag)}")
    files: Sequence[PythonFile] = ()
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if value == _default(field) and not field.required:
            continue
        if field.name == "domains" and len(value) == 1:
            lines.append(f"domain = {_value(value[0])}")
        elif field.name == "files":
            files = value
        else:
            lines.append(f"{field.encode_name} = {_value(value)}")
    text = "\n".join([*lines, ""])
    return "\n".join([text, *(_table(f"{name}.files", file) for file in files)])


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dt.datetime():
            return value.isoformat()
        case msgspec.Struct():
            return _inline(value)
        case str():
            # JSON's strings are TOML's, but for one control character.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
        case Mapping():
            pairs = (f"{_value(key)} = {_value(each)}" for key, each in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case Sequence():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            raise TypeError(f"a route holds no {type(value).__name__}")


def _inline(struct: msgspec.Struct) -> str:
    fields = msgspec.structs.fields(struct)
    pairs = ((field, getattr(struct, field.name)) for field in fields)
    return _value(
        {
            field.encode_name: value
            for field, value in pairs
            if field.required or value != _default(field)
        }
    )
