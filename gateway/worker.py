"""One worker process: answers requests on the public socket. Started by the supervisor, which see.

python -m gateway.worker '{"config": {...}, ...}'
"""

import asyncio
import gc
import logging
import socket
import sys
from itertools import count

import msgspec

from gateway import listening, logs
from gateway.config import GRACE_SECONDS, GatewayConfig, from_json
from gateway.connection import Connection
from gateway.counters import Counters
from gateway.heartbeats import Heartbeats
from gateway.ipdata import IpData
from gateway.journal import SYNC_SECONDS, Journal
from gateway.last_good import LastGood
from gateway.live import LiveRoutes
from gateway.overload import Overload
from gateway.proxies import Proxies
from gateway.rates import Rates
from gateway.recorder import Recorder
from gateway.room import Room, most_of, pool_of, raise_limit
from gateway.server import Gateway
from gateway.surroundings import Surroundings
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from gateway.visitor import Visitors
from gateway.watch import Watch, stopped

_REFRESH_SECONDS = 2 * SYNC_SECONDS
_FORGET_TICKS = 2
_MEGABYTE = 1024 * 1024

log = logging.getLogger(__name__)


class WorkerTask(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor hands to a worker. The numbers of descriptors are the same in both."""

    config: GatewayConfig
    slot: int
    listener: int
    counters: int
    heartbeats: int
    rates: int  # see rates.shared
    routes: int  # see LastGood
    lifeline: int


async def work(task: WorkerTask) -> None:
    """Serve until told to stop, and leave a sealed journal."""
    config = task.config
    stop = listening.stop_event(task.lifeline, heed_signals=True)
    counters = Counters(task.counters, config.workers, task.slot)
    counters.hold(0)  # those of a forerunner that died are gone
    journal = Journal(config.data / "journal", config.flush_seconds)
    visitors = Visitors(IpData.open(config.ip_data), config.salts, config.salt_rotation)
    routes = LiveRoutes(config.routes, LastGood(task.routes))
    descriptors = raise_limit()
    fetcher = Fetcher(upstream_config(config, pool_of(descriptors)), note=counters.note)
    watch = Watch(lambda: routes.table)
    overload = Overload(SYNC_SECONDS)
    rates = Rates(config.telemetry_rate, task.rates)
    gateway = Gateway(
        routes,
        Proxies(config.trusted_proxies),
        Recorder(visitors, journal, counters),
        counters,
        fetcher,
        surroundings=Surroundings(visitors, lambda: watch.observed),
        overload=overload,
        rates=rates,
        room=Room(counters, most_of(descriptors)),
    )
    tasks = [
        asyncio.create_task(forever)
        for forever in (
            Heartbeats(task.heartbeats, config.workers + 1).beat(task.slot),
            _tick(journal, overload, visitors, rates),
            _refresh(routes),
            watch.run(),
        )
    ]
    # What is there now stays; and requests make few cycles, so they are looked for less often.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        public = socket.socket(fileno=task.listener)
        await listening.serve(gateway, public, stop, GRACE_SECONDS, Connection)
    finally:
        # Sealed here and not in a hook of the server's, which can be cut short.
        for running in tasks:
            await stopped(running)
        journal.close()
        await fetcher.close()


def upstream_config(config: GatewayConfig, connections: int) -> UpstreamConfig:
    """Take the upstream side's settings out of the gateway's."""
    return UpstreamConfig(
        connections=connections,
        connect_seconds=config.connect_seconds,
        read_seconds=config.read_seconds,
        tag_seconds=config.tag_seconds,
        document_seconds=config.document_seconds,
        revalidate_seconds=config.revalidate_seconds,
        patience_seconds=config.patience_seconds,
        stale_seconds=config.stale_seconds,
        cache=config.cache,
        cache_bytes=config.cache_mb * _MEGABYTE,
        manifest_cache_bytes=config.manifest_memory_mb * _MEGABYTE,
        document_cache_bytes=config.document_memory_mb * _MEGABYTE,
    )


async def _tick(journal: Journal, overload: Overload, visitors: Visitors, rates: Rates) -> None:
    for ticks in count(1):
        await asyncio.sleep(SYNC_SECONDS)
        overload.beat()
        journal.tick()
        if ticks % _FORGET_TICKS == 0:
            visitors.forget()
            rates.forget()


async def _refresh(routes: LiveRoutes) -> None:
    # A loop of its own: the disk with the routes file may hang, and the journal's need not.
    while True:
        await asyncio.sleep(_REFRESH_SECONDS)
        await asyncio.to_thread(routes.refresh)


if __name__ == "__main__":
    work_task = from_json(sys.argv[1], WorkerTask)
    logs.configure(f"worker {work_task.slot}", work_task.config.log_format)
    listening.run(lambda: work(work_task))
