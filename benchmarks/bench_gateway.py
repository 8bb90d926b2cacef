"""A redirect with everything it must do, against servers that do nothing but redirect.

    python benchmarks/bench_gateway.py [--seconds 2] [--rounds 3]

One server at a time runs on the first core and wrk on the second, with 64 connections. The servers
take turns, so that all meet the same noise, and what counts are the ratios. The machine may be
shared, so a rate is also given for each second of processor time that the server has had.
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1]
HERE = "127.0.0.1"
HOST = "get.acme.example"
CONNECTIONS = 64
CORES_OF_TWO = 2

ROUTES = f"""
[[route]]
type = "file"
domain = "{HOST}"
package = "tool"
incoming-path = "/tool/{{version}}/{{file}}"
outgoing-url = "https://files.acme.example/{{version}}/{{file}}"
"""

NGINX = """
worker_processes {workers};
daemon off;
pid {home}/nginx.pid;
error_log {home}/nginx.error;
events {{ worker_connections 1024; }}
http {{
    log_format events escape=json '{{"time":"$msec","path":"$request_uri","host":"$host",'
        '"status":$status,"agent":"$http_user_agent","referrer":"$http_referer",'
        '"address":"$remote_addr"}}';
    access_log {home}/access.log events;
    keepalive_requests 100000000;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen {here}:{port} backlog=1024;
        location ~ ^/tool/([^/]+)/([^/]+)$ {{
            add_header cache-control no-store;
            return 307 https://files.acme.example/$1/$2;
        }}
    }}
}}
"""

BARE_SANIC = """
import asyncio, sys, uvloop
from sanic import Sanic, response
app = Sanic("bare", configure_logging=False)
app.config.update({"ACCESS_LOG": False, "MOTD": False})
@app.get("/tool/<version>/<file>")
async def redirect(request, version, file):
    return response.empty(307, {"location": f"https://files.acme.example/{version}/{file}"})
async def main():
    server = await app.create_server("127.0.0.1", int(sys.argv[1]), return_asyncio_server=True)
    await server.startup()
    await server.serve_forever()
uvloop.run(main())
"""

# What is commonly written: a framework, a pattern, a line in a log.
AIOHTTP = """
import json, sys, time
from aiohttp import web
log = open(sys.argv[2], "a", buffering=1)
async def redirect(request):
    found = request.match_info
    log.write(json.dumps({"time": time.time(), "path": request.path, "host": request.host,
        "agent": request.headers.get("User-Agent"), "referrer": request.headers.get("Referer"),
        "address": request.remote}) + "\\n")
    to = f"https://files.acme.example/{found['version']}/{found['file']}"
    return web.Response(status=307, headers={"Location": to, "Cache-Control": "no-store"})
app = web.Application()
app.router.add_get("/tool/{version}/{file}", redirect)
import uvloop; uvloop.install()
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""

# What wrk sends. Each makes a request from its number.
WRK = """
math.randomseed(os.time())
local run, n = math.random(1000000), 0
local function get(path, agent, more)
    return "GET " .. path .. " HTTP/1.1\\r\\nHost: {host}\\r\\nUser-Agent: " .. agent
        .. "\\r\\nAccept: */*\\r\\n" .. (more or "") .. "\\r\\n"
end
function request()
    n = n + 1
    {request}
end
"""
# As of one machine.
ONE = 'return get("/tool/1.2.3/tool-linux-amd64.tar.gz", "curl/8.5.0")'
# As of a busy project: some versions, some programs.
THOUSAND = 'return get("/tool/1." .. n % 1000 .. "/tool-linux.tar.gz", "curl/8." .. n % 30 .. ".0")'
# Files that others have asked for, by clients that have not come before: no pair comes again in
# less than a hundred thousand.
NEW_CLIENTS = """return get("/tool/1." .. n % 200 .. "/tool-linux.tar.gz",
    "curl/8." .. math.floor(n / 200) % 500 .. ".0")"""
