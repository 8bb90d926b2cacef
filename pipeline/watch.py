"""The pipeline as a process: a pass whenever something waits, until it is told to stop."""

import datetime as dt
import errno
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pipeline.config import PipelineConfig
from pipeline.lock import LakeBusyError
from pipeline.read import POLARS_ERRORS
from pipeline.run import Pass, run

log = logging.getLogger(__name__)

# No pause is longer. After a failed pass the next one is twice as long as before.
LONGEST_PAUSE = 60.0


def watch(
    config: PipelineConfig,
    stop: threading.Event,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> None:
    """Make passes until `stop` is set; a pass under way is finished first.

    A pass that fails is logged with its reason and made again: the raw files are still there.
    """
    log.info("watching %s every %g s", config.data, config.interval)
    failures = 0
    while not stop.is_set():
        started = time.monotonic()
        try:
            done = run(config, clock())
        except (OSError, LakeBusyError, *POLARS_ERRORS) as error:
            failures += 1
            pause = min(LONGEST_PAUSE, config.interval * 2**failures)
            log.warning("pass failed (%s); trying again in %g s", reason(error), pause)
        else:
            if failures:
                log.info("passes succeed again after %d that failed", failures)
            failures = 0
            pause = pause_after(time.monotonic() - started, config.interval)
            report(done)
        stop.wait(pause)
    log.info("stopped; what still waits in raw/ is taken at the next start")


def pause_after(seconds: float, interval: float) -> float:
    """How long to wait after a pass of some seconds.

    At least as long as it took: a huge day, whose every pass is long, takes half of the time.
    """
    return max(interval, min(seconds, LONGEST_PAUSE))


def reason(error: BaseException) -> str:
    """An operator's words for why a pass failed."""
    if isinstance(error, OSError) and error.errno is not None:
        name = errno.errorcode.get(error.errno, str(error.errno))
        return f"{name}: {error.strerror}: {error.filename or 'the lake'}"
    return str(error).split("\n", 1)[0]


def report(done: Pass) -> None:
    """Log what a pass did, if it did anything."""
    if done.files or done.unreadable:
        log.info(
            "curated %d files into %d days, %d rows rejected, %d files unreadable",
            done.files,
            len(done.days),
            done.rejected,
            done.unreadable,
        )


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, in place of what they otherwise do."""
    stop = threading.Event()

    def set_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
