"""A gateway as an operator starts it, with its home, its ports and its processes."""

import http.client
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import polars as pl

from tests import programs
from tests.programs import ROOT, free_port, module

ROUTES = """
[[route]]
type = "file"
domain = "get.acme.example"
package = "tool"
incoming-path = "/tool/{version}/{file}"
outgoing-url = "https://files.acme.example/{version}/{file}"

[[route]]
type = "pixel"
domain = "get.acme.example"
package = "site"
pixel-id = "abc"

[[route]]
type = "catch-all"
domain = "all.acme.example"
target = "https://files.acme.example"
"""

HERE = "127.0.0.1"
Answer = tuple[int, dict[str, str], bytes]


class Process:
    """A gateway with its home, its ports and its processes."""

    def __init__(self, home: Path, program: subprocess.Popen[bytes], port: int, admin: int) -> None:
        self.home, self.program, self.port, self.admin_port = home, program, port, admin

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def log(self) -> str:
        return (self.home / "log").read_text(errors="replace")

    def children(self, kind: str) -> list[int]:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.program.pid and f"gateway.{kind}" in (
                    entry / "cmdline"
                ).read_text().replace("\0", " "):
                    found.append(int(entry.name))
        return found

    def raw(self) -> pl.DataFrame:
        files = sorted(self.lake.glob("raw/*/*.parquet"))
        return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in files])

    def stop(self) -> None:
        self.program.terminate()
        assert self.program.wait(15) == 0, self.log


class Running(Process):
    """What it may be asked."""

    def ask(
        self, path: str, *, method: str = "GET", source: str = HERE, host: str = "get.acme.example",
        **headers: str,
    ) -> Answer:  # fmt: skip
        connection = http.client.HTTPConnection(HERE, self.port, 60, (source, 0))
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": host, **names})
        answer = connection.getresponse()
        found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def raw_request(self, data: bytes) -> bytes:
        with socket.create_connection((HERE, self.port), timeout=10) as connection:
            connection.sendall(data)
            return connection.makefile("rb").read()

    def admin(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{HERE}:{self.admin_port}{path}", timeout=10) as a:
                return a.status, a.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


AnyProcess = TypeVar("AnyProcess", bound=Process)


@contextmanager
def gateway(home: Path, *extra: str, routes: str = ROUTES) -> Iterator[Running]:
    """Serve routes from below `home` until the block ends."""
    with started(Running, home, *extra, routes=routes) as running:
        yield running


@contextmanager
def started(
    kind: type[AnyProcess],
    home: Path,
    *extra: str,
    routes: str,
    host: str = HERE,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> Iterator[AnyProcess]:
    """Start a gateway, and yield it as soon as it answers."""
    (home / "routes.toml").write_text(routes)
    port, admin = free_port(host), free_port(HERE)
    command = module(
        "gateway", "serve", "--routes", home / "routes.toml", "--data", home / "lake",
        "--salts", home / "salts", "--cache", home / "cache", "--host", host, "--port", str(port),
        "--admin-port", str(admin), *extra,
    )  # fmt: skip
    # Tests end it in every way, so its status is theirs to judge.
    with programs.running(
        command, host=host, port=port, log=home / "log", env=env, cwd=cwd, clean_exit=False
    ) as program:
        running = kind(home, program, port, admin)
        wait_for(lambda: running.children("worker") and running.children("keeper"), 60)
        # The port listens before a worker is there to answer on it.
        with socket.create_connection((host, port), timeout=60) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert connection.recv(1)
        yield running


def wait_for(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
