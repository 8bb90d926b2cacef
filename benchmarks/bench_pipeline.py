"""How fast a day is curated, as ratios to a bare Parquet copy of the same rows.

python -m benchmarks.bench_pipeline --events 1000000 --files 200

Absolute figures belong to the machine and the minute; the ratios are what the targets speak of.
"""

import argparse
import datetime as dt
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from gateway.events import SCHEMA
from pipeline.config import PipelineConfig
from pipeline.lake import Lake, day_folder
from pipeline.run import run

DAY = dt.date(2026, 3, 2)
NOW = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime.combine(DAY, dt.time(), tzinfo=dt.UTC)
PIP = (
    'pip/26.{0} {{"ci":null,"cpu":"x86_64","distro":{{"id":"bookworm","name":"Debian GNU/Linux"}},'
    '"implementation":{{"name":"CPython","version":"3.11.{0}"}},"python":"3.11.{0}"}}'
)
AGENTS = pl.Series(
    [
        "curl/8.5.0",
        "Wget/1.21.3",
        "docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 kernel/6.1.0 os/linux arch/amd64",
        "containerd/1.6.20",
        "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false",
        *(PIP.format(n) for n in range(30)),
    ]
)
COUNTRIES = pl.Series([f"{chr(65 + n // 8)}{chr(65 + n % 8)}" for n in range(50)])


def raw_rows(rows: int, seed: int, between: tuple[float, float] = (0, 86_400)) -> pl.DataFrame:
    """Rows by time, between two seconds of one day: a third image pulls, wheels and files each."""
    random = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "second": np.sort(random.uniform(*between, rows)),
            "origin_id": random.integers(1, max(2, 250_000), rows),
            "number": np.minimum(random.zipf(1.3, rows), 40),
            "step": random.integers(0, 3, rows),
            "agent": random.integers(0, len(AGENTS), rows),
            "minor": random.integers(0, 30, rows),
            "asn": np.minimum(random.zipf(1.2, rows), 60_000),
            "salt": random.integers(0, 2**63, rows),
        }
    )
    kind = pl.col("origin_id") % 3
    country = pl.col("asn") % len(COUNTRIES)
    is_pull = kind == 0
    is_head = is_pull & (pl.col("step") == 0)
    version = pl.format("1.{}.0", "minor")
    digest = pl.lit("sha256:") + (pl.col("minor") * 1_000_003).hash().cast(pl.String)
    made = frame.with_columns(
        v=1,
        event_id=pl.Series(_uuid7s(frame["second"].to_numpy(), random)),
        event_time=MIDNIGHT + pl.duration(microseconds=pl.col("second") * 1_000_000),
        event_type=pl.when(is_pull).then(pl.lit("pull")).otherwise(pl.lit("download")),
        route_type=pl.when(is_pull)
        .then(pl.lit("docker"))
        .when(kind == 1)
        .then(pl.lit("python"))
        .otherwise(pl.lit("file")),
        package_id=pl.format("acme/package-{}", "number"),
        package=pl.format("acme/package-{}", "number"),
        host=pl.lit("get.acme.example"),
        artifact=pl.format("package-{}.tar.gz", "number"),
        version=pl.when(~is_pull | is_head).then(version),
        reference=pl.when(is_head).then(version).when(is_pull).then(digest),
        method=pl.when(is_head).then(pl.lit("HEAD")).otherwise(pl.lit("GET")),
        status=pl.when(is_pull).then(200).otherwise(307),
        user_agent=pl.lit(AGENTS).gather(pl.col("agent")),
        referrer=pl.when(pl.col("salt") % 50 == 0).then(pl.lit("https://news.example/item")),
        variables=pl.when(is_pull & (pl.col("step") == 2))
        .then(pl.lit('{"platform":"linux/amd64"}'))
        .otherwise(pl.lit("{}")),
        country=pl.lit(COUNTRIES).gather(country),
        as_org=pl.format("Network {}", "asn"),
        endpoint_id=pl.col("origin_id"),
    )
    return made.select(
        pl.col(name).cast(dtype) if name in made.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in SCHEMA.items()
    )


