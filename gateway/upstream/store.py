"""Manifests and tags on disk, shared by the workers of one machine and kept across restarts.

A cache and nothing more: whatever is wrong with the disk or with the file, it finds nothing, keeps
nothing and says so once in a while. Nobody is refused because of it.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from gateway.logs import Seldom
from gateway.upstream.child import Child
from gateway.upstream.keys import DigestKey, TagKey

_T = TypeVar("_T")
_Row = tuple[Any, ...]

# Workers that start together wait for the one that makes the tables. Later one writes for less than
# a millisecond, and a request does not wait for a stuck one: see busy_timeout, in milliseconds.
_START_SECONDS: Final = 5.0
_TRIM_EVERY: Final = 64  # writes
_KNOWN_CHILDREN: Final = 100_000
_KNOWN_TAGS: Final = 100_000

_TABLES: Final = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS manifests (
        id INTEGER PRIMARY KEY,
        registry TEXT, repository TEXT, digest TEXT, media_type TEXT, size INTEGER, body BLOB,
        UNIQUE (registry, repository, digest)
    );
    CREATE TABLE IF NOT EXISTS children (
        id INTEGER PRIMARY KEY,
        registry TEXT, repository TEXT, digest TEXT, platform TEXT, parent TEXT,
        UNIQUE (registry, repository, digest)
    );
    CREATE TABLE IF NOT EXISTS tags (
        id INTEGER PRIMARY KEY,
        registry TEXT, repository TEXT, tag TEXT, accept BLOB,
        digest TEXT, media_type TEXT, length TEXT, asked_at REAL,
        UNIQUE (registry, repository, tag, accept)
    );
    PRAGMA busy_timeout = 50;
"""
_PUT: Final = (
    "INSERT OR REPLACE INTO manifests (registry, repository, digest, media_type, size, body)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_GET: Final = (
    "SELECT media_type, body FROM manifests WHERE registry = ? AND repository = ? AND digest = ?"
)
_PUT_CHILD: Final = (
    "INSERT OR REPLACE INTO children (registry, repository, digest, platform, parent)"
    " VALUES (?, ?, ?, ?, ?)"
)
_GET_CHILD: Final = (
    "SELECT platform, parent FROM children WHERE registry = ? AND repository = ? AND digest = ?"
)
_PUT_TAG: Final = (
    "INSERT OR REPLACE INTO tags"
    " (registry, repository, tag, accept, digest, media_type, length, asked_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_GET_TAG: Final = (
    "SELECT digest, media_type, length, asked_at FROM tags"
    " WHERE registry = ? AND repository = ? AND tag = ? AND accept = ?"
)
_DROP_TAG: Final = (
    "DELETE FROM tags WHERE registry = ? AND repository = ? AND tag = ? AND accept = ?"
)
# The newest that fit stay.
_TRIM: Final = """
    DELETE FROM manifests WHERE id <= (
        SELECT max(id) FROM (
            SELECT id, sum(size) OVER (ORDER BY id DESC) AS total FROM manifests
        ) WHERE total > ?
    )
"""
_TRIM_CHILDREN: Final = "DELETE FROM children WHERE id <= (SELECT max(id) - ? FROM children)"
_TRIM_TAGS: Final = "DELETE FROM tags WHERE id <= (SELECT max(id) - ? FROM tags)"

log = logging.getLogger(__name__)


class StoredTag(NamedTuple):
    """What a tag pointed to when a worker asked last."""

    digest: str
    media_type: str
    length: str
    asked_at: float  # seconds since the epoch: a restart may be one of the machine


class Store:
    """One file in the cache's folder. The bytes it hands out are as they were put: check them."""

    def __init__(self, folder: Path | None, budget: int) -> None:
        """Open the store; without a folder or a budget in bytes, it stays empty."""
        self._file = folder / "manifests.sqlite" if folder is not None and budget > 0 else None
        self._budget = budget
        self._writes = 0
        self._database: sqlite3.Connection | None = None
        self._seldom = Seldom(log)
        if self._file is not None:
            self._open(self._file)

    def get(self, key: DigestKey) -> tuple[str, bytes] | None:
        """A manifest's media type and bytes."""
        row = self._row(_GET, _values(key))
        return None if row is None else (row[0], row[1])

    def put(self, key: DigestKey, media_type: str, body: bytes) -> None:
        """Keep a manifest, if the disk lets us."""
        self._write(_PUT, [(*_values(key), media_type, len(body), body)])

    def platform(self, key: DigestKey) -> tuple[str, str] | None:
        """A manifest's platform and the index that named it last."""
        row = self._row(_GET_CHILD, _values(key))
        return None if row is None else (row[0], row[1])

    def learn(self, index: DigestKey, children: tuple[Child, ...]) -> None:
        """Take note of the platforms that an index names."""
        rows = [
            (index.registry, index.repository, child.digest, child.platform, index.digest)
            for child in children
        ]
        if rows:
            self._write(_PUT_CHILD, rows)

    def tag(self, key: TagKey) -> StoredTag | None:
        """What a tag pointed to, however long ago."""
        row = self._row(_GET_TAG, _tag_values(key))
        return None if row is None else StoredTag(*row)

    def put_tag(self, key: TagKey, tag: StoredTag) -> None:
        """Take note of what a tag points to."""
        self._write(_PUT_TAG, [(*_tag_values(key), *tag)])

    def drop_tag(self, key: TagKey) -> None:
        """Take note that a tag is gone."""
        self._write(_DROP_TAG, [_tag_values(key)])

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _open(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._database = _opened(file)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                # No database, or a broken one. Nothing in it is missed.
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{file}{suffix}").unlink(missing_ok=True)
                self._database = _opened(file)
        except (OSError, sqlite3.Error) as error:
            self._warn(error)

    def _row(self, sql: str, values: _Row) -> _Row | None:
        return self._attempt(lambda database: database.execute(sql, values).fetchone())

    def _write(self, sql: str, rows: Sequence[_Row]) -> None:
        def write(database: sqlite3.Connection) -> None:
            with database:
                database.executemany(sql, rows)
                self._trim(database)

        self._attempt(write)

    def _attempt(self, act: Callable[[sqlite3.Connection], _T]) -> _T | None:
        if self._database is None:
            return None
        try:
            return act(self._database)
        except sqlite3.Error as error:
            self._warn(error)
            return None

    def _trim(self, database: sqlite3.Connection) -> None:
        # At the first write as well: the file may be older than the budget.
        if self._writes % _TRIM_EVERY == 0:
            database.execute(_TRIM, (self._budget,))
            database.execute(_TRIM_CHILDREN, (_KNOWN_CHILDREN,))
            database.execute(_TRIM_TAGS, (_KNOWN_TAGS,))
        self._writes += 1

    def _warn(self, error: Exception) -> None:
        self._seldom.warn(
            str(error),
            "%s: %s; manifests are kept in memory alone meanwhile",
            self._file,
            error,
        )


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=_START_SECONDS)
    try:
        database.executescript(_TABLES)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _values(key: DigestKey) -> _Row:
    return key.registry, key.repository, key.digest


def _tag_values(key: TagKey) -> _Row:
    return key.registry, key.repository, key.tag, key.accept
