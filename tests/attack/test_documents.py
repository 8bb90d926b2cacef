"""SECURITY.md and PRIVACY.md say what is so: columns, tests and commands that they name exist."""

import ast
import re

import pytest

from gateway.events import SCHEMA
from gateway.salts import KEPT_AFTER
from pipeline.config import PipelineConfig
from tests.programs import ROOT, module, run

SECURITY = (ROOT / "SECURITY.md").read_text()
PRIVACY = (ROOT / "PRIVACY.md").read_text()
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)


@pytest.mark.parametrize(("file", "name"), TESTS, ids=[name for _, name in TESTS])
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_attack_is_named_in_the_document() -> None:
    named = set(re.findall(r"tests/[\w/]+\.py", SECURITY))
    own = {f"tests/attack/{path.name}" for path in (ROOT / "tests/attack").glob("test_*.py")}
    assert own - named == {"tests/attack/test_documents.py"}


@pytest.mark.parametrize("column", SCHEMA)
def test_every_raw_column_is_in_the_privacy_document(column: str) -> None:
    table = PRIVACY.partition("## What is stored")[2].partition("## For how long")[0]
    assert f"`{column}`" in table


def test_the_times_are_those_of_the_code() -> None:
    assert KEPT_AFTER.total_seconds() == 24 * 3600
    assert "destroyed 48 hours after the day began" in PRIVACY
    days = PipelineConfig(data=ROOT).raw_retention_days
    assert f"{days} days (`--raw-retention-days`)" in PRIVACY


def test_the_options_exist() -> None:
    told = run(module("gateway", "serve", "--help")) + run(module("pipeline", "privacy", "--help"))
    told += run(module("pipeline", "purge", "--help"))
    for option in set(re.findall(r"`(?:[a-z -]+ )?(--[a-z][a-z-]+)", PRIVACY + SECURITY)):
        assert option in told, option


def test_no_address_to_write_to_is_made_up() -> None:
    assert not re.search(r"[\w.]+@[\w.]+\.\w+|https?://", SECURITY)
    assert "private vulnerability reporting" in SECURITY
