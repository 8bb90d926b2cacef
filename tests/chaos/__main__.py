"""Kill everything at random under load, and see whether an acknowledged event is lost or doubled.

make chaos
python -m tests.chaos --minutes 60 --seed 7
python -m tests.chaos --every-call
"""

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from tests.chaos.chaos import Outcome, chaos
from tests.chaos.every_call import sweep


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="How long to kill.")
@click.option("--seed", default=1, show_default=True, help="Draws the victims and the moments.")
@click.option("--rate", default=1500.0, show_default=True, help="Events a second, at most.")
@click.option("--backlog", default=200, show_default=True, help="MB of journal at the start.")
@click.option("--every-call", is_flag=True, help="Instead, kill at each change of the disk.")
@click.option("--step", default=1, show_default=True, help="With --every-call: at every n-th.")
@click.option("--keep", is_flag=True, help="Keep the lake and the log also when all is well.")
def main(
    *, minutes: float, seed: int, rate: float, backlog: int, every_call: bool, step: int, keep: bool
) -> None:
    """Report acknowledged, lost and doubled events; the status is 1 when any is."""
    # A killed process leaves the same on a disk and in memory, where nobody waits for a disk.
    place = "/dev/shm" if every_call and Path("/dev/shm").is_dir() else None
    home = Path(tempfile.mkdtemp(prefix="footfall-chaos-", dir=place))
    click.echo(f"lake and log: {home}")
    if every_call:
        is_right = _kill_at_every_call(home, step)
    else:
        outcome = chaos(
            home,
            seconds=60 * minutes,
            seed=seed,
            rate=rate,
            backlog=backlog * 10**6,
            tell=click.echo,  # which flushes
        )
        click.echo(report(outcome))
        is_right = outcome.account.is_right
    if is_right and not keep:
        shutil.rmtree(home)
    else:
        click.echo(f"kept: {home}")
    sys.exit(0 if is_right else 1)


def _kill_at_every_call(home: Path, step: int) -> bool:
    kills: Counter[str] = Counter()
    bad = 0
    for kill in sweep(home, step=step):
        kills[kill.stage] += 1
        if kill.faults:
            bad += 1
            click.echo(
                f"{kill.stage}, before {kill.call.call} {kill.call.path} (change {kill.number}):"
            )
            click.echo("".join(f"  {fault}\n" for fault in kill.faults), nl=False)
    for stage, count in kills.items():
        click.echo(f"{stage:30} {count:,} kills")
    click.echo(f"{'all':30} {kills.total():,} kills, {bad:,} with faults")
    return not bad and bool(kills)


def report(outcome: Outcome) -> str:
    """Write the outcome for a person."""
    account, blows = outcome.account, outcome.blows
    lines = [
        f"kills         {blows.total():,}, {outcome.starts:,} starts",
        *(f"  {moment:24} {victim:12} {n:,}" for (moment, victim), n in sorted(blows.items())),
        f"backlog       {outcome.backlog:,} events",
        f"first answer  {outcome.first_answer:.1f} s after the start",
        f"slowest       {outcome.slowest:.2f} s for an answer under way",
        f"clients       {outcome.broken:,} broken connections, {outcome.refused:,} refusals",
        f"acknowledged  {account.acknowledged:,}",
        f"rows          {account.rows:,}",
        f"lost          {len(account.lost):,} {_some(account.lost)}",
        f"doubled       {len(account.doubled):,} {_some(account.doubled)}",
        f"miscounted    {account.miscounted:,}",
        f"purged        {outcome.purged:,} acknowledged, {account.unpurged:,} still there",
        f"left over     {len(account.left_over):,} {_some(account.left_over)}",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _some(found: tuple[object, ...]) -> str:
    return ", ".join(map(str, found[:10]))


if __name__ == "__main__":
    main()
