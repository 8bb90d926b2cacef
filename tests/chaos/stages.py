"""The steps of an event's way, each with a lake that gives it everything to do."""

import datetime as dt
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from gateway.journal import OPEN, SEALED, Journal, encode
from gateway.shipper import into_folder, ship
from gateway.uuid7 import Uuid7s
from pipeline import archive
from pipeline.config import PipelineConfig
from pipeline.purge import package, purge, purge_before
from pipeline.run import rebuild, run
from tests.chaos.backlog import event

_OTHER_PACKAGE = "other"  # what is purged
_RETENTION = 1  # days
_LONG_AGO = 30 * 86_400

_ids = Uuid7s()


@dataclass(frozen=True)
class Stage:
    """`act` is killed; what was acknowledged is told by `acknowledge`, as an answer would be."""

    name: str
    prepare: Callable[[Path], Iterable[int]]  # returns the marks that are acknowledged already
    act: Callable[[Path, Callable[[int], object]], object]
    again: Callable[[Path], object]  # what is done after a kill; mostly the same once more
    goes: frozenset[int] = frozenset()  # marks that it takes out of the lake
    is_comparable: bool = True  # whether it always comes to the same, wherever it was killed


def stages(now: dt.datetime) -> tuple[Stage, ...]:
    """Every step, at one moment, so that its outcome can be compared with that of a second try."""

    def curate(lake: Path, _acknowledge: object = None) -> None:
        run(_config(lake), now)

    def curate_all_again(lake: Path, _acknowledge: object = None) -> None:
        rebuild(_config(lake), now)

    def purge_package(lake: Path, _acknowledge: object = None) -> None:
        purge(_config(lake), package(_OTHER_PACKAGE))

    def purge_days(lake: Path, _acknowledge: object = None) -> None:
        purge_before(_config(lake), now.date() - dt.timedelta(days=1))

    def drain(lake: Path, _acknowledge: object = None) -> None:
        ship(lake / "journal", into_folder(lake))

    def some_days(lake: Path) -> list[int]:
        return _some_days(lake, now, curate)

    def many_files(lake: Path) -> list[int]:
        marks = _some_days(lake, now, curate)
        _archive_many(lake, now)
        return marks

    return (
        Stage("journal", lambda _lake: (), _journal, _after_a_minute, is_comparable=False),
        Stage("shipping", lambda lake: _waiting_journal(lake, now), drain, drain),
        Stage("curation, archive, retention", many_files, curate, curate),
        Stage("rebuild", lambda lake: _curated(lake, some_days, curate), curate_all_again,
              curate_all_again),
        Stage("purge of a package", some_days, purge_package, purge_package,
              goes=frozenset((*range(21, 26), *range(36, 41)))),
        Stage("purge that is given up", some_days, purge_package, lambda _lake: None,
              goes=frozenset((*range(21, 26), *range(36, 41))), is_comparable=False),
        Stage("purge of old days", some_days, purge_days, purge_days,
              goes=frozenset(range(1, 11))),
    )  # fmt: skip


def ship_and_curate(lake: Path, mark: int, now: dt.datetime) -> None:
    """Take everything to its end, with one event more, as the next traffic does."""
    _write(lake, f"{mark:032x}{SEALED}", [mark], now)
    ship(lake / "journal", into_folder(lake))
    run(_config(lake), now)


def _config(lake: Path) -> PipelineConfig:
    return PipelineConfig(data=lake, raw_retention_days=_RETENTION, lock_wait=1.0)


def _journal(lake: Path, acknowledge: Callable[[int], object]) -> None:
    """What a worker does: write, acknowledge, synchronize, seal, start anew."""
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    marks = count(1)
    journal = Journal(lake / "journal", seal_after=3600)
    for _ in range(2):
        for _ in range(3):
            group = [next(marks), next(marks)]
            for mark in group:
                journal.append(event(mark, _microseconds(moment), _ids))
            journal.flush()
            for mark in group:
                acknowledge(mark)
            journal.tick()
        journal.seal()
    journal.close()


