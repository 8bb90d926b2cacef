"""What is attacked: a real gateway with a home of its own, temporary files included."""

import http.client
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.gateway.running import HERE, Process, started, wait_for
from tests.programs import ROOT

# One route of every type that takes part in an answer; upstreams that nobody asks are on port 9.
ROUTES = """
[[route]]
type = "file"
domain = "get.acme.example"
package = "tool"
incoming-path = "/tool/{version}/{file}"
outgoing-url = "https://files.acme.example/{version}/{file}"

[[route]]
type = "file"
domain = "get.acme.example"
package = "tree"
incoming-path = "/tree/{+path}"
outgoing-url = "https://files.acme.example/tree/{+path}?from={+path}"

[[route]]
type = "file"
domain = "get.acme.example"
package = "search"
incoming-path = "/find?name={name}"
outgoing-url = "https://files.acme.example/{name}"

[[route]]
type = "regex"
domain = "get.acme.example"
package = "expression"
pattern = "/re/(?<version>[^/]+)/(?<rest>.*)"
outgoing-url = "https://files.acme.example/{version}/{+rest}"

[[route]]
type = "pixel"
domain = "get.acme.example"
package = "site"
pixel-id = "abc"

[[route]]
type = "telemetry"
domain = "get.acme.example"
package = "beat"
path = "/beat"

[[route]]
type = "telemetry"
domain = "get.acme.example"
package = "vouched"
path = "/vouched"
token-sha256 = ["2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]

[[route]]
type = "npm-install"
domain = "get.acme.example"

[[route]]
type = "docker"
domain = "get.acme.example"
image = "acme/tool"
registry = "http://127.0.0.1:9"

[[route]]
type = "docker"
domain = "get.acme.example"
pattern = "sent/*"
registry = "cr.acme.example"
mode = "redirect"

[[route]]
type = "python"
domain = "get.acme.example"
package = "acme"

[[route.files]]
url = "https://files.acme.example/acme-1.0.tar.gz"

[[route]]
type = "catch-all"
domain = "all.acme.example"
target = "https://files.acme.example"
"""
TOKEN = "secret"  # of /vouched


class Gateway(Process):
    """A running gateway, what it may be sent, and everything that it writes."""

    def __init__(self, home: Path, program: subprocess.Popen[bytes], port: int, admin: int) -> None:
        super().__init__(home, program, port, admin)
        self._kept: dict[str, http.client.HTTPConnection] = {}

    def close(self) -> None:
        for connection in self._kept.values():
            connection.close()

    def send(
        self, data: bytes, *, source: str = HERE, host: str = HERE, seconds: float = 30
    ) -> bytes:
        """Send bytes as they are and read until the server is done, or cuts the line."""
        answer = b""
        with (
            suppress(ConnectionError, TimeoutError),
            socket.create_connection(
                (host, self.port), timeout=seconds, source_address=(source, 0)
            ) as connection,
        ):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def ask(
        self, path: str, headers: dict[str, str] | None = None, *, method: str = "GET",
        body: bytes | None = None, source: str = HERE,
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        connection = http.client.HTTPConnection(HERE, self.port, 10, (source, 0))
        try:
            return _asked(connection, method, path, body, headers)
        finally:
            connection.close()

    def ask_on(
        self, path: str, headers: dict[str, str] | None = None, *, method: str = "GET",
        body: bytes | None = None, source: str = HERE,
    ) -> int:  # fmt: skip
        """Ask on a connection that is kept, for tests that ask much; not for threads."""
        for _ in range(5):
            if source not in self._kept:
                self._kept[source] = http.client.HTTPConnection(HERE, self.port, 10, (source, 0))
            try:
                return _asked(self._kept[source], method, path, body, headers)[0]
            except (http.client.HTTPException, OSError):  # such as one that the gateway has ended
                self._kept.pop(source).close()
        raise AssertionError("the gateway answers nothing")

    def admin(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{HERE}:{self.admin_port}{path}", timeout=10) as a:
                return str(a.headers) + a.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return str(error.headers) + error.read().decode()

    def kill(self, kind: str, number: signal.Signals) -> None:
        """End one child of a kind, and wait until another one answers in its place."""
        wait_for(lambda: self.children(kind))
        before = self.children(kind)
        os.kill(before[0], number)
        wait_for(lambda: self.children(kind) and before[0] not in self.children(kind))


@contextmanager
def gateway(home: Path, *extra: str, routes: str = ROUTES, host: str = HERE) -> Iterator[Gateway]:
    """Serve routes from below `home`, where everything that is written then lies."""
    (home / "tmp").mkdir()
    # A working directory of its own too, which is where a core file or a stray log would be.
    (home / "cwd").mkdir()
    (home / "cwd/data").symlink_to(ROOT / "data")
    with started(
        Gateway, home, "--flush-seconds", "0.2", *extra, routes=routes, host=host,
        cwd=home / "cwd", env={"TMPDIR": str(home / "tmp"), "PYTHONPATH": str(ROOT)},
    ) as attacked:  # fmt: skip
        yield attacked
        attacked.close()


def _asked(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None,
    headers: dict[str, str] | None,
) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
    connection.request(method, path, body, {"Host": "get.acme.example", **(headers or {})})
    answer = connection.getresponse()
    told = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, told, answer.read()


def in_time(send: Callable[[], bytes]) -> bytes:
    """Send until the answer is none of a gateway that has too much to do, as on a busy machine."""
    answer = b""
    for _ in range(100):
        answer = send()
        if b"HTTP/1.1 503 " not in answer:
            break
        time.sleep(0.1)
    return answer
