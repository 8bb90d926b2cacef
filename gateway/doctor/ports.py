"""Ports: free, or already the gateway's own."""

import errno
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

from gateway.doctor.finding import Finding, broken, ok

_SECONDS = 5.0
_OK = 200


def examine(host: str, port: int, admin_host: str, admin_port: int) -> Iterator[Finding]:
    """Say whether the gateway can have its ports, or has them, and then what it says of itself."""
    running = _readiness(admin_host, admin_port)
    for name, where, number in (("port", host, port), ("admin port", admin_host, admin_port)):
        subject = f"{name} {number}"
        reason = _taken(where, number)
        if not reason:
            yield ok(subject, f"is free on {where}")
        elif running is not None:
            yield ok(subject, "is the gateway's, which runs")
        else:
            yield broken(subject, f"cannot be had on {where}: {reason}", "stop what has it")
    for check, found in (running or {}).items():
        if not found["ok"]:
            yield broken(f"running gateway, {check}", found["detail"], "see its log")


def answers(name: str, host: str, port: int) -> Finding:
    """Say whether some server of ours answers HTTP."""
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return broken(f"{name} {port}", f"does not answer: {type(error).__name__}", "start it")
    finally:
        connection.close()
    return ok(f"{name} {port}", f"answers with {status}")


def _taken(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the gateway binds: a port whose last connections still linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return "another program has it" if error.errno == errno.EADDRINUSE else str(error)
    return ""


def _readiness(host: str, port: int) -> dict[str, Any] | None:
    """Ask the gateway on the admin port how it is; None where there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/readyz")
        checks = json.loads(connection.getresponse().read())["checks"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()
    return checks if isinstance(checks, dict) else None
