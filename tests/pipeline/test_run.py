import datetime as dt
import hashlib
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from gateway.events import SCHEMA
from pipeline import archive, run
from pipeline.config import PipelineConfig
from pipeline.lake import Lake, day_folder, days_of, files_of
from pipeline.lock import LakeBusyError, locked
from pipeline.read import POLARS_ERRORS
from tests.pipeline.conftest import DAY, NOON, NOW, put_raw, raw_frame, raw_row

Events = Callable[..., pl.DataFrame]


def test_two_thousand_raw_rows_are_two_thousand_events(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    for _ in range(20):
        put_raw(lake, [raw_row() for _ in range(100)])
    done = run.run(config, NOW)
    assert done == run.Pass(files=20, days=(DAY,))
    assert events_of().height == 2_000
    daily = pl.read_parquet(lake.daily_file(DAY))
    assert daily.filter(pl.col("cube") == "total")["events"].sum() == 2_000
    assert files_of(lake.raw, DAY) == []


def test_events_are_in_file_order(lake: Lake, config: PipelineConfig, events_of: Events) -> None:
    rows = [
        raw_row(package=package, package_id=package, event_time=NOON + dt.timedelta(seconds=second))
        for package in "bac"
        for second in (5, 1, 3)
    ]
    put_raw(lake, rows[:5])
    run.run(config, NOW)
    put_raw(lake, rows[5:])
    run.run(config, NOW)
    events = events_of()
    assert events.equals(events.sort("package", "event_time", "event_id"))
    assert events.height == len(rows)


def test_the_same_rows_again_change_no_byte(lake: Lake, config: PipelineConfig) -> None:
    rows = [raw_row(status=status) for status in (200, 304, 404, 9) * 50]
    put_raw(lake, rows)
    run.run(config, NOW)
    before = _digests(lake, "events", "daily", "quarantine")
    put_raw(lake, rows)
    assert run.run(config, NOW).files == 1
    assert _digests(lake, "events", "daily", "quarantine") == before


def test_a_pass_over_nothing_new_touches_nothing(lake: Lake, config: PipelineConfig) -> None:
    put_raw(lake, [raw_row()])
    run.run(config, NOW)
    before = lake.events_file(DAY).stat()
    started = time.perf_counter()
    assert run.run(config, NOW) == run.Pass()
    assert time.perf_counter() - started < 0.2
    assert lake.events_file(DAY).stat() == before


def test_a_lake_that_is_not_there_yet_is_an_empty_one(config: PipelineConfig) -> None:
    assert run.run(config, NOW) == run.Pass()


def test_a_late_event_rewrites_its_own_day(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    put_raw(lake, [raw_row()])
    run.run(config, NOW)
    days_later = NOW + dt.timedelta(days=5)
    late = raw_row(event_time=NOON - dt.timedelta(hours=3))
    # A gateway that files by arrival, not by event_time.
    put_raw(lake, [late, raw_row(event_time=days_later)], day=days_later.date())
    assert run.run(config, days_later).days == (DAY, days_later.date())
    assert events_of(DAY)["event_id"].to_list()[0] == late["event_id"]
    assert events_of(DAY).height == 2
    assert events_of(days_later.date()).height == 1


def test_the_last_microsecond_belongs_to_the_day(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    midnight = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
    put_raw(lake, [raw_row(event_time=midnight - dt.timedelta(microseconds=1))])
    put_raw(lake, [raw_row(event_time=midnight)])
    run.run(config, NOW)
    assert [events_of(day).height for day in days_of(lake.events)] == [1, 1]


def test_rows_that_break_a_rule_wait_in_quarantine(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    bad = raw_row(status=9, package="")
    put_raw(lake, [raw_row(), bad])
    assert run.run(config, NOW).rejected == 1
    assert events_of().height == 1
    (rejected,) = pl.read_parquet(lake.quarantine_file(DAY)).to_dicts()
    assert rejected["event_id"] == bad["event_id"]
    assert sorted(rejected["broken"]) == ["package_named", "status_is_http"]


def test_a_truncated_file_is_set_aside_and_the_rest_goes_on(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    put_raw(lake, [raw_row()])
    torn = put_raw(lake, [raw_row()], name="torn")
    torn.write_bytes(torn.read_bytes()[:-100])
    assert run.run(config, NOW).unreadable == 1
    assert events_of().height == 1
    place = day_folder(lake.unreadable, DAY) / "torn.parquet.unreadable"
    assert place.exists()
    assert "is no Parquet file" in place.with_suffix(".reason").read_text()


def test_damaged_pages_behind_a_whole_footer_are_set_aside(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    put_raw(lake, [raw_row() for _ in range(50)])
    damaged = put_raw(lake, [raw_row(city=f"{n * 7919:x}" * 9) for n in range(2_000)], name="bad")
    content = bytearray(damaged.read_bytes())
    content[100 : len(content) // 2] = os.urandom(len(content) // 2 - 100)
    damaged.write_bytes(content)
    assert run.run(config, NOW).unreadable == 1
    assert events_of().height == 50
    reason = day_folder(lake.unreadable, DAY) / "bad.parquet.reason"
    assert "cannot be read whole" in reason.read_text()


def test_an_older_writer_s_file_is_filled_by_default(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    file = put_raw(lake, [raw_row()])
    older = raw_frame([raw_row()]).drop("v", "variables", "connection_type", "range_start")
    older.with_columns(invented=pl.lit("by a newer one")).write_parquet(file)
    assert run.run(config, NOW) == run.Pass(files=1, days=(DAY,))
    (event,) = events_of().to_dicts()
    assert event["variables"] == "{}"
    assert "invented" not in event
    # The archive keeps what this version does not understand.
    (kept,) = files_of(lake.archive, DAY)
    assert "invented" in pl.read_parquet_schema(kept)


def test_raw_files_are_joined_in_the_archive(lake: Lake) -> None:
    for _ in range(archive.MANY * 2):
        archive.store(lake, DAY, [put_raw(lake, [raw_row()])], NOW.date())
    files = files_of(lake.archive, DAY)
    assert len(files) < archive.MANY
    assert pl.read_parquet(files).height == archive.MANY * 2
    assert files_of(lake.raw, DAY) == []


def test_the_archive_is_kept_for_the_days_it_is_told(lake: Lake, config: PipelineConfig) -> None:
    # An event of long ago that arrives today is archived today.
    old = NOON - dt.timedelta(days=60)
    put_raw(lake, [raw_row(event_time=old)], day=old.date())
    run.run(config, NOW)
    run.run(config, NOW + dt.timedelta(days=6))
    assert len(files_of(lake.archive, old.date())) == 1
    run.run(config, NOW + dt.timedelta(days=7))
    assert not day_folder(lake.archive, old.date()).exists()


def test_quarantine_is_kept_as_long_as_the_archive(lake: Lake, config: PipelineConfig) -> None:
    put_raw(lake, [raw_row(status=9)])
    put_raw(lake, [raw_row()], name="torn").write_bytes(b"torn")
    run.run(config, NOW)
    files = [file for file in lake.quarantine.rglob("*") if file.is_file()]
    assert len(files) == 3
    for file in files:
        os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    run.run(config, NOW + dt.timedelta(days=6))
    assert all(file.exists() for file in files)
    run.run(config, NOW + dt.timedelta(days=7))
    assert [path for path in lake.quarantine.rglob("*") if path.is_file()] == []


def test_a_full_disk_loses_nothing(
    tmp_path: Path, config: PipelineConfig, events_of: Events
) -> None:
    small = tmp_path / "lake"
    small.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"only root can make a disk that is full: {mounted.stderr.strip()}")
    lake = Lake(small)
    try:
        put_raw(lake, [raw_row() for _ in range(100)])
        run.run(config, NOW)
        before = _digests(lake, "events", "daily")
        put_raw(lake, [raw_row() for _ in range(100)])
        filler = small / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(bytes(1024 * 1024))
        with pytest.raises((OSError, *POLARS_ERRORS)):
            run.run(config, NOW)
        assert _digests(lake, "events", "daily") == before
        assert len(files_of(lake.raw, DAY)) == 1
        filler.unlink()
        assert run.run(config, NOW).files == 1
        assert events_of()["event_id"].n_unique() == events_of().height == 200
    finally:
        subprocess.run(["umount", small], check=True)


def test_rebuild_reads_the_archive_again_and_keeps_the_rest(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    old = NOON - dt.timedelta(days=60)
    put_raw(lake, [raw_row(event_time=old)], day=old.date())
    run.run(config, NOW - dt.timedelta(days=30))
    put_raw(lake, [raw_row() for _ in range(3)])
    run.run(config, NOW)
    before = _digests(lake, "events", "daily")
    # As an earlier parser might have left it.
    spoilt = events_of(DAY).with_columns(client=pl.lit("nonsense"), counted=False)
    spoilt.write_parquet(lake.events_file(DAY))
    lake.daily_file(old.date()).unlink()
    assert run.rebuild(config, NOW).days == (old.date(), DAY)
    assert _digests(lake, "events", "daily") == before


def test_rebuild_frees_rows_that_keep_today_s_rules(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    ahead = NOON + dt.timedelta(days=30)
    put_raw(lake, [raw_row(event_time=ahead), raw_row(status=9)])
    assert run.run(config, NOW).rejected == 2
    assert run.rebuild(config, ahead).rejected == 1
    assert events_of(ahead.date()).height == 1
    assert pl.read_parquet(lake.quarantine_file(DAY)).height == 1


def test_one_pipeline_at_a_time(lake: Lake, config: PipelineConfig) -> None:
    with locked(lake, 0), pytest.raises(LakeBusyError, match="another pipeline"):
        run.run(PipelineConfig(data=lake.root, lock_wait=0.1), NOW)
    run.run(config, NOW)


def test_no_reader_ever_sees_half_a_table(lake: Lake, config: PipelineConfig) -> None:
    put_raw(lake, [raw_row()])
    run.run(config, NOW)
    done = threading.Event()
    counts: list[int] = []
    errors: list[Exception] = []

    def read() -> None:
        with duckdb.connect() as connection:
            while not done.is_set():
                try:
                    (row,) = connection.execute(
                        "SELECT count(*), count(DISTINCT event_id)"
                        f" FROM read_parquet('{lake.events}/*/data.parquet')"
                    ).fetchall()
                except duckdb.Error as error:
                    errors.append(error)
                    return
                assert row[0] == row[1]
                counts.append(row[0])

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(15):
        put_raw(lake, [raw_row() for _ in range(100)])
        run.run(config, NOW)
    done.set()
    reader.join()
    assert not errors
    assert counts == sorted(counts)
    assert len(set(counts)) > 3
    assert {(count - 1) % 100 for count in counts} == {0}, "a batch is seen whole or not at all"


def test_killed_anywhere_nothing_is_lost_and_nothing_doubled(
    lake: Lake, config: PipelineConfig, events_of: Events
) -> None:
    chance = random.Random(7)
    ids: set[str] = set()
    killed = 0
    passes = "\n".join(
        (
            "import datetime as dt, pathlib, sys",
            "from pipeline import run",
            "from pipeline.config import PipelineConfig",
            "config = PipelineConfig(data=pathlib.Path(sys.argv[1]))",
            f"now = dt.datetime.fromisoformat({NOW.isoformat()!r})",
            "print('ready', flush=True)",
            "for line in sys.stdin: run.run(config, now); print('done', flush=True)",
        )
    )
    for _ in range(12):
        for _ in range(3):
            rows = [
                raw_row(
                    status=chance.choice((200, 404)),
                    event_time=NOON - dt.timedelta(days=chance.randrange(2)),
                )
                for _ in range(40)
            ]
            ids |= {row["event_id"] for row in rows}
            put_raw(lake, [*rows, raw_row(event_id="rejected", status=9)])
        process = subprocess.Popen(
            [sys.executable, "-c", passes, lake.root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process, process.stdin, process.stdout:
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("go\n")
            process.stdin.flush()
            # A pass takes about 150 ms here, the first of a process a little longer.
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
            killed += "done" not in process.stdout.read()
    assert killed >= 3, "most kills came too late to prove anything"
    run.run(config, NOW)
    found = events_of()["event_id"].to_list()
    assert len(found) == len(set(found))
    assert set(found) == ids
    for day in days_of(lake.events):
        total = pl.read_parquet(lake.daily_file(day)).filter(pl.col("cube") == "total")
        assert total["events"].sum() == events_of(day).height
    archived = pl.concat(pl.read_parquet(file) for file in lake.archive.glob("*/*.parquet"))
    assert set(archived.filter(pl.col("event_id") != "rejected")["event_id"]) == ids
    assert archived.schema == SCHEMA
    assert list(lake.root.rglob("*.tmp")) == []


def _digests(lake: Lake, *tables: str) -> dict[Path, str]:
    return {
        file: hashlib.sha256(file.read_bytes()).hexdigest()
        for table in tables
        for file in sorted((lake.root / table).rglob("*.parquet"))
    }


def test_damaged_journal_records_expire_like_rejected_rows(tmp_path: Path) -> None:
    lake, now = Lake(tmp_path), dt.datetime.now(dt.UTC)
    lake.quarantine.mkdir()
    old, new = (lake.quarantine / f"journal-{name}.ndjson" for name in ("old", "new"))
    for file in (old, new):
        file.write_text("{}\n")
    week_ago = now.timestamp() - 7 * 86_400
    os.utime(old, (week_ago, week_ago))
    assert archive.expire_rejected(lake, now, 7) == 1
    assert not old.exists()
    assert new.exists()
