"""Starts the workers and the keeper, brings back what dies or hangs, and stops them in order.

The supervisor holds the sockets, so that no connection is refused while a worker comes back, and
the memory of the counters and of the clients' limits. It runs no event loop and no thread. Its
children hold the reading end of a pipe that ends with the supervisor, so that none outlives it,
even when it is killed.
"""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from gateway import cores, listening, rates
from gateway.config import GRACE_SECONDS, GatewayConfig, SettingError, to_json
from gateway.counters import Counters
from gateway.heartbeats import Heartbeats, Silence
from gateway.keeper import KeeperTask
from gateway.last_good import LastGood
from gateway.worker import WorkerTask

# A child that dies younger than this is not started again at once.
_YOUNG_SECONDS = 2.0
_KEEPER_SECONDS = 2 * GRACE_SECONDS

log = logging.getLogger(__name__)


class _Child:
    """A process that is to be there and alive, whichever incarnation it is in."""

    def __init__(
        self,
        name: str,
        command: list[str],
        fds: tuple[int, ...],
        *,
        heartbeats: Heartbeats,
        slot: int,
        hung_seconds: float,
    ) -> None:
        self.name = name
        self._command = command
        self._fds = fds
        self._heartbeats = heartbeats
        self._slot = slot
        self._hung_seconds = hung_seconds
        self._silence: Silence | None = None  # None: nobody listens
        self._is_killed = False
        self._start_at = 0.0
        self._started_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def look_after(self) -> float:
        """Start the process if it is not there; return in how many seconds to look again."""
        now = time.monotonic()
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return self._listen(self.process, now)
            self._heartbeats.ended(self._slot, "hung" if self._is_killed else "died")
            age = now - self._started_at
            self._start_at = now if age > _YOUNG_SECONDS else now + 1.0
            self.process = None
            log.warning(
                "%s ended with %s after %.0f s and is started again", self.name, status, age
            )
        if now < self._start_at:
            return self._start_at - now
        self._start()
        return self._silence.every if self._silence else float("inf")

    def _listen(self, process: subprocess.Popen[bytes], now: float) -> float:
        """Kill the process if it hangs; return in how many seconds to listen again."""
        if self._silence is None:
            return float("inf")
        if not self._silence.look(self._heartbeats.beats(self._slot), now):
            return self._silence.every
        log.warning(
            "%s has given no sign of life for %g s and is killed", self.name, self._silence.seconds
        )
        # Its end is heard of like any other; one that waits for a disk ends when the disk answers.
        process.kill()
        self._silence, self._is_killed = None, True
        return float("inf")

    def revive(self) -> None:
        """Start the process now if it does not run, however young it died."""
        if self.process is None or self.process.poll() is not None:
            self._start()

    def _start(self) -> None:
        # A group of its own, so that Ctrl-C reaches only the supervisor, which stops them in order.
        self.process = subprocess.Popen(  # noqa: S603 our own interpreter and module
            self._command, pass_fds=self._fds, process_group=0
        )
        self._started_at = time.monotonic()
        self._is_killed = False
        beats = self._heartbeats.beats(self._slot)
        self._silence = (
            Silence(self._hung_seconds, beats, self._started_at) if self._hung_seconds else None
        )

    def stop(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, until: float) -> None:
        """Wait for its end, and make one at the deadline."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in time and is killed", self.name)
            self.process.kill()
            self.process.wait()


def supervise(config: GatewayConfig, routes: bytes) -> None:
    """Run the gateway until SIGTERM or SIGINT. Raises SettingError for a port not to be had."""
    cores.forbid()
    with (
        _bound("port", config.host, config.port) as public,
        _bound("admin-port", config.admin_host, config.admin_port) as admin,
        _signals() as wait,
    ):
        counters = Counters.create(config.workers)
        last_good = LastGood.create(routes)
        buckets = rates.shared()
        lifeline, our_end = os.pipe()
        heartbeats = Heartbeats.create(config.workers + 1)
        shared = (counters.fd, heartbeats.fd, last_good.fd, lifeline)

        def child(
            name: str, slot: int, task: WorkerTask | KeeperTask, fds: tuple[int, ...] = ()
        ) -> _Child:
            module = "gateway.worker" if isinstance(task, WorkerTask) else "gateway.keeper"
            return _Child(
                name,
                _command(module, task),
                (task.listener, *shared, *fds),
                heartbeats=heartbeats,
                slot=slot,
                hung_seconds=config.hung_seconds,
            )

        workers = [
            child(
                f"worker {slot}",
                slot,
                WorkerTask(
                    config=config,
                    slot=slot,
                    listener=public.fileno(),
                    counters=counters.fd,
                    heartbeats=heartbeats.fd,
                    rates=buckets,
                    routes=last_good.fd,
                    lifeline=lifeline,
                ),
                rates.inherited(buckets),
            )
            for slot in range(config.workers)
        ]
        keeper = child(
            "keeper",
            config.workers,
            KeeperTask(
                config=config,
                listener=admin.fileno(),
                counters=counters.fd,
                heartbeats=heartbeats.fd,
                routes=last_good.fd,
                lifeline=lifeline,
            ),
        )
        log.info("serving %s on http://%s", config.routes, _address(public))
        log.info("admin port on http://%s", _address(admin))
        while not wait(min(process.look_after() for process in (*workers, keeper))):
            pass
        log.info("stopping")
        deadline = time.monotonic() + GRACE_SECONDS + 1
        for worker in workers:
            worker.stop(signal.SIGTERM)
        for worker in workers:
            worker.wait(deadline)
        keeper.revive()  # one that has just died would leave the journal to the next start
        os.close(our_end)  # the keeper's sign to ship what is left and end
        keeper.wait(time.monotonic() + _KEEPER_SECONDS)
        log.info("stopped")


def _command(module: str, task: msgspec.Struct) -> list[str]:
    return [sys.executable, "-m", module, to_json(task)]


@contextmanager
def _bound(key: str, host: str, port: int) -> Iterator[socket.socket]:
    try:
        sock = listening.bind(host, port)
    except OSError as error:
        raise SettingError(
            f"--{key} {port} on {host} cannot be had: {error.strerror}; "
            "right would be a free port on an address of this machine"
        ) from error
    with sock:
        yield sock


@contextmanager
def _signals() -> Iterator[Callable[[float], bool]]:
    """Yield a function that waits for a signal, at most some seconds, and says whether to stop."""
    stopping = False

    def on_stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.signal(signal.SIGTERM, on_stop)
    signal.signal(signal.SIGINT, on_stop)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # only to wake up
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait(seconds: float) -> bool:
        if not stopping:
            ready, _, _ = select.select(
                [reader], [], [], None if seconds == float("inf") else seconds
            )
            if ready:
                os.read(reader, 4096)
        return stopping

    try:
        yield wait
    finally:
        signal.set_wakeup_fd(-1)
        os.close(reader)
        os.close(writer)


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
