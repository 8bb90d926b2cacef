import datetime as dt
import errno
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from pipeline.config import PipelineConfig
from pipeline.lake import Lake
from pipeline.watch import LONGEST_PAUSE, pause_after, reason, watch
from tests.pipeline.conftest import DAY, NOW, put_raw, raw_row


def _until(holds: Callable[[], bool], seconds: float = 10) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.02)


@contextmanager
def _watching(config: PipelineConfig) -> Iterator[None]:
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(config, stop, lambda: NOW))
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join(10)
        assert not watcher.is_alive()


def test_what_arrives_is_curated(lake: Lake, config: PipelineConfig) -> None:
    with _watching(config):
        put_raw(lake, [raw_row()])
        _until(lake.daily_file(DAY).exists)


@pytest.mark.parametrize(
    ("seconds", "pause"),
    [(0.01, 2.0), (2.5, 2.5), (3600.0, LONGEST_PAUSE)],
    ids=["nothing to do", "a large day", "a backlog"],
)
def test_passes_take_half_of_the_time_at_most(seconds: float, pause: float) -> None:
    assert pause_after(seconds, interval=2.0) == pause


def test_a_lake_that_vanishes_may_come_back(lake: Lake, config: PipelineConfig) -> None:
    with _watching(config):
        put_raw(lake, [raw_row()])
        _until(lake.daily_file(DAY).exists)
        _until(lambda: _is_gone(lake.root))
        lake.root.write_text("something else stands where the lake was")
        time.sleep(0.3)
        lake.root.unlink()
        put_raw(lake, [raw_row()])
        _until(lake.daily_file(DAY).exists)


def _is_gone(folder: Path) -> bool:
    # The pass under way may put files where others have just been removed.
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def test_a_failing_pass_is_told_by_reason_and_made_again(
    lake: Lake, config: PipelineConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    put_raw(lake, [raw_row()])
    lake.events.write_text("a file where a folder belongs")
    with _watching(config):
        _until(lambda: "pass failed" in caplog.text)
        lake.events.unlink()
        _until(lake.daily_file(DAY).exists)
        _until(lambda: "succeed again" in caplog.text)
    assert str(lake.events) in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    lake = Lake(tmp_path / "lake")
    today = dt.datetime.now(dt.UTC)
    command = [sys.executable, "-m", "pipeline", "watch", "--data", lake.root, "--interval", "0.05"]
    log = tmp_path / "log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        put_raw(lake, [raw_row(event_time=today)], day=today.date())
        _until(lake.daily_file(today.date()).exists, 30)
        process.send_signal(number)
        assert process.wait(10) == 0, log.read_text()
    assert pl.read_parquet(lake.events_file(today.date())).height == 1
    assert "stopped" in log.read_text()


def test_reasons_name_the_error_and_the_place() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/lake/x")
    assert reason(full) == "ENOSPC: No space left on device: /lake/x"
    assert reason(pl.exceptions.ComputeError("first\nsecond")) == "first"
