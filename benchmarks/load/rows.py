"""Rows of a lake's raw files, counted and deleted while more are written: the disk is small."""

import time
from pathlib import Path

import polars as pl

# A file so old is looked at by nobody any more.
_SETTLED_SECONDS = 10.0


class Rows:
    """How many there were."""

    def __init__(self, lake: Path) -> None:
        self._lake = lake
        self.counted = 0

    def count(self, *, all_of_them: bool = False) -> int:
        """Count and delete the files that are settled, or all; return the rows of all time."""
        before = time.time() - _SETTLED_SECONDS
        for file in self._lake.glob("raw/*/*.parquet"):
            if all_of_them or file.stat().st_mtime < before:
                # Of the file's end only, without its rows.
                self.counted += int(pl.scan_parquet(file).select(pl.len()).collect().item())
                file.unlink()
        return self.counted