def _after_a_minute(lake: Path) -> None:
    """A draft is left alone while its writer may be alive."""
    for draft in lake.glob("journal/.*"):
        _grow_old(draft)
    ship(lake / "journal", into_folder(lake))


def _waiting_journal(lake: Path, now: dt.datetime) -> list[int]:
    """Sealed segments, one of two days, one with a damaged record, and one of a dead worker."""
    yesterday = now - dt.timedelta(days=1)
    _write(lake, f"a{SEALED}", range(1, 11), now)
    with _write(lake, f"a{SEALED}", range(11, 21), yesterday).open("ab") as segment:
        segment.write(b"00000000 no record\n")
    _write(lake, f"b{SEALED}", range(21, 31), now)
    with _write(lake, f"c{OPEN}", range(31, 41), now).open("ab") as segment:
        segment.write(b"12345678 {torn")
    return list(range(1, 41))


def _some_days(lake: Path, now: dt.datetime, curate: Callable[[Path], object]) -> list[int]:
    """A day that is curated and gets late events, a new one, and things to reject and to expire."""
    yesterday, before = (now - dt.timedelta(days=days) for days in (1, 2))
    _write(lake, f"a{SEALED}", range(1, 11), before)
    _write(lake, f"b{SEALED}", range(11, 21), yesterday)
    _write(lake, f"c{SEALED}", range(21, 26), yesterday, package_id=_OTHER_PACKAGE)
    _write(lake, f"d{SEALED}", range(1001, 1003), yesterday, status=42)
    ship(lake / "journal", into_folder(lake))
    curate(lake)
    for file in [*lake.glob("archive/*/*.parquet")][:1]:
        file.rename(file.with_name("2020-01-01-old.parquet"))
    _grow_old(_only(lake.glob("quarantine/*/*.parquet")))

    _write(lake, f"e{SEALED}", range(26, 31), yesterday)
    _write(lake, f"f{SEALED}", range(31, 36), now)
    _write(lake, f"g{SEALED}", range(36, 41), now, package_id=_OTHER_PACKAGE)
    _write(lake, f"h{SEALED}", range(1003, 1005), now, status=42)
    ship(lake / "journal", into_folder(lake))
    folder = lake / f"raw/date={now.date()}"
    some = min(folder.glob("*.parquet"))
    (folder / "again.parquet").write_bytes(some.read_bytes())
    (folder / "broken.parquet").write_bytes(some.read_bytes()[:-100])
    return list(range(1, 41))


def _archive_many(lake: Path, now: dt.datetime) -> None:
    """As many small archived files as are joined, but for those that the next pass adds."""
    rows = (lake / f"raw/date={now.date()}/again.parquet").read_bytes()
    folder = lake / f"archive/date={now.date()}"
    folder.mkdir(exist_ok=True)
    for number in range(archive.MANY - 1):
        (folder / f"{now.date()}-{number}.parquet").write_bytes(rows)


def _curated(
    lake: Path, prepare: Callable[[Path], list[int]], curate: Callable[[Path], object]
) -> list[int]:
    marks = prepare(lake)
    curate(lake)
    return marks


def _write(lake: Path, name: str, marks: Iterable[int], day: dt.datetime, **fields: object) -> Path:
    segment = lake / "journal" / name
    segment.parent.mkdir(parents=True, exist_ok=True)
    midnight = _microseconds(day.replace(hour=0, minute=0, second=0, microsecond=0))
    with segment.open("ab") as file:
        for mark in marks:
            file.write(encode(event(mark, midnight + mark, _ids, **fields)))
    return segment


def _only(files: Iterable[Path]) -> Path:
    (file,) = files
    return file


def _grow_old(path: Path) -> None:
    then = path.stat().st_mtime - _LONG_AGO
    os.utime(path, (then, then))


def _microseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
