"""Raw rows and lakes for the pipeline's tests."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gateway.events import SCHEMA
from pipeline.config import PipelineConfig
from pipeline.lake import Lake, day_folder

DAY = dt.date(2026, 3, 2)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 3, 3, 9, tzinfo=dt.UTC)

Row = dict[str, Any]
_ids = itertools.count(1)


def raw_row(**given: Any) -> Row:
    """A clean raw row: a download of a file at noon, by an origin of its own unless told."""
    number = next(_ids)
    row: Row = {
        "v": 1,
        "event_id": f"019ca000-0000-7000-8000-{number:012x}",
        "event_time": NOON,
        "event_type": "download",
        "route_type": "file",
        "package_id": "acme/tool",
        "package": "acme/tool",
        "host": "get.acme.example",
        "artifact": "tool.tar.gz",
        "version": "1.2.3",
        "reference": None,
        "method": "GET",
        "status": 307,
        "range_start": None,
        "user_agent": "curl/8.5.0",
        "referrer": None,
        "variables": "{}",
        "country": "SE",
        "origin_id": number,
        "endpoint_id": number,
    }
    unknown = given.keys() - SCHEMA.keys()
    assert not unknown, f"no such raw columns: {unknown}"
    return dict.fromkeys(SCHEMA) | row | given


def raw_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def put_raw(lake: Lake, rows: Iterable[Row], day: dt.date = DAY, name: str | None = None) -> Path:
    """Write rows as the gateway does: one whole file in the day's folder."""
    folder = day_folder(lake.raw, day)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name or f'{next(_ids):032x}'}.parquet"
    partial = file.with_name(f".{file.name}.tmp")
    raw_frame(rows).write_parquet(partial)
    return partial.replace(file)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def config(lake: Lake) -> PipelineConfig:
    return PipelineConfig(data=lake.root, lock_wait=5.0, interval=0.05)


@pytest.fixture
def events_of(lake: Lake) -> Callable[..., pl.DataFrame]:
    """Read the curated events as a stranger would, all days or one."""

    def read(day: dt.date | None = None) -> pl.DataFrame:
        return pl.read_parquet(
            lake.events / (f"date={day}" if day else "date=*") / "data.parquet",
            hive_partitioning=False,
        )

    return read
