"""A client that speaks TLS to the plain port is told so at once."""

import socket
import ssl
import time
from pathlib import Path

import pytest

from tests.footfall import gateway

ROUTES = """
[[route]]
type = "telemetry"
domain = "127.0.0.1"
package = "tool"
path = "/t"
"""
AT_ONCE = 0.1


def test_a_tls_hello_is_answered_at_once_and_http_as_ever(tmp_path: Path) -> None:
    context = ssl.create_default_context()
    with gateway(tmp_path, ROUTES) as footfall:
        address = (footfall.host, footfall.port)
        # The first connection of a process pays for what it loads.
        with socket.create_connection(address, timeout=5) as warm:
            warm.sendall(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert warm.recv(4096).startswith(b"HTTP/1.1 404")
        with socket.create_connection(address, timeout=5) as plain:
            began = time.monotonic()
            with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
                context.wrap_socket(plain, server_hostname="127.0.0.1")
            assert time.monotonic() - began < AT_ONCE
        with socket.create_connection(address, timeout=5) as hello:
            began = time.monotonic()
            hello.sendall(b"\x16\x03\x01")
            answer = b"".join(iter(lambda: hello.recv(4096), b""))
            assert time.monotonic() - began < AT_ONCE
        assert answer.startswith(b"HTTP/1.0 400 ")
        assert b"HTTP without TLS" in answer
        with socket.create_connection(address, timeout=5) as body:
            body.sendall(b"POST /t HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\n")
            time.sleep(0.05)
            body.sendall(b"\x16\x03\x01")  # of a body, which comes later, it is none
            assert body.recv(4096).startswith(b"HTTP/1.1 400 ")
            body.sendall(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert body.recv(4096).startswith(b"HTTP/1.1 404")
