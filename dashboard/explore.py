"""Read-only SQL for readers: what it may take, and what comes back.

Each statement runs in a process of its own (`explore_pool`, `explore_child`) under a limit of time,
memory and rows, on a connection that can only read (`explore_query`).
"""

import atexit
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from dashboard.explore_pool import EndedError, NotStartedError, Pool, TimeIsUpError
from dashboard.explore_query import NoRoomError, QueryError
from dashboard.explore_wire import BadMessageError, Question

__all__ = ["EXAMPLES", "MAX_ROWS", "MAX_SECONDS", "QueryError", "Result", "run", "warm"]

MAX_ROWS: Final = 10_000
MAX_SECONDS: Final = 15.0

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


_pool: Final = Pool()
atexit.register(_pool.close)


def warm() -> None:
    """Have a process ready, so that the first query need not wait for its start."""
    _pool.warm()


def run(root: Path, sql: str, seconds: float = MAX_SECONDS, rows: int = MAX_ROWS) -> Result:
    """Answer one statement. Every failure is a QueryError."""
    started = time.monotonic()
    # One row more than is shown tells whether there were more.
    question = Question(str(root.absolute()), sql.encode(errors="replace").decode(), rows + 1)
    try:
        kind, body = _pool.ask(question, seconds)
    except TimeIsUpError as error:
        raise QueryError(
            f"Stopped after {seconds:g} seconds. A narrower `date` makes it faster: each day is a "
            "file of its own."
        ) from error
    except NotStartedError as error:
        raise QueryError(
            "The process that runs queries did not start; the dashboard's log says why."
        ) from error
    except (EndedError, BadMessageError) as error:
        # What a process does that gets no memory where it cannot do without.
        raise NoRoomError from error
    if kind != "rows":
        raise QueryError(body.decode())
    try:
        found = pl.DataFrame(pa.ipc.open_stream(body).read_all())
    except (pl.exceptions.PolarsError, pa.ArrowException, RuntimeError) as error:
        raise QueryError(str(error)) from error
    return Result(found.head(rows), found.height > rows, time.monotonic() - started)