# Nothing that has been asked for before.
NEVER_SEEN = """return get("/tool/" .. run .. "." .. n .. "/tool-linux.tar.gz",
    "curl/8." .. n % 30 .. ".0")"""
# Files that others have asked for, from addresses that have not, by way of a proxy.
NEW_ADDRESSES = """return get("/tool/1." .. n % 200 .. "/tool-linux.tar.gz",
    "curl/8." .. n % 30 .. ".0", "X-Forwarded-For: " .. 11 + n % 80 .. "." .. math.random(0, 255)
    .. "." .. math.random(0, 255) .. "." .. math.random(0, 255) .. "\\r\\n")"""


class Server(msgspec.Struct, frozen=True):
    """A contestant, and how it is started."""

    name: str
    command: Callable[[int, Path], list[str]]


class Run(msgspec.Struct, frozen=True):
    """What one run of wrk against a server has shown."""

    rate: float  # answers a second
    p99: float  # milliseconds
    per_cpu: float  # answers a second of the server's processor time


def _python(source: str, *more: str) -> Callable[[int, Path], list[str]]:
    return lambda port, home: [
        sys.executable, "-c", source, str(port), *(each.format(home=home) for each in more)
    ]  # fmt: skip


def _nginx(workers: int) -> Callable[[int, Path], list[str]]:
    def command(port: int, home: Path) -> list[str]:
        config = home / "nginx.conf"
        config.write_text(NGINX.format(home=home, here=HERE, port=port, workers=workers))
        return ["nginx", "-c", str(config), "-e", f"{home}/nginx.error"]

    return command


def _footfall(*more: str) -> Callable[[int, Path], list[str]]:
    def command(port: int, home: Path) -> list[str]:
        (home / "routes.toml").write_text(ROUTES)
        return [
            sys.executable, "-m", "gateway", "serve", "--routes", f"{home}/routes.toml",
            "--data", f"{home}/lake", "--salts", f"{home}/salts", "--cache", f"{home}/cache",
            "--port", str(port), "--admin-port", str(free_port()), *more,
        ]  # fmt: skip

    return command


# The same without the call to the kernel that writes the journal.
UNJOURNALED = """
from gateway import journal
journal.Journal.flush = lambda self: self._records.clear()
"""


def _unjournaled(port: int, home: Path) -> list[str]:
    (home / "sitecustomize.py").write_text(UNJOURNALED)
    return ["env", f"PYTHONPATH={home}:{ROOT}", *_footfall()(port, home)]


