"""One writer at a time: whoever holds the lake's lock may change it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.lake import Lake

_PAUSE = 0.05


class LakeBusyError(Exception):
    """Another pipeline is at work on the lake, and did not finish in time."""


@contextmanager
def locked(lake: Lake, wait: float) -> Iterator[None]:
    """Hold the lake's lock, after waiting up to `wait` seconds for whoever has it.

    The system lets go of it when a process dies, however it dies.
    """
    lake.root.mkdir(parents=True, exist_ok=True)
    # The file stays: to remove it would let two processes lock two files of one name.
    descriptor = os.open(lake.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, lake, wait)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, lake: Lake, wait: float) -> None:
    give_up = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise LakeBusyError(
                    f"another pipeline has been at work on {lake.root} for {wait:g} s; "
                    "wait until it is done, or stop it"
                ) from None
            time.sleep(_PAUSE)
        else:
            return
