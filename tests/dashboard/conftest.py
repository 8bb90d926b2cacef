"""A lake for the dashboard tests: curated Parquet as the pipeline publishes it, from few words."""

import datetime as dt
import itertools
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.schema import CUBES, DAILY, DAILY_KEYS, EVENTS, MEASURES

TODAY = dt.date(2026, 3, 31)

DEFAULTS: Mapping[str, Any] = {
    "event_type": "download",
    "route_type": "file",
    "package_id": "tool",
    "host": "dl.acme.example",
    "artifact": "tool.tar.gz",
    "method": "GET",
    "status": 307,
    "counted": True,
    "traffic": "person",
    "client": "curl",
    "variables": "{}",
    "company_kind": "unknown",
}


def event(day: dt.date, **facts: Any) -> dict[str, Any]:
    """One curated event at noon of a day; whatever is not said is an unremarkable download."""
    row = {**DEFAULTS, "event_time": dt.datetime.combine(day, dt.time(12), dt.UTC), **facts}
    row.setdefault("package", row["package_id"])
    return row


def write_lake(root: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Publish events and their daily counts, one file a UTC day."""
    events = pl.DataFrame(
        [{name: row.get(name) for name in EVENTS} for row in rows], schema=EVENTS
    ).with_row_index("row")
    events = events.with_columns(
        event_id=pl.coalesce("event_id", pl.format("00000000-0000-7000-8000-{}", "row")),
        # Without an id, each event is a visitor of its own.
        origin_id=pl.coalesce("origin_id", pl.col("row").cast(pl.UInt64) + 1_000_000),
        endpoint_id=pl.coalesce("endpoint_id", "origin_id"),
        date=pl.col("event_time").dt.date(),
    ).drop("row")
    events = events.sort("date", "package_id", "event_time", maintain_order=True)
    kind = ["date", "counted", "event_type", "origin_id"]
    for flag, keys in (
        ("first_of_type", kind),
        ("first_of_package", [*kind, "package_id"]),
        ("first_of_version", [*kind, "package_id", "version"]),
    ):
        events = events.with_columns(pl.struct(keys).is_first_distinct().alias(flag))
    for (day,), of_day in events.group_by("date"):
        _publish(root / "events", day, of_day.select(EVENTS.names()))
        _publish(root / "daily", day, daily(of_day))
    return root


def daily(events: pl.DataFrame) -> pl.DataFrame:
    """Count one day's events by every cube."""
    cubes = []
    for cube, dimensions in CUBES.items():
        counts = events.group_by(*DAILY_KEYS, *dimensions).agg(
            pl.len().alias("events"), *[pl.col(name).sum() for name in MEASURES[1:]]
        )
        cubes.append(counts.with_columns(cube=pl.lit(cube)))
    return pl.concat(cubes, how="diagonal").select(
        [pl.col(name).cast(kind) for name, kind in DAILY.items()]
    )


def _publish(table: Path, day: object, rows: pl.DataFrame) -> None:
    folder = table / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(folder / "data.parquet")


COMPANIES = (
    ("Initech", "initech.example", "business", None, "US"),
    ("Globex", "globex.example", "business", None, "DE"),
    ("Hooli", "hooli.example", "business", None, "US"),
    ("University of Somewhere", "uni.example", "education", None, "GB"),
    ("Ministry of Maps", "maps.example", "government", None, "FR"),
    ("Amazon", "aws.example", "hosting", "AWS", "US"),
    ("Deutsche Telekom", "telekom.example", "isp", None, "DE"),
    (None, None, "isp", None, "BR"),
    (None, None, "unknown", None, "IN"),
    (None, None, "unknown", None, None),
)
PACKAGES = (
    ("tool", "acme/tool", "docker", "pull"),
    ("cli", "acme-cli", "npm", "install"),
    ("sdk", "acme-sdk", "python", "download"),
    ("desktop", "acme-desktop", "file", "download"),
)
RUNTIMES = (
    ("docker", None, None, "linux", "x86_64"),
    ("containerd", None, None, "linux", "aarch64"),
    ("pip", "CPython", "3.12.1", "linux", "x86_64"),
    ("npm", "Node.js", "20.11.0", "macos", "aarch64"),
    ("curl", None, None, None, None),
)
REFERRERS = (
    (None, None, None),
    ("https://github.com/acme/tool", "github.com", "code"),
    ("https://news.ycombinator.com/item", "news.ycombinator.com", "news"),
    ("https://www.google.com/", "www.google.com", "search"),
)
VERSIONS = (("1.0.0", False), ("1.1.0", False), ("2.0.0-rc.1", True), ("2.0.0", False))


def busy_rows(prefix: str = "", days: int = 40, today: dt.date = TODAY) -> list[dict[str, Any]]:
    """A lake with a bit of everything; the same rows for the same arguments."""
    chance = random.Random(20260331)
    rows = []
    for back, (package_id, package, route_type, event_type) in itertools.product(
        range(days), PACKAGES
    ):
        for _ in range(chance.randrange(4, 14)):
            company, domain, kind, cloud, country = chance.choice(COMPANIES)
            client, runtime, runtime_version, system, arch = chance.choice(RUNTIMES)
            referrer, referrer_domain, referrer_type = chance.choice(REFERRERS)
            version, prerelease = chance.choice(VERSIONS)
            traffic = chance.choices(
                ("person", "ci", "mirror", "bot", "unknown"), (50, 30, 8, 6, 6)
            )[0]
            kinds = (event_type, event_type, event_type, "view", "telemetry", "metadata")
            chosen = chance.choice(kinds)
            city = country == "DE" and chance.random() < 0.5
            rows.append(
                event(
                    today - dt.timedelta(days=back),
                    package_id=prefix + package_id,
                    package=package,
                    route_type=route_type,
                    event_type=chosen,
                    counted=chosen != "metadata" and chance.random() < 0.9,
                    traffic=traffic,
                    ci="github-actions" if traffic == "ci" else None,
                    version=version,
                    version_major=int(version[0]),
                    version_minor=int(version[2]),
                    prerelease=prerelease,
                    client=client,
                    runtime=runtime,
                    runtime_version=runtime_version,
                    os=system,
                    arch=arch,
                    referrer=referrer,
                    referrer_domain=referrer_domain,
                    referrer_type=referrer_type,
                    country=country,
                    city="Berlin" if city else None,
                    region="Berlin" if city else None,
                    latitude=52.5 if city else None,
                    longitude=13.4 if city else None,
                    company=company,
                    company_domain=domain,
                    company_kind=kind,
                    cloud_provider=cloud,
                    origin_id=chance.randrange(400),
                )
            )
    return rows


@pytest.fixture(scope="session")
def busy_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of `busy_rows`, read-only by agreement."""
    return write_lake(tmp_path_factory.mktemp("busy"), busy_rows())
