"""The admin port: whether the gateway is alive and well, its counters, and its domains.

It never sees a client of the public port, and says nothing of one.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from sanic import HTTPResponse, Sanic
from sanic.request import Request
from sanic.response import json, text

from gateway import metrics
from gateway.circumstances import Observed
from gateway.config import GatewayConfig
from gateway.counters import KEPT_FATES, Counters, Fate
from gateway.heartbeats import Heartbeats
from gateway.ipdata import IpData
from gateway.live import LiveRoutes
from gateway.metrics import ShippingState

# Shipping is late when nothing has been shipped for so long while there is something to ship.
LATE_SECONDS = 60.0
_DAY_SECONDS = 86_400.0


class Check(msgspec.Struct, frozen=True):
    """One thing that should be well."""

    ok: bool
    detail: str


_Checks = dict[str, Callable[[], Check]]


class Admin(Sanic[Any, Any]):
    """The application of the admin port."""

    __slots__ = (
        "_checks", "_counters", "_heartbeats", "_ip_data", "_losses", "_routes", "_settings",
        "_shipping",
    )  # fmt: skip

    def __init__(
        self,
        config: GatewayConfig,
        routes: LiveRoutes,
        counters: Counters,
        ip_data: IpData,
        shipping: ShippingState,
        *,
        heartbeats: Heartbeats,
        observed: Callable[[], Observed],
    ) -> None:
        super().__init__("footfall-admin", configure_logging=False)
        self.config.update({"ACCESS_LOG": False, "AUTO_EXTEND": False, "MOTD": False})
        self._settings = config
        self._ip_data = ip_data
        self._losses = Losses(counters)
        self._routes = routes
        self._counters = counters
        self._heartbeats = heartbeats
        self._shipping = shipping
        self._checks: _Checks = {
            "routes": lambda: routes_check(routes),
            "targets": lambda: targets_check(routes, observed()),
            "journal": lambda: journal_check(config.data / "journal"),
            "events": self._losses.check,
            "shipping": lambda: shipping_check(shipping, config.data / "journal"),
            "ip_data": lambda: ip_data_check(ip_data),
        }
        self.add_route(self.healthz, "/healthz", methods=["GET", "HEAD"])
        self.add_route(self.readyz, "/readyz", methods=["GET", "HEAD"])
        self.add_route(self.metrics, "/metrics")
        self.add_route(self.tls_ask, "/-/tls-ask")

    def look(self) -> None:
        """Take note of losses; to be called often, since only those of late count."""
        self._losses.look()

    def trouble(self) -> str:
        """What an operator should know for a day: lines of why events were lost, or are late."""
        lost = self._losses.of_late(_DAY_SECONDS).items()
        lines = [f"{events:,} events are lost since the start: {fate}" for fate, events in lost]
        if self._shipping.trouble:
            lines.append(f"events stay in the journal: {self._shipping.trouble}")
        return "\n".join(lines)

    async def healthz(self, _request: Request) -> HTTPResponse:
        """Say that the process lives."""
        return text("ok\n")

    async def readyz(self, _request: Request) -> HTTPResponse:
        """Say whether all is well, and why. Its 503 is for people, not for load balancers."""
        checks = {name: check() for name, check in self._checks.items()}
        ready = all(check.ok for check in checks.values())
        return json(
            {"ready": ready, "checks": msgspec.to_builtins(checks)}, status=200 if ready else 503
        )

    async def metrics(self, _request: Request) -> HTTPResponse:
        """Write the counters in the Prometheus text format."""
        return text(
            metrics.exposition(
                metrics.all_of(
                    counters=self._counters,
                    heartbeats=self._heartbeats,
                    shipping=self._shipping,
                    journal=self._settings.data / "journal",
                    routes=self._routes,
                    ip_data=self._ip_data,
                    salt_folder=self._settings.salts,
                )
            ),
            content_type="text/plain; version=0.0.4",
        )

    async def tls_ask(self, request: Request) -> HTTPResponse:
        """Answer a front that asks whether to get a certificate: 200 for a routed domain only."""
        domain = (request.args.get("domain") or "").lower().rstrip(".")
        if domain and self._routes.table.serves(domain):
            return text("ok\n")
        return text("no route names this domain\n", status=403)


class Losses:
    """Which events were lost of late, so that an alarm ends when its cause does."""

    def __init__(self, counters: Counters, clock: Callable[[], float] = time.monotonic) -> None:
        self._counters = counters
        self._clock = clock
        # What was lost before this process began is no news.
        self._known: dict[Fate, int] = {
            fate: events for fate, events in counters.fates().items() if fate not in KEPT_FATES
        }
        self._late: dict[Fate, float] = {}  # when a fate last met an event

    def look(self) -> None:
        """Compare the counters with what they were."""
        for fate, events in self._counters.fates().items():
            if fate not in KEPT_FATES and events > self._known[fate]:
                self._known[fate] = events
                self._late[fate] = self._clock()

    def check(self) -> Check:
        """Say whether events are being lost, and why."""
        late = self.of_late(LATE_SECONDS)
        if not late:
            return Check(True, f"{sum(self._known.values())} lost since the start")
        reasons = ", ".join(f"{fate}: {events}" for fate, events in late.items())
        return Check(False, f"events were lost in the last {LATE_SECONDS:.0f} s ({reasons})")

    def of_late(self, seconds: float) -> dict[Fate, int]:
        """Say why events were lost in so many seconds, and how many since the start."""
        self.look()
        now = self._clock()
        late = sorted(fate for fate, at in self._late.items() if now - at < seconds)
        return {fate: self._known[fate] for fate in late}


def routes_check(routes: LiveRoutes) -> Check:
    """Say whether the routes file, as it is, is in force."""
    return Check(not routes.refused, routes.refused or "in force")


def targets_check(routes: LiveRoutes, observed: Observed) -> Check:
    """Say which of the servers that routes want looked at are down, and what aliases have found."""
    if observed.down:
        return Check(False, "; ".join(f"{url} {why}" for url, why in observed.down.items()))
    found = [f"{url} leads to {version}" for url, version in observed.versions.items()]
    return Check(True, "; ".join(found) or f"{len(routes.table.looks)} looked at, none down")


def journal_check(journal: Path) -> Check:
    """Say whether the journal can be written, by writing to it."""
    # By its name a draft: one that a killed keeper leaves is removed like any other.
    probe = journal / f".probe-{os.getpid()}.new"
    try:
        journal.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Check(False, f"{journal} cannot be written, events are lost: {error.strerror}")
    return Check(True, "writable")


def shipping_check(shipping: ShippingState, journal: Path) -> Check:
    """Say whether events get from the journal into the lake."""
    if shipping.trouble:
        return Check(False, f"events stay in the journal: {shipping.trouble}")
    late = time.time() - shipping.passed_at
    if late > LATE_SECONDS:
        return Check(False, f"no pass for {late:.0f} s, events stay in {journal}")
    return Check(True, f"last pass {late:.1f} s ago, {shipping.events} events since the start")


def ip_data_check(ip_data: IpData) -> Check:
    """Say which databases are in use. Having none is a choice; having a broken one is not."""
    if ip_data.problems:
        return Check(False, "; ".join(f"{p.path}: {p.reason}" for p in ip_data.problems))
    used = ", ".join(f"{s.path.name} of {s.built:%Y-%m-%d}" for s in ip_data.sources)
    return Check(True, used or "none, events have no country and no network")