def _uuid7s(seconds: np.ndarray, random: np.random.Generator) -> list[str]:
    """Ids as the gateway makes them: the millisecond, a counter, and 62 bits by chance."""
    milliseconds = (seconds * 1000).astype(np.uint64) + np.uint64(0x019C00000000)
    counters = random.integers(0, 1 << 11, seconds.size, dtype=np.uint64)
    high = milliseconds << np.uint64(16) | np.uint64(0x7000) | counters
    low = random.integers(0, 1 << 62, seconds.size, dtype=np.uint64) | np.uint64(1 << 63)
    digits = np.stack([high, low], axis=1).astype(">u8").tobytes().hex()
    return [
        f"{digits[n : n + 8]}-{digits[n + 8 : n + 12]}-{digits[n + 12 : n + 16]}"
        f"-{digits[n + 16 : n + 20]}-{digits[n + 20 : n + 32]}"
        for n in range(0, len(digits), 32)
    ]


def put_raw(lake: Lake, events: int, files: int, seed: int, doubled: float = 0) -> None:
    """Files as a gateway writes them, one after the other in time.

    Each begins with a share of the rows of the one before, as after a crash.
    """
    step = 86_400 / files
    before = raw_rows(0, seed)
    for number in range(files):
        rows = raw_rows(events // files, seed + number, (number * step, (number + 1) * step))
        _put(lake, pl.concat([before.tail(round(doubled * before.height)), rows]))
        before = rows


def _put(lake: Lake, rows: pl.DataFrame) -> None:
    folder = day_folder(lake.raw, DAY)
    folder.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(folder / f"{rows['event_id'][0]}.parquet")


def bare_copy(lake: Lake) -> None:
    """The limit: every raw row read and written once."""
    files = sorted(day_folder(lake.raw, DAY).glob("*.parquet"))
    pl.scan_parquet(files).sink_parquet(lake.root / "copy.parquet")


def one_pass(lake: Lake) -> None:
    run(PipelineConfig(data=lake.root), NOW)


def measured(work: Callable[[Lake], None], lake: Lake) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak GB of some work in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=_measure, args=(work, lake, answers))
    process.start()
    found: tuple[float, float, float] = answers.get()
    process.join()
    return found


def _measure(work: Callable[[Lake], None], lake: Lake, answers: "multiprocessing.Queue") -> None:
    before = time.process_time()
    started = time.perf_counter()
    work(lake)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    answers.put((seconds, used.ru_utime + used.ru_stime - before, used.ru_maxrss / 1e6))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--files", type=int, default=200)
    options.add_argument("--doubled", type=float, default=0, help="share of rows that come twice")
    asked = options.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench-pipeline-"))
    try:
        lake = Lake(root / "lake")
        put_raw(lake, asked.events, asked.files, seed=1, doubled=asked.doubled)
        copy = measured(bare_copy, lake)
        full = measured(one_pass, lake)
        idle = measured(one_pass, lake)
        _put(lake, raw_rows(1_000, 10_000, (86_390, 86_400)))
        latest = measured(one_pass, lake)
        _put(lake, raw_rows(1_000, 20_000))
        late = measured(one_pass, lake)
        size = lake.events_file(DAY).stat().st_size
        daily = lake.daily_file(DAY).stat().st_size
    finally:
        shutil.rmtree(root)
    print(f"{asked.events:,} events of one day in {asked.files} files")
    for name, (seconds, cpu, gb) in {
        "bare copy": copy,
        "full curation": full,
        "nothing new": idle,
        "1,000 latest events": latest,
        "1,000 of any time": late,
    }.items():
        print(f"{name:20} {seconds:8.2f} s {cpu:8.2f} processor s {gb:6.2f} GB")
    print(f"ratio                {copy[0] / full[0]:8.2f}   (target 0.35, stretch 0.5)")
    print(f"ratio by processor   {copy[1] / full[1]:8.2f}")
    print(f"events/            {size / asked.events:7.1f} bytes an event (target 30)")
    print(f"daily/             {daily / size:7.1%} of it (target 10 %)")


if __name__ == "__main__":
    main()
