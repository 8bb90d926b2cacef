"""A gateway and a pipeline on a lake of their own, brought back like by a service manager."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.programs import ROOT, module

_HOST = "127.0.0.1"
_STOP_SECONDS = 60.0
_LOG_END = 4000  # characters of a log that an error shows


class System:
    """The real processes. Nothing here is gentle but `settle`."""

    def __init__(self, home: Path, routes: str, *, workers: int = 2, pipeline: bool = True) -> None:
        self.lake = home / "lake"
        self.port, self.admin_port = _lasting_port(), _lasting_port()
        self.log = home / "log"
        self.starts = 0
        routes_file = home / "routes.toml"
        routes_file.write_text(routes)
        self._commands = {
            "gateway": module(
                "gateway", "serve",
                "--routes", routes_file,
                "--data", self.lake,
                "--salts", home / "salts",
                "--cache", home / "cache",
                "--port", str(self.port),
                "--admin-port", str(self.admin_port),
                "--workers", str(workers),
                "--flush-seconds", "0.2",
            ),
            # Archived rows are deleted at once, so that retention is at work all the time.
            "pipeline": module(
                "pipeline", "watch",
                "--data", self.lake,
                "--interval", "0.1",
                "--raw-retention-days", "0",
            ),
        }  # fmt: skip
        if not pipeline:
            del self._commands["pipeline"]
        self._programs: dict[str, subprocess.Popen[bytes]] = {}

    def keep_up(self) -> None:
        """Start what is not there. A gateway whose forerunner still has the port ends and is
        started again, until it gets it."""
        for name, command in self._commands.items():
            program = self._programs.get(name)
            if program is None or program.poll() is not None:
                self.starts += 1
                with self.log.open("ab") as log:
                    self._programs[name] = subprocess.Popen(
                        command, stdout=log, stderr=log, cwd=ROOT
                    )

    def purge(self, package: str) -> "subprocess.Popen[bytes]":
        """Start to take a package out of the lake, beside all that goes on."""
        command = module("pipeline", "purge", "--data", self.lake, "--package", package, "--yes")
        with self.log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)

    def supervisor(self) -> int:
        return self._programs["gateway"].pid

    def pipeline(self) -> int:
        return self._programs["pipeline"].pid

    def children(self, kind: str) -> list[int]:
        """The living workers or keepers, also of a supervisor that is dead."""
        wanted = f"gateway.{kind}"
        return [pid for pid, words in _commands() if wanted in words and str(self.lake) in words]

    def everything(self) -> list[int]:
        """Each process of ours, the supervisors first, so that none starts another."""
        ours = [pid for pid, words in _commands() if str(self.lake) in words]
        return sorted(ours, key=lambda pid: pid != self.supervisor())

    def is_answering(self) -> bool:
        connection = HTTPConnection(_HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/no/such")
            return connection.getresponse().status == 404
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def await_answer(self, seconds: float = 60) -> float:
        """Keep the processes up until the gateway answers; return how many seconds it took."""
        started = time.monotonic()
        while not self.is_answering():
            if time.monotonic() - started > seconds:
                alive = "\n".join(words for _, words in _commands() if str(self.lake) in words)
                log = self.log.read_text()[-_LOG_END:]
                raise TimeoutError(f"the gateway does not come back:\n{log}\nalive:\n{alive}")
            self.keep_up()
            time.sleep(0.05)
        return time.monotonic() - started

    def settle(self) -> None:
        """Have everything shipped and curated, and stop as an operator would."""
        self.await_answer()
        self._await_shipping()
        self.stop("gateway")
        deadline = time.monotonic() + _STOP_SECONDS
        while self.children("keeper") or self.children("worker"):
            if time.monotonic() > deadline:
                raise TimeoutError("processes of a killed gateway do not end")
            time.sleep(0.05)
        self.stop("pipeline")
        # The last pass, and proof that a pass over what a killed one left behind succeeds.
        command = module("pipeline", "run", "--data", self.lake, "--raw-retention-days", "0")
        with self.log.open("ab") as log:
            subprocess.run(command, stdout=log, stderr=log, cwd=ROOT, check=True, timeout=600)

    def _await_shipping(self) -> None:
        """A gateway that stops leaves most of a long journal to the next start."""
        least, at = float("inf"), time.monotonic()
        while now := sum(1 for _ in self.lake.glob("journal/*.sealed")):
            if now < least:
                least, at = now, time.monotonic()
            if time.monotonic() - at > _STOP_SECONDS:
                raise TimeoutError(f"nothing is shipped, and {now} segments wait")
            self.keep_up()
            time.sleep(0.05)

    def purge_for_good(self, package: str) -> None:
        """Take a package out of the lake, with nobody to disturb it."""
        if status := self.purge(package).wait(600):
            raise RuntimeError(f"the purge ended with {status}:\n{self.log.read_text()}")

    def stop(self, name: str) -> None:
        """Ask a program to end, and demand that it ends well."""
        program = self._programs[name]
        if program.poll() is not None:
            return
        program.terminate()
        status = program.wait(_STOP_SECONDS)
        if status:
            raise RuntimeError(f"{name} stopped with {status}:\n{self.log.read_text()}")

    def destroy(self) -> None:
        """Leave no process behind."""
        for pid in self.everything():
            kill(pid)
        for program in self._programs.values():
            program.wait()


def _lasting_port() -> int:
    """A free port that stays free while the gateway is down: none that the kernel gives out."""
    while True:
        port = random.randint(15_000, 32_000)  # below the range of outgoing connections
        with suppress(OSError), socket.socket() as probe:
            probe.bind((_HOST, port))
            return port


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _commands() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if words:  # a zombie has none
                yield int(entry.name), words
