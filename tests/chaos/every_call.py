"""Every step of an event's way, killed before each change that it makes to the disk.

After each kill the step is done again, as after a restart, and the lake must come to what it comes
to undisturbed: each acknowledged event once, counts that agree, and nothing left over.
"""

import datetime as dt
import os
import pickle
import shutil
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from tests.chaos import ledger, tracer
from tests.chaos.stages import Stage, ship_and_curate, stages

_LAST_MARK = 10**6  # of the event that comes after the kill
_TABLES = ("events", "daily", "archive", "quarantine")
# Where a row that is there twice is no fault: it is told from its id when it is curated again.
_SETS = frozenset({"archive", "quarantine"})

T = TypeVar("T")


@dataclass(frozen=True)
class Kill:
    """One kill, and what is wrong after it; nothing, if all is well."""

    stage: str
    number: int
    call: tracer.Killed
    faults: tuple[str, ...]


@dataclass(frozen=True)
class _State:
    """What a lake has come to."""

    tables: dict[str, list[str]]  # rows
    files: list[str]  # beside those of the tables
    account: ledger.Account


def sweep(home: Path, *, step: int = 1) -> Iterator[Kill]:
    """Kill each stage at every `step`-th change of the disk, until it ends undisturbed.

    For a process without threads, since it forks.
    """
    now = dt.datetime.now(dt.UTC)
    for stage in stages(now):
        yield from _sweep(stage, home / stage.name.replace(" ", "-"), now, step)


def _sweep(stage: Stage, home: Path, now: dt.datetime, step: int) -> Iterator[Kill]:
    template, lake = home / "template", home / "lake"
    template.mkdir(parents=True)
    known = _in_child(lambda: tuple(stage.prepare(template)))
    readable = _in_child(lambda: _read_by_anybody(template)) - stage.goes
    told, _ = _act(stage, template, lake, 0)
    goal = _in_child(lambda: _settled(stage, lake, now, (*known, *told)))
    if not (known or told) or _faults(stage, goal, goal):
        raise AssertionError(f"{stage.name} is wrong when it is undisturbed: {goal.account}")
    number = 1
    while True:
        told, call = _act(stage, template, lake, number)
        if call is None:
            return
        missed = readable - _in_child(lambda: _read_by_anybody(lake))
        found = _in_child(partial(_settled, stage, lake, now, (*known, *told)))
        faults = _faults(stage, goal, found)
        if missed:
            faults = (f"between the kill and the next try a reader misses {missed}", *faults)
        yield Kill(stage.name, number, call, faults)
        number += step


def _act(
    stage: Stage, template: Path, lake: Path, number: int
) -> tuple[tuple[int, ...], tracer.Killed | None]:
    """Do a step on a copy of the lake until it is killed; 0: to its end. Tell what it has told."""
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(template, lake)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as listening:
        with os.fdopen(writer, "wb", buffering=0) as telling:
            call = tracer.run_until(
                lake,
                number,
                lambda: stage.act(lake, lambda mark: telling.write(f"{mark}\n".encode())),
            )
        return tuple(map(int, listening.read().split())), call


def _settled(stage: Stage, lake: Path, now: dt.datetime, marks: tuple[int, ...]) -> _State:
    """Go on as after a restart, and look at what it comes to."""
    stage.again(lake)
    ship_and_curate(lake, _LAST_MARK, now)
    staying = [*(mark for mark in marks if mark not in stage.goes), _LAST_MARK]
    return _State(
        tables={table: _rows(lake, table) for table in _TABLES},
        files=sorted(
            str(path.relative_to(lake))
            for path in lake.rglob("*")
            if path.is_file() and (path.suffix != ".parquet" or path.name.startswith("."))
        ),
        account=ledger.account(lake, staying),
    )


def _faults(stage: Stage, goal: _State, found: _State) -> tuple[str, ...]:
    account = found.account
    faults = [
        f"{name}: {value}"
        for name in ("lost", "doubled", "miscounted")
        if (value := getattr(account, name))
    ]
    if waiting := [name for name in account.left_over if not name.startswith("quarantine/")]:
        faults.append(f"left over: {waiting}")
    if found.files != goal.files:
        faults.append(f"other files: {sorted({*found.files} ^ {*goal.files})}")
    if stage.is_comparable:
        faults += [
            f"{table}/ differs" for table in _TABLES if found.tables[table] != goal.tables[table]
        ]
    return tuple(faults)


def _rows(lake: Path, table: str) -> list[str]:
    rows: list[tuple[Any, ...]] = []
    for file in lake.glob(f"{table}/*/*.parquet"):
        frame = pl.read_parquet(file, hive_partitioning=False)
        if "variables" in frame.columns:
            # The event that came last has another id each time.
            frame = frame.filter(~pl.col("variables").str.contains(f'"m{_LAST_MARK}"'))
        rows += frame.rows()
    texts = map(repr, rows)
    return sorted({*texts} if table in _SETS else texts)


def _read_by_anybody(lake: Path) -> frozenset[int]:
    """The marks that a reader finds in events/ now. No mark may be there twice, no file torn."""
    for file in lake.glob("daily/*/*.parquet"):
        pl.read_parquet(file, hive_partitioning=False)
    marks = ledger.marks(lake)["mark"]
    if marks.is_duplicated().any():
        raise AssertionError("a reader finds an event twice")
    return frozenset(marks)


def _in_child(action: Callable[[], T]) -> T:
    """Have the answer of something that starts threads."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            with os.fdopen(writer, "wb") as out:
                pickle.dump(action(), out)
            os._exit(0)
        except BaseException:  # noqa: BLE001 the child ends here, whatever it was
            traceback.print_exc()
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        found = answer.read()
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("a step failed; its traceback is above")
    result: T = pickle.loads(found)
    return result
