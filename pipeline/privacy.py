"""The auditor's report: what a lake holds about people, from its files alone, and what it must not.

Each promise that can be seen to be kept or broken in the files is looked at. What was not looked at
is said too: a report that is silent about it would pass for proof.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline import publish, read, salt_files, schema, traces
from pipeline.archive import archived_on
from pipeline.clean import BROKEN
from pipeline.lake import Lake, files_by_day
from pipeline.salt_files import Salt

# The most that a place may tell: a tenth of a degree is some ten kilometres.
_COORDINATES: Final = ("latitude", "longitude")
_KNOWN: Final = {
    "raw": frozenset(RAW),
    "archive": frozenset(RAW),
    "quarantine": frozenset({*RAW, BROKEN}),
    "events": frozenset(schema.EVENTS),
    "daily": frozenset(schema.DAILY),
}
# Where raw user agents may be, and for how long.
_CURATED: Final = frozenset({"events", "daily"})


class Table(msgspec.Struct, frozen=True):
    """One folder of the lake."""

    name: str
    files: int
    rows: int
    first_day: dt.date | None
    last_day: dt.date | None
    columns: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """Something in a column that must not be there: where and how often, never what."""

    table: str
    column: str
    kind: str
    rows: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a lake holds, and which promises it breaks."""

    lake: str
    at: dt.datetime
    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]
    ids_on_two_days: int  # endpoints met again on the following day; 0 where salts change daily
    salts_folder: str
    salts: tuple[Salt, ...]
    broken: tuple[str, ...]  # sentences, each a promise that is broken
    not_searched: tuple[str, ...]


def audit(lake: Lake, salts: Path, now: dt.datetime, retention_days: int) -> Report:
    """Read the whole lake. Takes about as long as its files take to be read once."""
    tables: list[Table] = []
    findings: list[Finding] = []
    broken: list[str] = []
    unread: list[str] = []
    for name, folder in _folders(lake).items():
        files = [file for day in files_by_day(folder).values() for file in day]
        table = _table(name, folder, unread)
        tables.append(table)
        broken += _broken_columns(table)
        counted: dict[tuple[str, str], int] = {}
        for file in files:
            for column, kind, rows in _searched(file, unread):
                counted[column, kind] = counted.get((column, kind), 0) + rows
        findings += [Finding(name, *where, rows) for where, rows in sorted(counted.items())]
    findings += _damaged_records(lake)
    kept = salt_files.look(salts, now)
    return Report(
        lake=str(lake.root),
        at=now,
        tables=tuple(tables),
        findings=tuple(findings),
        ids_on_two_days=_ids_on_two_days(lake),
        salts_folder=str(salts),
        salts=tuple(kept),
        broken=(
            *(
                f"{finding.table}/ {finding.column}: {finding.rows:,} rows hold what looks like"
                f" {'a' if finding.kind == 'secret' else 'an'} {finding.kind}"
                for finding in findings
            ),
            *broken,
            *_broken_retention(lake, now, retention_days),
            *_broken_salts(lake, salts, kept),
        ),
        not_searched=(*unread, *_waiting(lake)),
    )


def _folders(lake: Lake) -> dict[str, Path]:
    return {
        "raw": lake.raw,
        "archive": lake.archive,
        "quarantine": lake.quarantine,
        "events": lake.events,
        "daily": lake.daily,
    }


def _table(name: str, folder: Path, unread: list[str]) -> Table:
    by_day = files_by_day(folder)
    columns: dict[str, None] = {}
    rows = 0
    for file in (file for files in by_day.values() for file in files):
        try:
            rows += publish.row_count(file)
            columns |= dict.fromkeys(pl.read_parquet_schema(file))
        except FileNotFoundError:
            continue  # a pass has just taken it away
        except (publish.NotParquetError, pl.exceptions.PolarsError):
            unread.append(f"{file} is no Parquet file")
    files = sum(map(len, by_day.values()))
    days = by_day.keys()
    return Table(name, files, rows, min(days, default=None), max(days, default=None), (*columns,))


