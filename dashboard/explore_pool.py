"""The processes that run Explore's queries, as the dashboard sees them.

One waits ready, because starting one takes most of a second. It answers query after query until one
breaks a limit; then it is killed, and the next is started at once.
"""

import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from dashboard.explore_query import QueryError
from dashboard.explore_wire import HEAD, Kind, Question, encode, kind_and_length

# Queries at once: each may take two threads and what memory a query may have.
AT_ONCE: Final = 2
# A start is slow where the machine has much to do; a query's own time begins after it.
START_SECONDS: Final = 60.0

_ROOT: Final = Path(__file__).parents[1]
_PIECE: Final = 1024 * 1024
# Nothing else of the dashboard's environment is any query's business.
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class TimeIsUpError(Exception):
    """The answer was not there in time."""


class EndedError(Exception):
    """The process ended before it had answered."""


class NotStartedError(Exception):
    """No process could be started. What it said is in the dashboard's log."""


class Child:
    """One process. Whoever has it is its only user."""

    def __init__(self) -> None:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        # Each thread's own stock of memory would count against the limit.
        few = {"MALLOC_ARENA_MAX": "2", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dashboard.explore_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**kept, **few, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._ready = False

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(self, question: Question, seconds: float) -> tuple[Kind, bytes]:
        """Send a question and wait.

        Raises NotStartedError, TimeIsUpError, EndedError or BadMessageError.
        """
        if not self._ready:
            try:
                self._receive(time.monotonic() + START_SECONDS)
            except (TimeIsUpError, EndedError) as error:
                raise NotStartedError from error
            self._ready = True
        until = time.monotonic() + seconds
        self._send(encode(question), until)
        return self._receive(until)

    def kill(self) -> None:
        """End the process at once, and leave nothing of it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _send(self, data: bytes, until: float) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101  for the type; it was asked for above
        os.set_blocking(pipe.fileno(), False)
        rest = memoryview(data)
        while rest:
            _wait(pipe.fileno(), select.POLLOUT, until)
            try:
                rest = rest[os.write(pipe.fileno(), rest) :]
            except BrokenPipeError as error:
                raise EndedError from error

    def _receive(self, until: float) -> tuple[Kind, bytes]:
        kind, length = kind_and_length(self._read(HEAD.size, until))
        return kind, self._read(length, until)

    def _read(self, length: int, until: float) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101  as above
        found = bytearray()
        while len(found) < length:
            _wait(pipe.fileno(), select.POLLIN, until)
            piece = os.read(pipe.fileno(), min(_PIECE, length - len(found)))
            if not piece:
                raise EndedError
            found += piece
        return bytes(found)


class Pool:
    """The processes of one dashboard, for all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places = threading.Semaphore(AT_ONCE)
        self._spare: Child | None = None

    def warm(self) -> None:
        """Have a process ready for the next query."""
        with self._lock:
            if self._spare is None or not self._spare.alive:
                self._drop()
                self._spare = Child()

    def ask(self, question: Question, seconds: float) -> tuple[Kind, bytes]:
        """Have a process answer. Raises what `Child.ask` does, and QueryError for no place."""
        if not self._places.acquire(timeout=seconds):
            raise QueryError("Other queries are running. Try again when they are done.")
        try:
            child = self._take()
            try:
                kind, body = child.ask(question, seconds)
            except BaseException:
                # Also where the waiting itself was interrupted: nobody would read the answer.
                child.kill()
                self.warm()
                raise
            if kind == "no-room":
                child.kill()
                self.warm()
            else:
                self._put_back(child)
            return kind, body
        finally:
            self._places.release()

    def close(self) -> None:
        """End the process that waits."""
        with self._lock:
            self._drop()

    def _take(self) -> Child:
        with self._lock:
            child, self._spare = self._spare, None
        if child is not None and child.alive:
            return child
        if child is not None:
            child.kill()  # it has ended by itself; this takes its remains away
        return Child()

    def _put_back(self, child: Child) -> None:
        with self._lock:
            if self._spare is None:
                self._spare = child
                return
        child.kill()

    def _drop(self) -> None:
        if self._spare is not None:
            self._spare.kill()
            self._spare = None


def _wait(descriptor: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeIsUpError
