"""The whole examination, in the order of its report."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address, ip_network
from pathlib import Path

import msgspec

from gateway import config, routefile
from gateway.config import GatewayConfig, SettingError
from gateway.doctor import backlog, domains, folders, ports
from gateway.doctor.finding import Finding, broken, ok, warning
from gateway.ipdata import IpData
from gateway.problems import RoutesError

_LAKE_FOLDERS = ("journal", "raw", "archive", "events", "daily", "quarantine")
_OLD = dt.timedelta(days=120)
# Nothing of Footfall is older; a clock before it is that of a machine without a battery.
_BEGINNING = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_WIDE = {4: 8, 6: 16}  # a shorter prefix trusts half the world


class Extras(msgspec.Struct, frozen=True):
    """What the examination is told beside the gateway's own settings."""

    dashboard_port: int | None = None
    api_port: int | None = None
    tls_port: int = 443
    network: bool = True  # False: no domain is looked up


def examine(settings: GatewayConfig, extras: Extras) -> Iterator[Finding]:
    """Look at everything once."""
    now = time.time()
    names: list[str] = []
    with suppress(RoutesError, OSError):  # told by the next line
        names = sorted(routefile.load(settings.routes).hosts)
    yield from routes(settings.routes)
    yield from ports.examine(settings.host, settings.port, settings.admin_host, settings.admin_port)
    for name, folder in (
        ("lake", settings.data),
        ("journal", settings.data / "journal"),
        ("salts", settings.salts),
        ("cache", settings.cache),
    ):
        yield from folders.examine(name, folder)
    yield from folders.one_file_system(settings.data, _LAKE_FOLDERS)
    yield from salts(settings)
    yield clock(dt.datetime.fromtimestamp(now, dt.UTC))
    yield from ip_data(IpData.open(settings.ip_data), dt.datetime.fromtimestamp(now, dt.UTC))
    yield proxies(settings.host, settings.trusted_proxies)
    yield from backlog.judge(backlog.look(settings.data, now))
    if extras.network:
        yield from domains.examine(names, extras.tls_port)
    if extras.dashboard_port is not None:
        yield ports.answers("dashboard", "127.0.0.1", extras.dashboard_port)
    if extras.api_port is not None:
        yield ports.answers("API", "127.0.0.1", extras.api_port)


def routes(path: Path) -> Iterator[Finding]:
    """Say what is wrong with the routes file."""
    problems = routefile.check(path)
    for problem in problems:
        say = broken if problem.fatal else warning
        yield say("routes", str(problem), "put it right; the place is in the line")
    if not problems:
        yield ok("routes", f"{path} has no problems")


def salts(settings: GatewayConfig) -> Iterator[Finding]:
    """Say whether the salts are where nobody finds them."""
    try:
        config.check_salts(settings.salts, settings.data)
    except SettingError as error:
        yield broken("salts", str(error), "set --salts")
    yield from folders.salts(settings.salts)


def clock(now: dt.datetime) -> Finding:
    """Say whether the clock can be right."""
    if now < _BEGINNING:
        return broken("clock", f"says {now:%Y-%m-%d}", "set it, and keep it with NTP")
    return ok("clock", f"says {now:%Y-%m-%d %H:%M:%S} UTC")


def ip_data(found: IpData, now: dt.datetime) -> Iterator[Finding]:
    """Say which databases are in use, and how old they are."""
    for problem in found.problems:
        yield broken(
            "IP data", f"{problem.path}: {problem.reason}", "put a whole file in its place"
        )
    for source in found.sources:
        age = now - source.built
        if age > _OLD:
            yield warning(
                "IP data", f"{source.path.name} is {age.days} days old", "get a newer file"
            )
        else:
            yield ok("IP data", f"{source.path.name} is {age.days} days old")
    if not found.sources:
        yield warning("IP data", "there is none, events have no country", "put a .mmdb file there")


def proxies(host: str, trusted: int | tuple[str, ...]) -> Finding:
    """Say whether the clients' addresses can be right."""
    everywhere = ip_address(host).is_unspecified if _is_address(host) else False
    inner = _is_address(host) and ip_address(host).is_loopback
    if trusted == 0 and inner:
        return warning(
            "trusted proxies", f"none, and {host} is reached from this machine alone",
            "set --trusted-proxies 1 when a proxy on it passes requests on: all visitors are one",
        )  # fmt: skip
    if isinstance(trusted, int):
        if trusted and everywhere:
            return warning(
                "trusted proxies", f"{trusted} hops, and {host} is open to everybody",
                "bind to an inner address or name networks: who comes past the proxy can lie",
            )  # fmt: skip
        return ok(
            "trusted proxies", f"{trusted} hops" if trusted else "none, the socket is believed"
        )
    wide = [text for text in trusted if _is_wide(text)]
    if wide:
        return broken(
            "trusted proxies", f"{', '.join(wide)} is half the world, who can all lie",
            "name the networks of your proxies",
        )  # fmt: skip
    return ok("trusted proxies", ", ".join(trusted))


def _is_wide(text: str) -> bool:
    network = ip_network(text)
    return network.prefixlen < _WIDE[network.version]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
