"""One run from the first start to the account."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import backlog as waiting
from tests.chaos.ledger import Account, account
from tests.chaos.load import PURGED, ROUTES, Load
from tests.chaos.storm import Storm
from tests.chaos.system import System

_LEAST_ROOM = 4 * 10**9  # of an hour at 1,500 events a second, with a file written beside the old
_ROOM_FACTOR = 3  # the journal, its raw files, and what they become


@dataclass(frozen=True)
class Outcome:
    """What happened, and what it came to."""

    account: Account
    blows: Counter[tuple[str, str]]
    starts: int
    backlog: int  # events
    first_answer: float  # seconds after the start
    broken: int
    refused: int
    slowest: float  # seconds
    purged: int  # events of the package that was purged


def chaos(
    home: Path,
    *,
    seconds: float,
    seed: int,
    rate: float,
    backlog: int,
    tell: Callable[[str], object] = lambda _: None,
) -> Outcome:
    """Run a system on a lake in `home`, kill its processes for so long, and settle the account.

    `tell` is given a line every minute.
    """
    room = shutil.disk_usage(home).free
    if room < (needed := _LEAST_ROOM + _ROOM_FACTOR * backlog):
        raise OSError(
            f"{home} has room for {room / 1e9:.1f} GB, and this needs {needed / 1e9:.1f} GB; "
            "name a folder on a larger disk with TMPDIR"
        )
    system = System(home, ROUTES)
    waited = waiting.write(system.lake / "journal", backlog) if backlog else ()
    load = Load(system.port, connections=8, rate=rate, seed=seed)

    def report(minute: int) -> None:
        tell(
            f"minute {minute}: {storm.blows.total():,} kills, "
            f"{len(load.acknowledged):,} acknowledged, "
            f"{shutil.disk_usage(home).free / 1e9:.1f} GB free"
        )

    storm = Storm(system, seed, report)
    try:
        first_answer = system.await_answer()
        with load:
            storm.rage(seconds)
            system.await_answer()
        system.settle()
        system.purge_for_good(PURGED)
    finally:
        system.destroy()
    load.acknowledged.extend(waited)
    return Outcome(
        account=account(system.lake, load.acknowledged, PURGED),
        blows=storm.blows,
        starts=system.starts,
        backlog=len(waited),
        first_answer=first_answer,
        broken=load.broken,
        refused=load.refused,
        slowest=load.slowest,
        purged=load.to_be_purged,
    )