def _searched(file: Path, unread: list[str]) -> Iterator[tuple[str, str, int]]:
    try:
        frame = read.parquet(file)
        for trace in traces.find(frame):
            yield trace.column, trace.kind, trace.rows
        held = frame.collect_schema()
        for column in _COORDINATES:
            if column in held:
                fine = pl.col(column).cast(pl.Float64) * 10
                exact = (fine - fine.round()).abs() > 1e-3  # noqa: PLR2004 what 32 bits lose
                rows = publish.collect(frame.select(exact.sum())).item()
                if rows:
                    yield column, "exact place", int(rows)
    except FileNotFoundError:
        return
    except pl.exceptions.PolarsError:
        unread.append(f"{file} cannot be read whole")


def _damaged_records(lake: Lake) -> list[Finding]:
    """Search what the gateway could not ship, which is text of no certain form."""
    found: dict[str, int] = {}
    for file in sorted(lake.quarantine.glob("*.ndjson")):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for trace in traces.find(pl.LazyFrame({"record": lines}, schema={"record": pl.String})):
            found[trace.kind] = found.get(trace.kind, 0) + trace.rows
    return [Finding("quarantine", "record", kind, rows) for kind, rows in found.items()]


def _ids_on_two_days(lake: Lake) -> int:
    """Endpoints of one day that are there on the next: none, where every day has its own salt."""
    again = 0
    before: dt.date | None = None
    for day in sorted(files_by_day(lake.events)):
        if before is not None and day - before == dt.timedelta(days=1):
            earlier = read.events(lake, before).select("endpoint_id").unique()
            later = read.events(lake, day).select("endpoint_id").unique()
            again += publish.collect(later.join(earlier, on="endpoint_id").select(pl.len())).item()
        before = day
    return again


def _broken_columns(table: Table) -> Iterator[str]:
    if "user_agent" in table.columns and table.name in _CURATED:
        yield f"{table.name}/ has a column user_agent, which curation drops"
    for column in table.columns:
        if column not in _KNOWN[table.name] and column != "user_agent":
            yield f"{table.name}/ has a column {column}, which Footfall does not write"


def _broken_retention(lake: Lake, now: dt.datetime, days: int) -> Iterator[str]:
    files = [file for each in files_by_day(lake.archive).values() for file in each]
    # A pass deletes them; one a day is time enough for it.
    late = [
        file
        for file in files
        if (on := archived_on(file)) is not None and (now.date() - on).days > days + 1
    ]
    if late:
        yield (
            f"archive/ keeps {len(late):,} files longer than {days} days; "
            f"`python -m pipeline run --data {lake.root}` deletes them"
        )


def _broken_salts(lake: Lake, folder: Path, kept: list[Salt]) -> Iterator[str]:
    for salt in kept:
        if salt.mode != "0600":
            yield f"the salt of {salt.period} has mode {salt.mode}, not 0600"
        if salt.overdue:
            yield (
                f"the salt of {salt.period} should be destroyed; the gateway does that while it"
                f" runs, else delete it in {folder}"
            )
    if kept and folder.resolve().is_relative_to(lake.root.resolve()):
        yield f"the salts in {folder} are inside the lake, so that a copy of it holds them"
    elif any(lake.root.rglob(f"*{salt_files.SUFFIX}")):
        yield f"there are salts inside the lake {lake.root}"


def _waiting(lake: Lake) -> Iterator[str]:
    segments = [*lake.root.glob("journal/*.open"), *lake.root.glob("journal/*.sealed")]
    if segments:
        yield f"journal/: {len(segments):,} segments, searched once they are in raw/"
    unreadable = list(lake.unreadable.glob("*/*.unreadable"))
    if unreadable:
        yield f"quarantine/files/: {len(unreadable):,} files that cannot be read"
