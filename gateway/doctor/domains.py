"""Domains: where their names lead, and whether their certificates hold."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain

from gateway.doctor.finding import Finding, broken, ok, warning

# Enough to see what is wrong; ten thousand look-ups would be an attack on somebody's resolver.
MOST = 100
_AT_ONCE = 8
_SECONDS = 5.0
_SOON = dt.timedelta(days=14)


def examine(domains: Sequence[str], tls_port: int) -> Iterator[Finding]:
    """Look each domain up and shake hands with whoever answers for it."""
    if len(domains) > MOST:
        yield warning(
            "domains", f"{len(domains)} are routed, the first {MOST} are looked at", "see the rest"
        )
    context = ssl.create_default_context()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda name: list(_domain(name, tls_port, context)), domains[:MOST])
        yield from chain.from_iterable(found)


def _domain(name: str, tls_port: int, context: ssl.SSLContext) -> Iterator[Finding]:
    addresses = resolve(name)
    yield judge_addresses(name, {address: is_ours(address) for address in addresses})
    if addresses:
        yield certificate(name, addresses[0], tls_port, context)


def resolve(name: str) -> list[str]:
    """Look a name up; nothing is found where nothing is, and where nobody answers."""
    try:
        infos = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def is_ours(address: str) -> bool:
    """Whether an address is one of this machine: then, and only then, it can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return True
    return False


def judge_addresses(name: str, addresses: dict[str, bool]) -> Finding:
    """Say where a domain leads; each address is said to be this machine's or not."""
    if not addresses:
        return broken(
            f"DNS of {name}", "does not resolve", "add an A and an AAAA record for this machine"
        )
    shown = ", ".join(addresses)
    if all(addresses.values()):
        return ok(f"DNS of {name}", f"leads to this machine ({shown})")
    if any(addresses.values()):
        return warning(
            f"DNS of {name}", f"leads only partly to this machine ({shown})",
            "take out the records that do not",
        )  # fmt: skip
    return ok(f"DNS of {name}", f"leads to {shown}, which should be your proxy or your router")


def certificate(name: str, address: str, port: int, context: ssl.SSLContext) -> Finding:
    """Say how long a domain's certificate holds."""
    subject = f"TLS of {name}"
    try:
        with (
            socket.create_connection((address, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            found = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return broken(subject, f"its certificate is refused: {error.verify_message}", "renew it")
    except ssl.SSLError as error:
        return broken(
            subject, f"no TLS on {address}:{port}: {error.reason}", "put a proxy with TLS in front"
        )
    except OSError as error:
        return warning(
            subject, f"nobody answers on {address}:{port} ({error.strerror or 'no answer'})",
            "put a proxy with TLS in front; docker and pip insist on it",
        )  # fmt: skip
    ends = ssl.cert_time_to_seconds(str(found.get("notAfter")))
    return judge_end(subject, dt.datetime.fromtimestamp(ends, dt.UTC), dt.datetime.now(dt.UTC))


def judge_end(subject: str, ends: dt.datetime, now: dt.datetime) -> Finding:
    """Say whether a certificate holds long enough."""
    left = ends - now
    if left < _SOON:
        return warning(subject, f"its certificate ends in {left.days} days", "renew it")
    return ok(subject, f"its certificate holds for {left.days} days")
