"""How long every question behind every page takes, on a lake of 730 days.

    python benchmarks/bench_dashboard.py [--events 2000000] [--lake FOLDER] [--processor]

Each figure is the median of warm runs, in milliseconds; the ratio is to `count(*)` over the files
of `daily` of the same days, which is the least that a question to the files costs. Marked figures
are above the targets: 100 ms, and 300 ms for a choice of traffic and packages over all days. Where
others use the machine, `--processor` counts the time of all processors instead, which they hardly
change; DuckDB uses as many as there are.
"""

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import long_lake
from dashboard.filters import Filters
from dashboard.lake import Lake
from dashboard.queries import companies, exporting, overview, places, referrers, runtimes, versions

DAYS: Final = 730
PACKAGE, COMPANY = "acme/package-0", "Company 1"
MOST_MS, MOST_FILTERED_MS = 100, 300
ROUNDS, SECONDS = 9, 1.5

Clock = Callable[[], float]
Question = Callable[[Lake, Filters], pl.DataFrame]


def _with(question: Callable[..., pl.DataFrame], *more: Any) -> Question:
    return lambda lake, filters: question(lake, filters, *more)


# Each with what it is asked beside the filters.
QUESTIONS: Final[dict[str, Question]] = {
    "overview.packages": lambda lake, _: overview.packages(lake),
    "overview.newest_event": lambda lake, _: overview.newest_event(lake),
    "overview.totals": overview.totals,
    "overview.hidden": overview.hidden,
    "overview.by_day": overview.by_day,
    **{f"overview.top {what}": _with(overview.top, what) for what in overview.TOP_LISTS},
    "companies.attribution": companies.attribution,
    "companies.table": companies.table,
    "companies.trends": companies.trends,
    "companies.by_day": _with(companies.by_day, COMPANY),
    **{
        f"companies.detail {what}": _with(companies.detail, COMPANY, what)
        for what in ("country", "version", "client")
    },
    "places.countries": places.countries,
    "places.cities": places.cities,
    **{f"runtimes.by {name}": _with(runtimes.by, name) for name in runtimes.DIMENSIONS},
    "runtimes.clients_by_day": runtimes.clients_by_day,
    "runtimes.ci": runtimes.ci,
    "runtimes.traffic": runtimes.traffic,
    "referrers.by type": _with(referrers.by, "type"),
    "referrers.by domain": _with(referrers.by, "domain"),
    "referrers.pages": referrers.pages,
    "referrers.by_day": referrers.by_day,
    "versions.table": _with(versions.table, PACKAGE),
    "versions.by_day version": _with(versions.by_day, PACKAGE, "version"),
    "versions.by_day major": _with(versions.by_day, PACKAGE, "major"),
    "versions.clients": _with(versions.clients, PACKAGE),
    "exporting.size": exporting.size,
}


def choices(today: dt.date) -> dict[str, tuple[Filters, int]]:
    """What the filters are set to, and how many milliseconds an answer may take."""
    month, ever = today - dt.timedelta(days=29), today - dt.timedelta(days=DAYS - 1)
    some = tuple(f"acme/package-{number}" for number in (1, 4, 7, 11, 19))
    return {
        "30 days": (Filters(month, today), MOST_MS),
        "730 days": (Filters(ever, today), MOST_MS),
        "one package": (Filters(ever, today, packages=(PACKAGE,)), MOST_MS),
        "combined": (
            Filters(ever, today, packages=some, counted=False, traffic=("ci", "mirror")),
            MOST_FILTERED_MS,
        ),
    }


def floor(lake: Lake, filters: Filters) -> pl.DataFrame:
    """The least that a question over these days costs."""
    return lake.ask(
        "SELECT count(*) AS rows FROM daily WHERE date BETWEEN $start AND $end",
        {"start": filters.start, "end": filters.end},
    )


def milliseconds(ask: Callable[[], object], clock: Clock) -> float:
    """The median of several runs after one that warms up."""
    ask()
    return 1_000 * statistics.median(_timed(ask, clock))


def _timed(ask: Callable[[], object], clock: Clock) -> Iterator[float]:
    end = time.perf_counter() + SECONDS
    for _ in range(ROUNDS):
        started = clock()
        ask()
        yield clock() - started
        if time.perf_counter() > end:
            break


def report(lake: Lake, files: Lake, today: dt.date, clock: Clock) -> int:
    """Print the table; give how many figures are above their target."""
    columns = choices(today)
    least = {
        name: milliseconds(lambda f=filters: floor(files, f), clock)
        for name, (filters, _) in columns.items()
    }
    print(f"{'ms (x floor)':26}" + "".join(f"{name:>20}" for name in columns))
    print(f"{'floor: count(*)':26}" + "".join(f"{ms:13.1f}       " for ms in least.values()))
    above = 0
    for name, question in QUESTIONS.items():
        cells = []
        for column, (filters, most) in columns.items():
            took = milliseconds(lambda q=question, f=filters: q(lake, f), clock)
            above += took > most
            mark = "!" if took > most else " "
            cells.append(f"{took:12.1f}{mark} ({took / least[column]:4.1f})")
        print(f"{name:26}" + "".join(cells), flush=True)
    return above


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=2_000_000)
    options.add_argument("--processor", action="store_true")
    options.add_argument("--lake", type=Path, help="made here, or used as it is if it is there")
    asked = options.parse_args()
    today = dt.datetime.now(dt.UTC).date()
    with tempfile.TemporaryDirectory(prefix="bench-dashboard-") as folder:
        root: Path = asked.lake or Path(folder)
        if not (root / "daily").exists():
            long_lake.make(root, asked.events, DAYS, today)
        lake = Lake(root, settled_seconds=0)
        started = time.process_time()
        if lake.counts is not None:
            lake.counts.copy()
        print(f"counts copied in {time.process_time() - started:.1f} s of a processor")
        size = {
            table: sum(file.stat().st_size for file in (root / table).glob("*/*.parquet"))
            for table in ("events", "daily")
        }
        rows = {table: lake.ask(f"SELECT count(*) FROM {table}", {}).item() for table in size}
        print(f"{rows['events']:,} events over {DAYS} days, {rows['daily']:,} rows of counts")
        print(
            f"events/ {size['events'] / rows['events']:.1f} bytes an event, "
            f"daily/ {size['daily'] / size['events']:.1%} of it"
        )
        clock = time.process_time if asked.processor else time.perf_counter
        above = report(lake, Lake(root), today, clock)
    print(f"{above} above the target")


if __name__ == "__main__":
    main()
