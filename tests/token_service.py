"""The token service of a registry: real tokens, signed with a real key."""

import base64
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.programs import run

SERVICE, ISSUER = "registry.example", "tokens.example"
PUSHER, READER = "pusher:p", "reader:r"


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


# Whoever shows other credentials than these, or none, gets nothing.
KNOWN = {"", basic(PUSHER), basic(READER)}


class TokenService:
    """Makes the tokens of a registry: anybody pulls acme/open..., two users pull everything."""

    def __init__(self, home: Path, host: str) -> None:
        self.key, self.certificate = home / "key.pem", home / "certificate.pem"
        run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             f"/CN={ISSUER}", "-keyout", self.key, "-out", self.certificate]
        )  # fmt: skip
        self.exchanges: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                credentials = self.headers.get("Authorization", "")
                body = json.dumps(service.answer(query.get("scope", []), credentials)).encode()
                self.send_response(200 if credentials in KNOWN else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
                """Say nothing on the test's output."""

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self.server.server_port}/token"

    @property
    def settings(self) -> dict[str, str]:
        """What a registry must know of the service."""
        return {
            "realm": self.url,
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": str(self.certificate),
        }

    def answer(self, scopes: list[str], credentials: str) -> dict[str, Any]:
        self.exchanges += scopes
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            wanted = set(actions.split(","))
            is_open = name.startswith("acme/open") or credentials == basic(READER)
            may = {"pull"} if is_open else set()
            may = {"pull", "push"} if credentials == basic(PUSHER) else may
            access.append({"type": kind, "name": name, "actions": sorted(wanted & may)})
        return {"token": self._signed(access), "expires_in": 60}

    def _signed(self, access: list[dict[str, Any]]) -> str:
        now = int(time.time())
        certificate = "".join(self.certificate.read_text().splitlines()[1:-1])
        parts = [
            {"typ": "JWT", "alg": "RS256", "x5c": [certificate]},
            {"iss": ISSUER, "aud": SERVICE, "sub": "", "jti": str(time.time_ns()), "iat": now,
             "nbf": now - 5, "exp": now + 60, "access": access},
        ]  # fmt: skip
        unsigned = b".".join(_base64url(json.dumps(part).encode()) for part in parts)
        signature = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.key],
            input=unsigned, capture_output=True, check=True,
        ).stdout  # fmt: skip
        return f"{unsigned.decode()}.{_base64url(signature).decode()}"


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@contextmanager
def token_service(home: Path, host: str = "127.0.0.5") -> Iterator[TokenService]:
    """Serve tokens until the block ends, on the host of the registry that they are for."""
    service = TokenService(home, host)
    thread = threading.Thread(target=service.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.server.shutdown()
        service.server.server_close()
        thread.join(10)
