"""The pipeline's commands. Each setting is a flag, else FOOTFALL_<FLAG>, else its default."""

import datetime as dt
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import msgspec
from tqdm import tqdm

from pipeline import purge as purging
from pipeline import run as passes
from pipeline import watch as watching
from pipeline.config import PipelineConfig
from pipeline.demo import DEFAULT_SEED, make_demo
from pipeline.lake import Lake
from pipeline.lock import LakeBusyError
from pipeline.privacy import audit
from pipeline.privacy_text import as_text as privacy_text
from pipeline.status import as_text
from pipeline.status import status as look

_Done = TypeVar("_Done")
_DEFAULTS = PipelineConfig(data=Path("data/lake"))


def _setting(flag: str, **attributes: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    name = flag.removeprefix("--").replace("-", "_")
    return click.option(
        flag,
        name,
        default=getattr(_DEFAULTS, name),
        envvar=f"FOOTFALL_{name.upper()}",
        show_envvar=True,
        show_default=True,
        **attributes,
    )


_data = _setting(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="The lake's folder."
)
_retention = _setting(
    "--raw-retention-days",
    type=click.IntRange(min=0),
    help="How many days raw rows stay in archive/ and quarantine/.",
)
_memory = _setting(
    "--memory-mb",
    type=click.IntRange(min=128),
    help="About how much memory a pass may use; less of it means more and smaller steps.",
)
_lock_wait = _setting(
    "--lock-wait",
    type=click.FloatRange(min=0),
    help="Seconds to wait for another pipeline at work on the lake.",
)


@click.group()
def main() -> None:
    """Turn raw events into curated events and daily counts."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s pipeline %(levelname)s %(message)s",
    )


@main.command()
@_data
@_retention
@_memory
@_lock_wait
def run(**settings: Any) -> None:
    """Curate everything that waits in raw/, once."""
    _say(_guarded(lambda: passes.run(PipelineConfig(**settings), _now())))


@main.command()
@_data
@_retention
@_memory
@_lock_wait
@_setting(
    "--interval",
    type=click.FloatRange(min=0.05),
    help="Seconds between two looks at raw/.",
)
def watch(**settings: Any) -> None:
    """Curate whatever arrives in raw/, until SIGTERM or Ctrl-C."""
    with watching.stopped_by_signals() as stop:
        watching.watch(PipelineConfig(**settings), stop)


@main.command()
@_data
@_retention
@_memory
@_lock_wait
def rebuild(**settings: Any) -> None:
    """Curate every day again, from the archive where it still has the day's raw rows."""
    _say(_guarded(lambda: passes.rebuild(PipelineConfig(**settings), _now())))


@main.command()
@_data
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(data: Path, *, as_json: bool) -> None:
    """Say what is in the lake, what waits, and what was rejected."""
    found = look(Lake(data))
    click.echo(msgspec.json.encode(found).decode() if as_json else as_text(found))


@main.command()
@_data
@_retention
@click.option(
    "--salts",
    default="data/salts",
    envvar="FOOTFALL_SALTS",
    show_envvar=True,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The gateway's folder of salts.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def privacy(data: Path, raw_retention_days: int, salts: Path, *, as_json: bool) -> None:
    """Report what the lake holds about people. The status is 1 when a promise is broken."""
    if not data.is_dir():
        raise click.ClickException(f"there is no lake at {data}; name it with --data DIR")
    report = _guarded(lambda: audit(Lake(data), salts, _now(), raw_retention_days))
    click.echo(msgspec.json.encode(report).decode() if as_json else privacy_text(report))
    if report.broken:
        sys.exit(1)


@main.command()
@_data
@_retention
@_memory
@_lock_wait
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True)
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True)
def demo(*, days: int, seed: int, **settings: Any) -> None:
    """Fill the lake with made-up installs; `purge --demo` removes them all."""
    config = PipelineConfig(**settings)
    with _bar("Making days", days) as bar:

        def advance(done: int, _total: int) -> None:
            bar.update(done - bar.n)

        events = _guarded(lambda: make_demo(config.data, days=days, seed=seed, progress=advance))
    with _bar("Curating days", days) as bar:
        done = _guarded(lambda: passes.run(config, _now(), on_day=lambda _: bar.update()))
    click.echo(f"Made {events:,} demo events on {len(done.days):,} days.")
    click.echo(f"To remove them: python -m pipeline purge --demo --data {config.data}")


@main.command()
@_data
@_memory
@_lock_wait
@click.option("--demo", is_flag=True, help="Every event that the demo made.")
@click.option("--package", "package_id", metavar="ID", help="Every event of one package.")
@click.option(
    "--before", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Every day before this one."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(
    *, demo: bool, package_id: str | None, before: dt.datetime | None, yes: bool, **settings: Any
) -> None:
    """Remove events for good: from raw/, archive/, events/, daily/ and quarantine/."""
    if [demo, package_id is not None, before is not None].count(True) != 1:
        raise click.UsageError("name what to remove: one of --demo, --package ID, --before DAY")
    config = PipelineConfig(**settings)
    what = (
        "every event of the demo"
        if demo
        else f"every event of package {package_id}"
        if package_id is not None
        else f"every day before {before:%Y-%m-%d}"
    )
    if not yes:
        click.confirm(f"Remove {what} from {config.data} for good?", abort=True)
    if before is not None:
        day = before.date()
        done = _guarded(lambda: purging.purge_before(config, day))
    else:
        doomed = purging.demo() if package_id is None else purging.package(package_id)
        done = _guarded(lambda: purging.purge(config, doomed))
    click.echo(
        f"Removed {what}: {done.events:,} curated events, {done.raw:,} raw rows, "
        f"{done.rejected:,} rejected rows, {done.unreadable_files:,} unreadable files."
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _say(done: passes.Pass) -> None:
    click.echo(
        f"Curated {done.files:,} files into {len(done.days):,} days; "
        f"{done.rejected:,} rows rejected, {done.unreadable:,} files unreadable."
    )


def _bar(what: str, days: int) -> "tqdm[NoReturn]":
    # None: no bar where nobody watches, such as in a log.
    return tqdm(total=days, desc=what, unit="day", leave=False, disable=None)


def _guarded(work: Callable[[], _Done]) -> _Done:
    try:
        return work()
    except (LakeBusyError, OSError) as error:
        raise click.ClickException(watching.reason(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m pipeline")
