"""Compares what clients were told with what the lake holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

_MARK = r'"mark":\s*"m(\d+)"'


@dataclass(frozen=True)
class Account:
    """The outcome. Unacknowledged rows are no fault: their answers died on the way."""

    acknowledged: int
    rows: int
    lost: tuple[int, ...]  # marks, acknowledged and not in events/
    doubled: tuple[int, ...]  # marks that are there more than once
    miscounted: int  # rows by daily/ less rows in events/
    left_over: tuple[str, ...]  # files of the lake that should have been taken further
    unpurged: int  # rows, in any table, of a package that was purged

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.doubled or self.miscounted or self.left_over or self.unpurged)


def account(lake: Path, acknowledged: Sequence[int], purged: str = "") -> Account:
    """Read the lake of a system that has settled."""
    rows = marks(lake)
    known = pl.DataFrame({"mark": pl.Series(acknowledged, dtype=pl.UInt64)})
    lost = known.join(rows, on="mark", how="anti")
    doubled = rows.group_by("mark").len().filter(pl.col("len") > 1)
    return Account(
        acknowledged=len(acknowledged),
        rows=rows.height,
        lost=tuple(sorted(lost["mark"])),
        doubled=tuple(sorted(doubled["mark"])),
        miscounted=_counted(lake) - rows.height,
        left_over=tuple(
            str(path.relative_to(lake))
            for pattern in ("journal/*", "raw/*/*", "quarantine/**/*")
            for path in sorted(lake.glob(pattern))
            if path.is_file() and not path.name.startswith(".probe")
        ),
        unpurged=sum(
            pl.scan_parquet(path, hive_partitioning=False)
            .select((pl.col("package_id") == purged).sum())
            .collect()
            .item()
            for table in ("events", "daily", "archive", "quarantine")
            for path in lake.glob(f"{table}/*/*.parquet")
        ),
    )


def marks(lake: Path) -> pl.DataFrame:
    """The mark of every row in events/."""
    files = sorted(lake.glob("events/*/*.parquet"))
    if not files:
        return pl.DataFrame(schema={"mark": pl.UInt64})
    rows = pl.scan_parquet(files, hive_partitioning=False)
    return rows.select(mark=pl.col("variables").str.extract(_MARK).cast(pl.UInt64)).collect()


def _counted(lake: Path) -> int:
    files = sorted(lake.glob("daily/*/*.parquet"))
    if not files:
        return 0
    total = pl.scan_parquet(files, hive_partitioning=False).filter(pl.col("cube") == "total")
    return int(total.select(pl.col("events").sum()).collect().item())
