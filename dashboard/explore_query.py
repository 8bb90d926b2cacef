"""One read-only statement on a connection that can do nothing else.

DuckDB itself holds the locks: no file outside the two tables' folders, no network, no extension, no
setting. On top of that, only statements that read are run, one at a time.
"""

from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from dashboard.tables import TABLES, view

MEMORY: Final = "1GB"  # for what DuckDB counts, which is not all of it

# What each of them says when a text or an answer does not fit.
_NO_ROOM: Final = (MemoryError, duckdb.OutOfMemoryException, pa.ArrowMemoryError)


class QueryError(Exception):
    """The query was refused or failed. The message is for the person who wrote it."""


class NoRoomError(QueryError):
    """The query needed more memory than there is for it."""

    def __init__(self) -> None:
        super().__init__(
            "Stopped: this needs more memory than a query may have. Fewer groups, shorter texts or "
            "a narrower `date` make it smaller."
        )


def answer(root: Path, sql: str, rows: int) -> pa.Table:
    """Answer one statement with its first rows. Every failure is a QueryError."""
    try:
        opened = _locked(root)
    except (duckdb.Error, OSError) as error:
        raise QueryError(f"The tables cannot be read: {_said(error)}") from error
    with opened as database:
        query = _only_query(database, sql)
        try:
            # The limit is DuckDB's own, so that a query over everything stops early.
            return database.sql(query).limit(rows).to_arrow_table()
        except _NO_ROOM as error:
            raise NoRoomError from error
        except (duckdb.Error, RuntimeError, pa.ArrowException) as error:
            raise QueryError(_said(error)) from error


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
