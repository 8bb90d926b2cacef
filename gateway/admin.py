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

from gateway.config import GatewayConfig
from gateway.counters import Counters
from gateway.ipdata import IpData
from gateway.live import LiveRoutes

# Shipping is late when nothing has been shipped for so long while there is something to ship.
LATE_SECONDS = 60.0


class Check(msgspec.Struct, frozen=True):
    """One thing that should be well."""

    ok: bool
    detail: str


_Checks = dict[str, Callable[[], Check]]


class ShippingState(msgspec.Struct):
    """How the last passes of the shipper went; written by the keeper."""

    passed_at: float = 0.0  # seconds since the epoch, of the last pass without trouble; 0: none yet
    events: int = 0  # shipped since the start
    bad: int = 0  # records set aside since the start
    trouble: str = ""  # why the last pass failed; "": it did not


class Admin(Sanic[Any, Any]):
    """The application of the admin port."""

    __slots__ = ("_checks", "_counters", "_routes", "_shipping")

    def __init__(
        self,
        config: GatewayConfig,
        routes: LiveRoutes,
        counters: Counters,
        ip_data: IpData,
        shipping: ShippingState,
    ) -> None:
        super().__init__("footfall-admin", configure_logging=False)
        self.config.update({"ACCESS_LOG": False, "AUTO_EXTEND": False, "MOTD": False})
        self._routes = routes
        self._counters = counters
        self._shipping = shipping
        self._checks: _Checks = {
            "routes": lambda: routes_check(routes),
            "journal": lambda: journal_check(config.data / "journal"),
            "shipping": lambda: shipping_check(shipping, config.data / "journal"),
            "ip_data": lambda: ip_data_check(ip_data),
        }
        self.add_route(self.healthz, "/healthz", methods=["GET", "HEAD"])
        self.add_route(self.readyz, "/readyz", methods=["GET", "HEAD"])
        self.add_route(self.metrics, "/metrics")
        self.add_route(self.tls_ask, "/-/tls-ask")

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
            exposition(self._counters, self._shipping), content_type="text/plain; version=0.0.4"
        )

    async def tls_ask(self, request: Request) -> HTTPResponse:
        """Answer a front that asks whether to get a certificate: 200 for a routed domain only."""
        domain = (request.args.get("domain") or "").lower().rstrip(".")
        if domain and self._routes.table.serves(domain):
            return text("ok\n")
        return text("no route names this domain\n", status=403)


def routes_check(routes: LiveRoutes) -> Check:
    """Say whether the routes file, as it is, is in force."""
    return Check(not routes.refused, routes.refused or "in force")


def journal_check(journal: Path) -> Check:
    """Say whether the journal can be written, by writing to it."""
    probe = journal / f".probe-{os.getpid()}"
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


def exposition(counters: Counters, shipping: ShippingState) -> str:
    """Write all counters, summed over the workers."""
    lines = [
        "# HELP footfall_requests_total Answered requests by route type and status.",
        "# TYPE footfall_requests_total counter",
        *(
            f'footfall_requests_total{{route_type="{route_type}",status="{status}"}} {answers}'
            for route_type, status, answers in counters.requests()
        ),
        "# HELP footfall_events_total Events by what became of them; unrecorded ones asked for it.",
        "# TYPE footfall_events_total counter",
        *(
            f'footfall_events_total{{fate="{fate}"}} {events}'
            for fate, events in counters.fates().items()
        ),
        "# HELP footfall_shipped_events_total Events written to the lake's raw files.",
        "# TYPE footfall_shipped_events_total counter",
        f"footfall_shipped_events_total {shipping.events}",
        "# HELP footfall_quarantined_records_total Damaged journal records set aside.",
        "# TYPE footfall_quarantined_records_total counter",
        f"footfall_quarantined_records_total {shipping.bad}",
        "# HELP footfall_shipping_last_success_seconds Time of the last pass without trouble.",
        "# TYPE footfall_shipping_last_success_seconds gauge",
        f"footfall_shipping_last_success_seconds {shipping.passed_at:.3f}",
    ]
    return "\n".join(lines) + "\n"
