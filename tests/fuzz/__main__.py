"""Fuzz every parser in turn, each in a process of its own.

make fuzz SECONDS_EACH=20
python -m tests.fuzz --seconds 20 --only body --only template
python -m tests.fuzz --replay body build/fuzz/body/crash-...
"""

import re
import subprocess
import sys
from pathlib import Path

import click

from tests.programs import ROOT

HOME = ROOT / "build" / "fuzz"
# An input that takes longer than this is a defect as well.
STALL_SECONDS = 10
LONGEST = 8192
_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_RUNS = re.compile(r"stat::number_of_executed_units: +(\d+)")
_RATE = re.compile(r"stat::average_exec_per_sec: +(\d+)")


@click.command()
@click.option("--seconds", default=20, show_default=True, help="How long each target is fuzzed.")
@click.option("--only", multiple=True, help="Only this target; may be repeated.")
@click.option("--replay", nargs=2, help="Run one target on one file.")
def main(*, seconds: int, only: tuple[str, ...], replay: tuple[str, str] | None) -> None:
    """Say what each target came to; the status is 1 when any crashed."""
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 the children instrument it first

    if replay is not None:
        name, file = replay
        with TARGETS[name].open() as run:
            run(Path(file).read_bytes())
        click.echo(f"{name} holds on {file}")
        return
    unknown = set(only) - set(TARGETS)
    if unknown:
        raise click.UsageError(f"no such target: {unknown}; there are {', '.join(TARGETS)}")
    results = [_fuzz(name, seconds) for name in only or TARGETS]
    sys.exit(0 if all(results) else 1)


def _fuzz(name: str, seconds: int) -> bool:
    """Fuzz one target, from what earlier runs found on."""
    home = HOME / name
    corpus = home / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    before = set(home.iterdir())
    arguments = [
        str(corpus),
        f"-artifact_prefix={home}/",
        f"-max_total_time={seconds}",
        f"-timeout={STALL_SECONDS}",
        f"-max_len={LONGEST}",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    log = home / "log"
    with log.open("wb") as out:
        status = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.child", name, *arguments],
            stdout=out,
            stderr=out,
            cwd=ROOT,
            check=False,
        ).returncode
    text = log.read_text(errors="replace")
    click.echo(f"{name:18} {_account(text)}{'' if status == 0 else f'  CRASHED, see {log}'}")
    for file in sorted(set(home.iterdir()) - before - {log, home / "words"}):
        click.echo(f"  {sys.executable} -m tests.fuzz --replay {name} {file.relative_to(ROOT)}")
    return status == 0


def _account(text: str) -> str:
    coverage = _COVERAGE.findall(text)
    covered, features, kept = coverage[-1] if coverage else ("?", "?", "?")
    runs, rate = _RUNS.search(text), _RATE.search(text)
    return (
        f"{runs[1] if runs else '?':>9} runs {rate[1] if rate else '?':>6}/s"
        f"  coverage {covered:>5}  features {features:>6}  corpus {kept:>5}"
    )


if __name__ == "__main__":
    main()
