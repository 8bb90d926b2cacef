"""Real programs, started as an operator would and watched while they live."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STOP_SECONDS = 15


def need(*programs: str) -> None:
    """Skip the test where a program is missing; in CI a missing program is a failure."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        reason = f"{', '.join(missing)} not installed; `make test-deps` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def present(*programs: str) -> None:
    """Skip the test where a program is missing, in CI too: it is tested where it is at hand."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed; tested where present")


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now. The kernel does not hand it out again for a while."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_listening(
    program: subprocess.Popen[bytes], host: str, port: int, log: Path, seconds: float = 30
) -> None:
    """Return when the port answers; fail with the log when the program dies or is too slow."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if program.poll() is not None:
            pytest.fail(f"{program.args} ended with {program.returncode}:\n{log.read_text()}")
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"{program.args} does not listen on {host}:{port}:\n{log.read_text()}")


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    host: str,
    port: int,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    clean_exit: bool = True,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends, then ask it to stop; `clean_exit` demands status 0."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, stdout=out, stderr=out, cwd=cwd, env={**os.environ, **(env or {})}
        ) as program,
    ):
        try:
            wait_until_listening(program, host, port, log)
            yield program
        finally:
            program.terminate()
            try:
                status = program.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                pytest.fail(f"{command} did not stop in {STOP_SECONDS} s:\n{log.read_text()}")
        if clean_exit:
            assert status == 0, log.read_text()


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    seconds: float = 120,
    cwd: Path = ROOT,
) -> str:
    """What a program prints. Fails with all of its output when its status is not 0."""
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )
    if done.returncode != 0:
        shown = " ".join(map(str, command))
        pytest.fail(f"{shown}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def module(name: str, *arguments: str | Path) -> list[str | Path]:
    """The command line of one of our own rooms."""
    return [sys.executable, "-m", name, *arguments]
