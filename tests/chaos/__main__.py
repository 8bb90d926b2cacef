"""Kill everything at random under load, and see whether an acknowledged event is lost or doubled.

make chaos
python -m tests.chaos --minutes 60 --seed 7
"""

import shutil
import sys
import tempfile
from pathlib import Path

import click

from tests.chaos.chaos import Outcome, chaos


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="How long to kill.")
@click.option("--seed", default=1, show_default=True, help="Draws the victims and the moments.")
@click.option("--rate", default=1500.0, show_default=True, help="Events a second, at most.")
@click.option("--backlog", default=200, show_default=True, help="MB of journal at the start.")
@click.option("--keep", is_flag=True, help="Keep the lake and the log also when all is well.")
def main(*, minutes: float, seed: int, rate: float, backlog: int, keep: bool) -> None:
    """Report acknowledged, lost and doubled events; the status is 1 when any is."""
    home = Path(tempfile.mkdtemp(prefix="footfall-chaos-"))
    outcome = chaos(home, seconds=60 * minutes, seed=seed, rate=rate, backlog=backlog * 10**6)
    click.echo(report(outcome))
    if keep or not outcome.account.is_right:
        click.echo(f"lake and log: {home}")
    else:
        shutil.rmtree(home)
    sys.exit(0 if outcome.account.is_right else 1)


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
        f"left over     {len(account.left_over):,} {_some(account.left_over)}",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _some(found: tuple[object, ...]) -> str:
    return ", ".join(map(str, found[:10]))


if __name__ == "__main__":
    main()
