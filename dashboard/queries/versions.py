"""Which versions are installed, and how fast people move on. One package at a time."""

import polars as pl

from dashboard.filters import Filters
from dashboard.queries.scope import Source, scope

# An origin that installs two versions of a package in a day is one of each.
_ORIGINS = "first_of_version"


def table(lake: Source, filters: Filters, package: str) -> pl.DataFrame:
    """A package's versions with their numbers; a null version is a request that named none."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT version, any_value(version_major) AS major, any_value(version_minor) AS minor,
               bool_or(prerelease) AS prerelease,
               sum(events)::BIGINT AS installs, sum({_ORIGINS})::BIGINT AS uniques,
               min(date) AS first_seen, max(date) AS last_seen
        FROM daily
        WHERE cube = 'version' AND package_id = $package AND {s.within} AND {s.measure}
        GROUP BY version ORDER BY installs DESC, version
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(package=package),
    )


def by_day(lake: Source, filters: Filters, package: str, by: str) -> pl.DataFrame:
    """A package's installs over time by `version` or by `major`."""
    name = {
        "version": "coalesce(version, 'unknown')",
        "major": "coalesce('v' || version_major, 'other')",
    }[by]
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT date_trunc($grain, date)::DATE AS day, {name} AS name,
               sum(events)::BIGINT AS installs
        FROM daily
        WHERE cube = 'version' AND package_id = $package AND {s.within} AND {s.measure}
        GROUP BY ALL ORDER BY day, name
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(package=package, grain=filters.grain),
    )


def clients(lake: Source, filters: Filters, package: str) -> pl.DataFrame:
    """How a package is installed, by client."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT coalesce(client, 'unknown') AS name, sum(events)::BIGINT AS installs
        FROM daily
        WHERE cube = 'version' AND package_id = $package AND {s.within} AND {s.measure}
        GROUP BY 1 ORDER BY installs DESC, name
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(package=package),
    )
