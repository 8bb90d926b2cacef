"""The only place that scans. Every table enters the pipeline here, as a LazyFrame."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from gateway.events import SCHEMA as RAW
from pipeline import schema
from pipeline.clean import BROKEN
from pipeline.lake import Lake

# What a column is filled with where an older writer did not know it; null for every other one.
# A file without one of REQUIRED is no raw file at all.
DEFAULTS = {"v": 1, "host": "", "artifact": "", "user_agent": "", "variables": "{}"}
REQUIRED = frozenset(
    {
        "event_id",
        "event_time",
        "event_type",
        "route_type",
        "package_id",
        "package",
        "method",
        "status",
        "origin_id",
        "endpoint_id",
    }
)

# How Polars fails. It panics on some damaged files, and a panic is no Exception.
POLARS_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)

REJECTED = pl.Schema({**RAW, BROKEN: pl.List(pl.String)})


class UnreadableFileError(Exception):
    """A raw file that can never be curated as it is."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def raw(files: Sequence[Path]) -> pl.LazyFrame:
    """The rows of raw files, whatever version wrote them, with exactly the raw table's columns.

    Only footers are read here; a file whose pages are damaged fails when the frame is collected.
    """
    exact: list[Path] = []
    frames: list[pl.LazyFrame] = []
    for file in files:
        found = raw_schema(file)
        if found == RAW:
            exact.append(file)
        else:
            frames.append(_conformed(file, found))
    if exact:
        frames.append(pl.scan_parquet(exact, schema=RAW, glob=False, hive_partitioning=False))
    return pl.concat(frames) if frames else pl.LazyFrame(schema=RAW)


def raw_schema(file: Path) -> pl.Schema:
    """The columns of a raw file, or UnreadableFileError where they cannot be those of one."""
    try:
        found = pl.Schema(pl.read_parquet_schema(file))
    except POLARS_ERRORS as error:
        raise UnreadableFileError(file, f"is no Parquet file: {_first_line(error)}") from error
    if found == RAW:
        return found
    if missing := sorted(REQUIRED - found.keys()):
        raise UnreadableFileError(file, f"has no column {', '.join(missing)}")
    for name, wanted in RAW.items():
        if name in found and not _is_castable(found[name], wanted):
            raise UnreadableFileError(file, f"column {name} is {found[name]}, not {wanted}")
    return found


def prove_readable(file: Path) -> None:
    """Read a raw file whole, for the pages that its footer says nothing of."""
    frame = raw([file])
    try:
        frame.select(pl.all().null_count()).collect()
    except POLARS_ERRORS as error:
        raise UnreadableFileError(file, f"cannot be read whole: {_first_line(error)}") from error


def events(lake: Lake, day: dt.date) -> pl.LazyFrame:
    """The day's curated events; no rows where there are none yet.

    A column that the file does not know is null: it was curated before the column was thought of.
    """
    file = lake.events_file(day)
    if not file.exists():
        return pl.LazyFrame(schema=schema.EVENTS)
    return pl.scan_parquet(
        file,
        schema=schema.EVENTS,
        glob=False,
        hive_partitioning=False,
        missing_columns="insert",
        extra_columns="ignore",
    )


def daily(lake: Lake, day: dt.date) -> pl.LazyFrame:
    """The day's counts, of a file that is there."""
    return pl.scan_parquet(
        lake.daily_file(day),
        schema=schema.DAILY,
        glob=False,
        hive_partitioning=False,
        missing_columns="insert",
        extra_columns="ignore",
    )


def footer_words(file: Path) -> dict[str, str]:
    """What a file's footer says beside its columns."""
    return pl.read_parquet_metadata(file)


def rejected(lake: Lake, day: dt.date) -> pl.LazyFrame:
    """The day's rows in quarantine, with the names of the rules that they broke."""
    file = lake.quarantine_file(day)
    if not file.exists():
        return pl.LazyFrame(schema=REJECTED)
    return pl.scan_parquet(
        file,
        schema=REJECTED,
        glob=False,
        hive_partitioning=False,
        missing_columns="insert",
        extra_columns="ignore",
    )


def parquet(file: Path) -> pl.LazyFrame:
    """A file of the pipeline's own making, as it is."""
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)


def _conformed(file: Path, found: pl.Schema) -> pl.LazyFrame:
    columns = [
        pl.col(name).cast(dtype, strict=False)
        if name in found
        else pl.lit(DEFAULTS.get(name), dtype).alias(name)
        for name, dtype in RAW.items()
    ]
    return pl.scan_parquet(file, glob=False, hive_partitioning=False).select(columns)


def _is_castable(found: pl.DataType, wanted: pl.DataType) -> bool:
    # A value that does not fit becomes null, and then answers to the rules like any other.
    if found == pl.Null:
        return True
    if wanted.is_integer():
        return found.is_integer()
    if wanted.is_float():
        return found.is_numeric()
    if wanted == pl.String:
        return found in (pl.String, pl.Categorical)
    return isinstance(found, pl.Datetime) and found.time_zone is not None


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
