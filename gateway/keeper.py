"""The one background process: ships the journal, destroys old salts, and serves the admin port.

    python -m gateway.keeper '{"config": {...}, ...}'

It survives the workers by design: it goes on until the supervisor is gone, and then ships what they
have left.
"""

import asyncio
import datetime as dt
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from gateway import listening, logs, salts, segments, shipper
from gateway.admin import Admin
from gateway.circumstances import Observed
from gateway.config import GRACE_SECONDS, GatewayConfig, from_json
from gateway.counters import Counters
from gateway.heartbeats import Heartbeats
from gateway.ipdata import IpData
from gateway.last_good import LastGood
from gateway.live import LiveRoutes
from gateway.metrics import ShippingState
from gateway.status import Status, StatusFile, reasons
from gateway.watch import Watch, stopped

_SALTS_EVERY = 60.0
_ADMIN_GRACE = 0.5
# Where all processors are busy, answers come before files, which then wait for tenths of a second.
_NICENESS = 10

log = logging.getLogger(__name__)


class KeeperTask(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor hands to the keeper. The numbers of descriptors are the same in both."""

    config: GatewayConfig
    listener: int
    counters: int
    heartbeats: int
    routes: int  # see LastGood
    lifeline: int


class Keeper:
    """Ships and tidies, one step at a time."""

    def __init__(self, config: GatewayConfig) -> None:
        self.shipping = ShippingState()
        self._journal = config.data / "journal"
        self._put = shipper.into_folder(config.data)
        self._salts = config.salts
        self._seldom = logs.Seldom(log)
        self._tidied_at = float("-inf")
        self._end_at = float("inf")

    def step(self) -> None:
        """Make one pass. Never raises for trouble with disks, which only delays."""
        try:
            done = shipper.ship(self._journal, self._put, self._is_late)
        except OSError as error:
            self.shipping.trouble = str(error)
            self._seldom.warn("shipping", "events stay in the journal: %s", error)
        else:
            self.shipping.passed_at = time.time()
            self.shipping.events += done.events
            self.shipping.bad += done.bad
            self.shipping.trouble = ""
        if time.monotonic() - self._tidied_at >= _SALTS_EVERY:
            self._tidied_at = time.monotonic()
            self._destroy_salts()

    def tell(
        self, status: StatusFile, routes: LiveRoutes, observed: Observed, trouble: str
    ) -> None:
        """Tell the dashboard about refused routes, targets that are down, and lost events."""
        down = "\n".join(f"{url} {why}" for url, why in observed.down.items())
        try:
            status.tell(
                Status(
                    routes=routes.path.name,
                    refused=reasons(routes.refused),
                    down=reasons(down),
                    trouble=reasons(trouble),
                )
            )
        except OSError as error:
            self._seldom.warn("status", "the dashboard is told nothing: %s", error)

    def last_steps(self) -> None:
        """Ship what the workers leave, waiting for those that still finish, but not for ever."""
        self.step()
        while segments.is_being_written(self._journal) and not self._is_late():
            time.sleep(0.1)
            self.step()
        self.step()

    def hurry(self) -> None:
        """End soon, whatever still waits: the next start ships it."""
        self._end_at = time.monotonic() + GRACE_SECONDS + 1

    def _is_late(self) -> bool:
        return time.monotonic() >= self._end_at

    def _destroy_salts(self) -> None:
        try:
            for period in salts.destroy_old(self._salts, dt.datetime.now(dt.UTC)):
                log.info("the salt of %s is destroyed", period)
        except OSError as error:
            self._seldom.warn("salts", "an old salt could not be destroyed: %s", error)


async def keep(task: KeeperTask) -> None:
    """Keep house until the supervisor is gone."""
    config = task.config
    stop = listening.stop_event(task.lifeline, heed_signals=False)
    keeper = Keeper(config)
    routes = LiveRoutes(config.routes, LastGood(task.routes))
    counters = Counters(task.counters, config.workers)
    heartbeats = Heartbeats(task.heartbeats, config.workers + 1)
    beating = asyncio.create_task(heartbeats.beat(config.workers))
    watch = Watch(lambda: routes.table)
    admin = Admin(
        config,
        routes,
        counters,
        IpData.open(config.ip_data),
        keeper.shipping,
        heartbeats=heartbeats,
        observed=lambda: watch.observed,
    )
    watching = asyncio.create_task(watch.run())
    status = StatusFile(config)
    stepping = asyncio.create_task(
        _step(
            keeper,
            routes,
            admin,
            lambda: keeper.tell(status, routes, watch.observed, admin.trouble()),
            seconds=config.flush_seconds,
            stop=stop,
        )
    )
    try:
        await listening.serve(admin, socket.socket(fileno=task.listener), stop, _ADMIN_GRACE)
    finally:
        stop.set()
        keeper.hurry()
        await stepping
        await stopped(watching)
        await stopped(beating)
        status.remove()
        keeper.last_steps()


async def _step(
    keeper: Keeper,
    routes: LiveRoutes,
    admin: Admin,
    tell: Callable[[], None],
    *,
    seconds: float,
    stop: asyncio.Event,
) -> None:
    """Look twice in each interval, so that an event is a file soon after its segment is sealed."""
    while not stop.is_set():
        await asyncio.to_thread(keeper.step)
        await asyncio.to_thread(routes.refresh)
        await asyncio.to_thread(tell)
        admin.look()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(seconds, 1.0) / 4)


if __name__ == "__main__":
    os.nice(_NICENESS)  # before the threads that ship are there: each has its own
    keeper_task = from_json(sys.argv[1], KeeperTask)
    logs.configure("keeper", keeper_task.config.log_format)
    listening.run(lambda: keep(keeper_task))
