"""A lake of years, made in a minute: events as curation leaves them, counts as the pipeline counts.

The columns have about as many different values as a popular project sees, because that, and not
the number of events, is what a page over the daily tables costs. Forty packages, of which a few are
most of the traffic; 3,000 networks in 60 countries and 1,200 cities; 600 companies; a release of
every package each three weeks; a referrer behind one install in forty and most page views.
"""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl

from pipeline import publish
from pipeline.count import with_firsts
from pipeline.lake import Lake
from pipeline.order import ORDER
from pipeline.rollup import rollup
from pipeline.schema import EVENTS

PACKAGES, NETWORKS, COUNTRIES, CITIES, COMPANIES = 40, 3_000, 60, 1_200, 600
PAGES, DOMAINS = 800, 150
RELEASE_DAYS = 21
EVENTS_OF_AN_ORIGIN = 4
KINDS = ("business", "isp", "hosting", "education", "government", "unknown")
REFERRERS = ("search", "social", "code", "docs", "registry", "news", "own", "other")
CI = ("github-actions", "gitlab-ci", "circleci", "jenkins", "azure-pipelines", "unknown")
# Client, runtime, its version, system: what comes together.
CLIENTS = [
    *(("pip", "CPython", f"3.{minor}.{patch}", "Linux")
      for minor in range(9, 14) for patch in range(8)),
    *(("uv", "CPython", f"3.{minor}.1", "macOS") for minor in range(10, 14)),
    *(("npm", "Node.js", f"{major}.{minor}.0", system)
      for major in (18, 20, 22) for minor in range(6) for system in ("Linux", "macOS", "Windows")),
    *((name, None, None, "Linux") for name in ("docker", "containerd", "podman", "curl", "wget")),
]  # fmt: skip


def make(root: Path, events: int, days: int, last: dt.date, seed: int = 1) -> None:
    """Fill `root` with as many days up to `last`, all about as busy."""
    lake = Lake(root)
    each = max(1, events // days)
    for back in range(days):
        day = last - dt.timedelta(days=back)
        file = lake.events_file(day)
        publish.replace(with_firsts(_events(day, days - back, each, seed + back).lazy()), file)
        publish.replace(rollup(pl.scan_parquet(file)), lake.daily_file(day))


def _events(day: dt.date, age: int, rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    origins = _origins(random, max(1, rows // EVENTS_OF_AN_ORIGIN))
    package = np.minimum(random.zipf(1.4, rows), PACKAGES) - 1
    # Most take the newest release, and a few any older one.
    newest = age // RELEASE_DAYS
    release = np.maximum(0, newest - random.geometric(0.4, rows) + 1)
    drawn = pl.DataFrame(
        {
            "package_number": package,
            "release": release,
            "second": random.uniform(0, 86_400, rows),
            "chance": random.random(rows),
            "page": np.minimum(random.zipf(1.3, rows), PAGES),
            "salt": random.integers(0, 2**63, rows),
        }
    ).with_columns(origins[pl.Series(random.integers(0, origins.height, rows))])
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    number = pl.col("package_number")
    is_view, is_metadata = pl.col("chance") < 0.05, pl.col("chance") > 0.8
    is_pull = number % 3 == 0
    has_page = pl.when(is_view).then(pl.col("salt") % 3 > 0).otherwise(pl.col("salt") % 40 == 0)
    domain = pl.col("page") % DOMAINS
    made = drawn.with_columns(
        event_id=pl.format("{}-{}", pl.lit(day.isoformat()), pl.col("salt")),
        event_time=midnight + pl.duration(microseconds=pl.col("second") * 1_000_000),
        event_type=pl.when(is_view).then(pl.lit("view"))
        .when(is_metadata).then(pl.lit("metadata"))
        .when(is_pull).then(pl.lit("pull")).otherwise(pl.lit("download")),
        route_type=pl.when(is_pull).then(pl.lit("docker")).otherwise(pl.lit("python")),
        package_id=pl.format("acme/package-{}", number),
        package=pl.format("acme/package-{}", number),
        host=pl.lit("get.acme.example"),
        artifact=pl.format("package-{}.tar.gz", number),
        version=pl.format("{}.{}.0", pl.col("release") // 12, pl.col("release") % 12),
        version_major=pl.col("release") // 12,
        version_minor=pl.col("release") % 12,
        prerelease=pl.lit(value=False),
        method=pl.lit("GET"),
        status=pl.when(is_view).then(200).otherwise(307),
        counted=~(is_view | is_metadata),
        variables=pl.lit("{}"),
        referrer=pl.when(has_page).then(pl.format("https://site-{}.example/{}", domain, "page")),
        referrer_domain=pl.when(has_page).then(pl.format("site-{}.example", domain)),
        referrer_type=pl.when(has_page).then(_one_of(REFERRERS, domain)),
    )  # fmt: skip
    return made.select(
        (pl.col(name) if name in made.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in EVENTS.items()
    ).sort(ORDER)


def _origins(random: np.random.Generator, count: int) -> pl.DataFrame:
    """Who asked that day; what is known of them is the same for all their rows."""
    drawn = pl.DataFrame(
        {
            "network": np.minimum(random.zipf(1.15, count), NETWORKS),
            "client_number": random.integers(0, len(CLIENTS), count),
            "chance": random.random(count),
            "origin_id": random.integers(0, 2**63, count),
        }
    )
    network, chance = pl.col("network"), pl.col("chance")
    kind = _one_of(KINDS, network)
    owned = ~kind.is_in(["isp", "hosting", "unknown"])
    number = network % COMPANIES
    traffic = pl.when(chance < 0.55).then(pl.lit("person")).when(chance < 0.85).then(pl.lit("ci"))
    client = [pl.Series([row[at] for row in CLIENTS]) for at in range(4)]
    city = network % CITIES
    return drawn.select(
        "origin_id",
        pl.col("origin_id").alias("endpoint_id"),
        traffic.when(chance < 0.92).then(pl.lit("mirror")).otherwise(pl.lit("bot"))
        .alias("traffic"),
        pl.when(chance.is_between(0.55, 0.85)).then(_one_of(CI, network)).alias("ci"),
        *(
            pl.lit(values).gather(pl.col("client_number")).alias(name)
            for name, values in zip(
                ("client", "runtime", "runtime_version", "os"), client, strict=True
            )
        ),
        _one_of(("amd64", "arm64"), network).alias("arch"),
        pl.format("C{}", network % COUNTRIES).alias("country"),
        pl.when(network % 3 > 0).then(pl.format("City {}", city)).alias("city"),
        pl.when(network % 3 > 0).then(pl.lit("Region")).alias("region"),
        pl.when(network % 3 > 0).then(city / 10 - 60).alias("latitude"),
        pl.when(network % 3 > 0).then(city / 10).alias("longitude"),
        network.alias("asn"),
        pl.format("Network {}", network).alias("as_org"),
        kind.alias("company_kind"),
        pl.when(owned).then(pl.format("Company {}", number)).alias("company"),
        pl.when(owned).then(pl.format("company-{}.example", number)).alias("company_domain"),
        pl.when(kind == "hosting").then(pl.lit("AWS")).alias("cloud_provider"),
    )  # fmt: skip


def _one_of(values: tuple[str, ...], number: pl.Expr) -> pl.Expr:
    return pl.lit(pl.Series(values)).gather(number % len(values))
