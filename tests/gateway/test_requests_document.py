"""REQUESTS.md is complete: every refusal that the code can give stands in it, word for word."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import table

GATEWAY = Path(table.__file__).parent
TEXT = (GATEWAY / "REQUESTS.md").read_text()
DOCUMENT = " ".join(TEXT.split())
SOURCES = [
    GATEWAY / "decide.py",
    GATEWAY / "bodies.py",
    *sorted((GATEWAY / "protocols").glob("*.py")),
]

# Where the reason stands among the arguments of what makes a refusal.
REASONS = {"Refusal": "reason", "_BadBodyError": 0, "_refusal": 1, "_error": 2}


def reasons(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in REASONS:
                yield from texts(argument(node, REASONS[name]))
            case ast.Assign(targets=[ast.Name(id="reason")], value=value):
                yield from texts(value)


def argument(call: ast.Call, place: str | int) -> ast.expr | None:
    if isinstance(place, int):
        return call.args[place] if len(call.args) > place else None
    return next((each.value for each in call.keywords if each.arg == place), None)


def texts(value: ast.expr | None) -> Iterator[str]:
    """A reason with dots for what is filled in; nothing where it is not spelt out on the spot."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "..." for part in parts
            )


FOUND = sorted({(source.name, reason) for source in SOURCES for reason in reasons(source)})


@pytest.mark.parametrize(("source", "reason"), FOUND)
def test_every_refusal_is_in_the_document(source: str, reason: str) -> None:
    assert reason in DOCUMENT, f"{source} refuses with words that REQUESTS.md does not have"


def test_the_refusals_are_found() -> None:
    """Else the test above would hold by itself."""
    assert len(FOUND) > 30
    assert {source for source, _ in FOUND} >= {
        "bodies.py", "catch_all.py", "decide.py", "docker.py", "files.py", "npm.py",
        "npm_install.py", "pixel.py", "python.py", "telemetry.py",
    }  # fmt: skip


def test_the_protocols_stand_in_the_order_in_which_they_are_asked() -> None:
    asked = [kind.__struct_config__.tag for types, _ in table.PROTOCOLS for kind in types]
    headings = re.findall(r"^## [^(\n]*\((.*)\)$", TEXT, re.MULTILINE)
    told = [name for heading in headings for name in re.findall(r"`([^`]*)`", heading)]
    assert told == asked
