"""Read-only SQL for readers, on a connection that can do nothing else.

DuckDB itself holds the locks: no file outside the two tables' folders, no network, no extension, no
setting. On top of that, only statements that read are run, one at a time, with a limit of time,
memory and rows.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from dashboard.lake import TABLES, view

MAX_ROWS: Final = 10_000
MAX_SECONDS: Final = 15.0
MEMORY: Final = "1GB"

EXAMPLES: Final[dict[str, str]] = {
    "Installs a day": """SELECT date, sum(events) AS installs
FROM daily
WHERE cube = 'total' AND counted AND event_type IN ('pull', 'download', 'install')
GROUP BY date ORDER BY date""",
    "Latest events": """SELECT event_time, event_type, package, version, client, country, company
FROM events
WHERE date >= current_date - 1
ORDER BY event_time DESC LIMIT 100""",
    "Majors by company": """SELECT company, package, version_major AS major, count(*) AS installs
FROM events
WHERE counted AND company_kind = 'business' AND date >= current_date - 90
GROUP BY ALL ORDER BY installs DESC LIMIT 100""",
    "Hour of the day": """SELECT hour(event_time)::VARCHAR AS hour_utc, count(*) AS installs
FROM events
WHERE counted AND date >= current_date - 30
GROUP BY 1, hour(event_time) ORDER BY hour(event_time)""",
    "Why rows were not counted": """SELECT not_counted_because, count(*) AS rows
FROM events
WHERE NOT counted
GROUP BY 1 ORDER BY rows DESC""",
    "What the tables hold": "DESCRIBE events",
}


@dataclass(frozen=True, slots=True)
class Result:
    """An answer: at most MAX_ROWS rows, whether there were more, and how long it took."""

    rows: pl.DataFrame
    cut: bool
    seconds: float


class QueryError(Exception):
    """The query was refused or failed. The message is for the person who wrote it."""


def run(root: Path, sql: str, seconds: float = MAX_SECONDS, rows: int = MAX_ROWS) -> Result:
    """Answer one statement. Every failure is a QueryError."""
    started = time.monotonic()
    with _locked(root) as database:
        query = _only_query(database, sql)
        too_slow = threading.Event()

        def stop() -> None:
            too_slow.set()
            database.interrupt()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            # One row more than is shown tells whether there were more; the limit is DuckDB's own,
            # so that a query over everything stops early.
            found = pl.DataFrame(database.sql(query).limit(rows + 1).to_arrow_table())
        except (duckdb.Error, RuntimeError) as error:
            if too_slow.is_set():
                raise QueryError(
                    f"Stopped after {seconds:g} seconds. A narrower `date` makes it faster: each "
                    "day is a file of its own."
                ) from error
            raise QueryError(_said(error)) from error
        finally:
            timer.cancel()
    return Result(found.head(rows), found.height > rows, time.monotonic() - started)


def _locked(root: Path) -> duckdb.DuckDBPyConnection:
    folders = [f"{(root / table).resolve()}/" for table in TABLES]
    database = duckdb.connect(
        ":memory:",
        config={
            "allow_community_extensions": False,
            "allow_persistent_secrets": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # Else a name that is no table is looked for among this program's variables.
            "python_enable_replacements": False,
            # Else the settings, which anybody may read, tell where the server's home is.
            "home_directory": "/nonexistent",
            "memory_limit": MEMORY,
            "temp_directory": "",
            "threads": 2,
        },
    )
    database.execute("SET TimeZone = 'UTC'")
    database.execute("SET allowed_directories = $folders", {"folders": folders})
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    for table in TABLES:
        database.execute(view(root, table))
    return database


def _only_query(database: duckdb.DuckDBPyConnection, sql: str) -> str:
    try:
        statements = database.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(_said(error)) from error
    if not statements:
        raise QueryError("There is no statement to run.")
    if len(statements) > 1:
        raise QueryError("One statement at a time, please.")
    # EXPLAIN is not among them: EXPLAIN ANALYZE runs what it explains, a COPY to a file included.
    if statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("Only statements that read are run here: SELECT, WITH, FROM, DESCRIBE.")
    # The limit is put around the query, so it must end where its last word does: a comment may
    # follow the semicolon.
    query = statements[0].query.encode()
    ends = [at for at, kind in duckdb.tokenize(query.decode()) if query[at : at + 1] == b";"]
    return (query[: ends[-1]] if ends else query).decode()


def _said(error: Exception) -> str:
    """DuckDB's own words, which name the place of a mistake, without its class names."""
    return str(error).strip() or type(error).__name__
