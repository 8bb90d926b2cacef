"""TABLES.md tells of every column, cube, rule, reason and closed value, and of nothing else."""

import datetime as dt
import re
from pathlib import Path
from typing import get_args

import polars as pl
import pytest

from gateway.events import EventType, RouteType
from pipeline import checks, clean, count, pulls, schema

DOCUMENT = Path(schema.__file__).with_name("TABLES.md")
SECTIONS = {
    section.split("\n", 1)[0]: section for section in DOCUMENT.read_text().split("\n## ")[1:]
}


def _table(section: str, heading: str) -> list[list[str]]:
    """The rows of a section's table, found by the heading of its first column."""
    found: list[list[str]] = []
    inside = False
    for line in SECTIONS[section].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith(f"| {heading} |"):
            inside = True
        elif inside and not line.startswith("|"):
            return found
        elif inside and not line.startswith("| ---"):
            found.append(cells)
    return found


@pytest.mark.parametrize(("table", "columns"), [("events", schema.EVENTS), ("daily", schema.DAILY)])
def test_every_column_is_told_with_its_type(table: str, columns: pl.Schema) -> None:
    told = [(name, dtype) for name, dtype, _ in _table(table, "column")]
    assert told == [(name, str(dtype)) for name, dtype in columns.items()]
    assert all(meaning for *_, meaning in _table(table, "column"))


def test_every_cube_is_told_with_its_dimensions() -> None:
    cubes = [[name, ", ".join(names)] for name, names in schema.CUBES.items()]
    assert _table("daily", "cube") == cubes


def test_every_reason_is_told_in_order() -> None:
    told = [reason.strip("`") for reason, _ in _table("What counts as an install", "reason")]
    assert told == list(count.REASONS)


def test_every_type_is_told_when_it_counts() -> None:
    cells = [types for types, _ in _table("What counts as an install", "type")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(cells))) == sorted(get_args(EventType))


def test_every_rule_is_told() -> None:
    told = [rule for rule, _ in _table("quarantine", "rule")]
    assert told == list(clean.rules(dt.datetime.now(dt.UTC)))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("event_type", get_args(EventType)),
        ("route_type", get_args(RouteType)),
        ("traffic", schema.TRAFFIC),
        ("company_kind", schema.COMPANY_KINDS),
        ("referrer_type", schema.REFERRER_TYPES),
        ("package_id", (schema.DEMO_PREFIX,)),
    ],
)
def test_closed_values_are_told(column: str, values: tuple[str, ...]) -> None:
    (meaning,) = (meaning for name, _, meaning in _table("events", "column") if name == column)
    assert re.findall(r"`([^`]+)`", meaning) == list(values)


def test_the_windows_are_told_as_they_are() -> None:
    text = SECTIONS["What counts as an install"]
    assert f"within {checks.REPEAT_WINDOW.seconds} seconds" in text
    assert f"within {checks.COPY_WINDOW.seconds // 60} minutes" in text
    assert f"within {pulls.WINDOW.seconds} seconds" in text