FOOTFALL = Server("Footfall", _footfall())
OTHERS = (
    Server("bare Sanic", _python(BARE_SANIC)),
    Server("nginx, JSON log", _nginx(1)),
    Server("aiohttp, JSON log", _python(AIOHTTP, "{home}/access.log")),
)
BEHIND_A_PROXY = Server("Footfall", _footfall("--trusted-proxies", "1"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(server: Server, core: str) -> Iterator[tuple[int, int]]:
    """Run a server on a core; yield its port and its process."""
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        command = ["taskset", "-c", core, *server.command(port, home)]
        with (home / "log").open("wb") as log, subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log
        ) as program:  # fmt: skip
            try:
                deadline = time.monotonic() + 30
                while True:
                    # A supervisor listens before its workers are there to answer.
                    with suppress(OSError), socket.create_connection((HERE, port), 30) as probe:
                        probe.sendall(f"GET /up HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                        if probe.recv(4096):
                            break
                    if program.poll() is not None or time.monotonic() > deadline:
                        sys.exit(f"{server.name} does not start:\n{(home / 'log').read_text()}")
                    time.sleep(0.1)
                yield port, program.pid
            finally:
                program.terminate()
                program.wait()


def measure(port: int, pid: int, request: str, seconds: float, core: str) -> Run:
    """Let wrk ask for some seconds."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as lua:
        lua.write(WRK.format(host=HOST, request=request))
        lua.flush()
        before = cpu_seconds(pid)
        told = subprocess.run(
            ["taskset", "-c", core, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency",
             "-s", lua.name, f"http://{HERE}:{port}/"],
            capture_output=True, check=True, text=True,
        ).stdout  # fmt: skip
        # On a machine that others keep busy, a short run may have had less than the least unit.
        spent = max(cpu_seconds(pid) - before, 1 / os.sysconf("SC_CLK_TCK"))
    if "Non-2xx or 3xx" in told or "Socket errors" in told:
        sys.exit(told)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]
    answers = int(re.search(r"(\d+) requests in", told)[1])  # type: ignore[index]
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()  # type: ignore[union-attr]
    return Run(rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit], answers / spent)


def cpu_seconds(pid: int) -> float:
    """The processor time of a process and its descendants; of Footfall's, the workers' alone.

    The keeper, which turns the journal into Parquet in the background, would run on another core.
    """
    ticks, pids = 0.0, [pid]
    while pids:
        each = pids.pop()
        with suppress(OSError):
            if b"gateway.keeper" in Path(f"/proc/{each}/cmdline").read_bytes():
                continue
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            children = Path(f"/proc/{each}/task/{each}/children").read_text()
            pids += map(int, children.split())
    return ticks / os.sysconf("SC_CLK_TCK")


def compare(
    title: str,
    servers: tuple[Server, ...],
    *,
    request: str = ONE,
    again: tuple[int, int],
    cores: tuple[str, str] = ("0", "1"),
) -> None:
    """Print the medians of some rounds, and the first server's as ratios to each."""
    rounds, seconds = again
    runs: dict[str, list[Run]] = {server.name: [] for server in servers}
    with ExitStack() as stack:
        up = [(server, *stack.enter_context(running(server, cores[0]))) for server in servers]
        for _, port, pid in up:
            measure(port, pid, request, 1, cores[1])
        for _ in range(rounds):
            for server, port, pid in up:
                runs[server.name].append(measure(port, pid, request, seconds, cores[1]))
    print(f"\n{title}")
    print(f"{'':26} {'req/s':>9} {'p99 ms':>8} {'req/cpu-s':>10}   first to this: rate, p99, cpu")
    first = _median(runs[servers[0].name])
    for server in servers:
        run = _median(runs[server.name])
        print(
            f"{server.name:26} {run.rate:9,.0f} {run.p99:8.2f} {run.per_cpu:10,.0f}   "
            f"{first.rate / run.rate:13.2f} {first.p99 / run.p99:5.2f} "
            f"{first.per_cpu / run.per_cpu:5.2f}",
            flush=True,
        )


def _median(runs: list[Run]) -> Run:
    return Run(*(statistics.median(getattr(run, field) for run in runs)
                 for field in Run.__struct_fields__))  # fmt: skip


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if missing := [name for name in ("wrk", "nginx", "taskset") if shutil.which(name) is None]:
        print(f"skipped: {', '.join(missing)} not installed")
        return
    again = (options.rounds, options.seconds)
    plain, proxied = (FOOTFALL, *OTHERS), (BEHIND_A_PROXY, *OTHERS)
    compare("one request, again and again", plain, again=again)
    compare("a thousand different ones", plain, request=THOUSAND, again=again)
    compare("known files, new clients", plain, request=NEW_CLIENTS, again=again)
    compare("known files, new addresses", proxied, request=NEW_ADDRESSES, again=again)
    compare("never seen before", plain, request=NEVER_SEEN, again=again)
    off = Server("without its journal", _unjournaled)
    compare("journal on and off", (FOOTFALL, off), again=again)
    two = Server("two workers", _footfall("--workers", "2"))
    # Where there are only two cores, wrk has to share them.
    cores = ("0,1", "2" if (os.cpu_count() or 1) > CORES_OF_TWO else "0,1")
    compare("two workers and one", (two, FOOTFALL), again=again, cores=cores)


if __name__ == "__main__":
    main()
