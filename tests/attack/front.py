"""A Caddy before an attacked gateway, and an account of what it has told its clients."""

import http.client
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from tests.attack import frames
from tests.attack.target import HERE, Gateway, gateway
from tests.programs import free_port, running

# Not the front's own address, so that the ids of events tell whose word was taken.
CLIENT, OTHER = "127.0.0.9", "127.0.0.10"
FILES = "https://files.acme.example"
# What is answered with something else than a redirect, by the type of its route.
_OTHERS = {"telemetry": "report", "python": "page"}
_PLACE = re.compile(rb"\r\nLocation: ([^?\s]+)")
_SECONDS = 20


class Front:
    """What clients send through a front, and what they are answered."""

    def __init__(self, target: Gateway, port: int, frames_port: int) -> None:
        self.target, self._port, self._frames_port = target, port, frames_port
        self._told: Counter[str] = Counter()  # where clients were sent, and what else they got
        self._maybe: Counter[str] = Counter()  # where they may have been sent in frames
        self._kept = http.client.HTTPConnection(HERE, port, _SECONDS, (CLIENT, 0))

    def connect(self) -> socket.socket:
        return socket.create_connection((HERE, self._port), _SECONDS, (CLIENT, 0))

    def send(self, data: bytes) -> bytes:
        """Send bytes as they are; return all that comes until the front is done."""
        answer = b""
        with self.connect() as connection, suppress(ConnectionError):
            connection.sendall(data)
            while piece := connection.recv(65536):
                answer += piece
        self._told.update(place.decode() for place in re.findall(_PLACE, answer))
        self._told["report"] += sum(map(int, re.findall(rb'\{"events":(\d+)\}', answer)))
        self._told["page"] += answer.lower().count(b"<!doctype html>")
        return answer

    def send_frames(self, headers: dict[bytes, bytes], body: bytes) -> bool:
        """Send one request of HTTP/2; say whether there was an answer and not a refusal."""
        place = FILES + headers[b":path"].decode().removeprefix("/tool")
        self._maybe[place] += 1
        address = (HERE, self._frames_port)
        with socket.create_connection(address, _SECONDS, (CLIENT, 0)) as connection:
            return frames.exchange(connection, headers, body)

    def is_well(self) -> None:
        """Ask twice as somebody who means no harm, who might be answered with what is left over."""
        for name in ("1", "2"):
            assert self.ask(name) == f"{FILES}/innocent/{name}"

    def ask(self, name: str, source: str = CLIENT) -> str:
        """Ask for a file; return where it is said to be."""
        kept = self._kept
        if source != CLIENT:
            kept = http.client.HTTPConnection(HERE, self._port, _SECONDS, (source, 0))
        kept.request("GET", f"/tool/innocent/{name}", headers={"Host": "get.acme.example"})
        answer = kept.getresponse()
        assert (answer.status, answer.read()) == (307, b"")
        place = str(answer.headers["location"])
        self._told[place] += 1
        if source != CLIENT:
            kept.close()
        return place

    def unexplained(self, events: pl.DataFrame) -> dict[str, int]:
        """Count the events without an answer, and below zero the answers without an event."""
        found: Counter[str] = Counter()
        for kind, version, artifact in events.select("route_type", "version", "artifact").rows():
            found[_OTHERS.get(kind, f"{FILES}/{version}/{artifact}")] += 1
        excess = {place: found[place] - self._told[place] for place in {*found, *self._told}}
        return {
            place: number
            for place, number in excess.items()
            if not 0 <= number <= self._maybe[place]
        }

    def close(self) -> None:
        self._kept.close()


@contextmanager
def front_of(home: Path) -> Iterator[Front]:
    """Serve the attacked routes behind a Caddy that has one connection to the gateway."""
    with gateway(home, "--trusted-proxies", "1") as target:
        port, frames_port = free_port(HERE), free_port(HERE)
        (home / "Caddyfile").write_text(_caddyfile(home, port, frames_port, target.port))
        with running(
            ["caddy", "run", "--adapter", "caddyfile", "--config", home / "Caddyfile"],
            host=HERE, port=frames_port, log=home / "caddy.log",
            env={"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        ):  # fmt: skip
            front = Front(target, port, frames_port)
            yield front
            front.close()


def _caddyfile(home: Path, port: int, frames_port: int, gateway_port: int) -> str:
    return f"""
        {{
            admin off
            auto_https off
            storage file_system {home}/caddy
            servers :{port} {{
                protocols h1
            }}
            servers :{frames_port} {{
                protocols h1 h2c
            }}
        }}
        http://:{port}, http://:{frames_port} {{
            reverse_proxy {HERE}:{gateway_port} {{
                transport http {{
                    max_conns_per_host 1
                }}
            }}
        }}
        """
