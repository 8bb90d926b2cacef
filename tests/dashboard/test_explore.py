"""Explore answers questions, and can do nothing else."""

import os
import time
from pathlib import Path

import pytest

from dashboard import explore
from dashboard.explore import QueryError, run
from tests.dashboard.conftest import busy_rows


@pytest.mark.parametrize("name", explore.EXAMPLES)
def test_every_example_runs(busy_lake: Path, name: str) -> None:
    run(busy_lake, explore.EXAMPLES[name])


def test_the_tables_are_the_lake(busy_lake: Path) -> None:
    assert run(busy_lake, "SELECT count(*) FROM events").rows.item() == len(busy_rows())
    totals = "SELECT sum(events)::BIGINT FROM daily WHERE cube = 'total'; -- all of it"
    assert run(busy_lake, totals).rows.item() == len(busy_rows())


@pytest.mark.parametrize(
    "sql",
    ["SELECT 'ü;ü' AS a; -- done; really", "SELECT 'ü;ü' AS a -- ;", "FROM (SELECT 'ü;ü' AS a);"],
)
def test_a_statement_ends_where_its_last_word_does(busy_lake: Path, sql: str) -> None:
    assert run(busy_lake, sql).rows["a"].to_list() == ["ü;ü"]


def test_order_survives_the_row_limit(busy_lake: Path) -> None:
    result = run(busy_lake, "SELECT range AS n FROM range(5000) ORDER BY n DESC", rows=10)
    assert result.rows["n"].to_list() == list(range(4999, 4989, -1))
    assert result.cut


def test_an_endless_answer_is_cut_early(busy_lake: Path) -> None:
    result = run(busy_lake, "SELECT * FROM range(100000000000)", rows=100)
    assert result.rows.height == 100
    assert result.cut


def test_an_empty_lake_has_tables(tmp_path: Path) -> None:
    assert run(tmp_path, "SELECT * FROM events").rows.is_empty()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM '{lake}/raw/secret.csv'",
        "SELECT * FROM read_csv('{lake}/events/../raw/secret.csv')",
        "SELECT * FROM glob('{lake}/raw/*')",
        "SELECT * FROM 'http://127.0.0.1:9/x.csv'",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "COPY (SELECT 1) TO '{lake}/events/x.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{lake}/events/x.csv'",
        "EXPLAIN COPY (SELECT 1) TO '{lake}/events/x.csv'",
        "CREATE TABLE x AS SELECT 1",
        "ATTACH '{lake}/events/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "RESET lock_configuration",
        "PRAGMA enable_profiling",
        "CALL pragma_version()",
        "DROP VIEW events",
        "SELECT 1; DROP VIEW events",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{lake}/events/x.csv''')",
        "SELECT getenv('HOME')",
        "SELECT * FROM EXAMPLES",
        "PREPARE x AS SELECT 1",
        "USE memory",
    ],
)
def test_nothing_else_is_possible(busy_lake: Path, sql: str) -> None:
    (busy_lake / "raw").mkdir(exist_ok=True)
    (busy_lake / "raw/secret.csv").write_text("a\n1\n")
    before = sorted(os.walk(busy_lake))
    with pytest.raises(QueryError):
        run(busy_lake, sql.format(lake=busy_lake))
    assert sorted(os.walk(busy_lake)) == before


def test_settings_are_locked_on_the_connection_itself(busy_lake: Path) -> None:
    rows = run(busy_lake, "SELECT name, value FROM duckdb_settings()").rows
    settings = dict(rows.rows())
    assert settings["enable_external_access"] == "false"
    assert settings["lock_configuration"] == "true"
    assert settings["autoload_known_extensions"] == "false"


def test_a_slow_query_is_stopped(busy_lake: Path) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"Stopped after 0\.5 seconds"):
        run(busy_lake, "SELECT count(*) FROM range(1000000000000)", seconds=0.5)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "no statement"),
        ("-- nothing", "no statement"),
        ("SELECT 1; SELECT 2", "One statement"),
        ("SELEC 1", "syntax error"),
        ("SELECT colour FROM events", "colour"),
        ("DELETE FROM events", "Only statements that read"),
    ],
)
def test_mistakes_are_said_in_words(busy_lake: Path, sql: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        run(busy_lake, sql)


def test_a_damaged_file_is_said_in_words(tmp_path: Path) -> None:
    day = tmp_path / "events" / "date=2026-01-01"
    day.mkdir(parents=True)
    (day / "data.parquet").write_bytes(b"no Parquet at all")
    with pytest.raises(QueryError, match="The tables cannot be read"):
        run(tmp_path, "SELECT 1")
