"""One run from the first start to the account."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import backlog as waiting
from tests.chaos.ledger import Account, account
from tests.chaos.load import ROUTES, Load
from tests.chaos.storm import Storm
from tests.chaos.system import System


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


def chaos(home: Path, *, seconds: float, seed: int, rate: float, backlog: int) -> Outcome:
    """Run a system on a lake in `home`, kill its processes for so long, and settle the account."""
    system = System(home, ROUTES)
    waited = waiting.write(system.lake / "journal", backlog) if backlog else ()
    storm = Storm(system, seed)
    try:
        first_answer = system.await_answer()
        with Load(system.port, connections=8, rate=rate, seed=seed) as load:
            storm.rage(seconds)
            system.await_answer()
        system.settle()
    finally:
        system.destroy()
    load.acknowledged.extend(waited)
    return Outcome(
        account=account(system.lake, load.acknowledged),
        blows=storm.blows,
        starts=system.starts,
        backlog=len(waited),
        first_answer=first_answer,
        broken=load.broken,
        refused=load.refused,
        slowest=load.slowest,
    )
