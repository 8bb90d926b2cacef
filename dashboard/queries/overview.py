"""What is in the lake, how much of it, and what leads."""

from dataclasses import replace
from typing import Final

import polars as pl

from dashboard.filters import Filters
from dashboard.queries.scope import Source, company_shown, measure, scope
from pipeline.schema import TRAFFIC

# The cube that answers for each list, and what a row of it is called.
TOP_LISTS: Final = {
    "package": ("total", "package", "TRUE"),
    "company": ("company", "company", company_shown()),
    "country": ("country", "country", "country IS NOT NULL"),
    "referrer": ("referrer", "referrer_domain", "referrer_domain IS NOT NULL"),
    "version": ("version", "version", "version IS NOT NULL"),
}


def packages(lake: Source) -> pl.DataFrame:
    """Every package with its name of today, most installed first: the order that colours follow."""
    return lake.ask(
        f"""
        SELECT package_id,
               arg_max(package, date) AS package,
               coalesce(sum(events) FILTER ({measure(counted=True)}), 0)::BIGINT AS installs,
               min(date) AS first_day,
               max(date) AS last_day
        FROM daily WHERE cube = 'total'
        GROUP BY package_id ORDER BY installs DESC, package_id
        """,  # noqa: S608  fixed pieces
        {},
    )


def newest_event(lake: Source) -> pl.DataFrame:
    """One row with the time of the newest event; null in an empty lake."""
    # Asked in two steps, because only a day that is known beforehand keeps the other files closed.
    last = lake.ask("SELECT max(date) AS day FROM daily WHERE cube = 'total'", {})["day"][0]
    return lake.ask(
        "SELECT max(event_time) AS newest FROM events WHERE date = $last", {"last": last}
    )


def totals(lake: Source, filters: Filters) -> pl.DataFrame:
    """One row: installs, daily uniques, companies, countries, views, telemetry."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT
          coalesce(sum(events) FILTER (cube = 'total' AND {s.measure}), 0)::BIGINT AS installs,
          coalesce(sum({s.origins}) FILTER (cube = 'total' AND {s.measure}), 0)::BIGINT AS uniques,
          count(DISTINCT company) FILTER (
              cube = 'company' AND {s.measure} AND {company_shown()}) AS companies,
          count(DISTINCT country) FILTER (cube = 'country' AND {s.measure}) AS countries,
          coalesce(sum(events) FILTER (cube = 'total' AND event_type = 'view'), 0)::BIGINT AS views,
          coalesce(sum(events) FILTER (
              cube = 'total' AND event_type = 'telemetry'), 0)::BIGINT AS telemetry
        FROM daily
        WHERE cube IN ('total', 'company', 'country') AND {s.within}
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )


def hidden(lake: Source, filters: Filters) -> pl.DataFrame:
    """Kinds of traffic with their installs, shown or not: what a reader does not see."""
    s = scope(replace(filters, traffic=TRAFFIC))
    return lake.ask(
        f"""
        SELECT traffic, sum(events)::BIGINT AS installs
        FROM daily WHERE cube = 'total' AND {s.within} AND {s.measure}
        GROUP BY traffic ORDER BY installs DESC
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )


def by_day(lake: Source, filters: Filters) -> pl.DataFrame:
    """Installs a day (or week, or month) by package. Days without any have no row."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT date_trunc($grain, date)::DATE AS day, package_id,
               arg_max(package, date) AS package, sum(events)::BIGINT AS installs
        FROM daily WHERE cube = 'total' AND {s.within} AND {s.measure}
        GROUP BY ALL ORDER BY day, package_id
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(grain=filters.grain),
    )


def top(lake: Source, filters: Filters, what: str, rows: int = 8) -> pl.DataFrame:
    """One of the TOP_LISTS: name, id, installs and daily uniques, most installs first.

    A version without its package would mean nothing, so its name carries both.
    """
    cube, column, condition = TOP_LISTS[what]
    s = scope(filters)
    # A page's referrer is worth as much for a view as for a download.
    counts = f"({s.measure} OR event_type = 'view')" if what == "referrer" else s.measure
    name = "arg_max(package, date)" if what == "package" else f"any_value({column})"
    identity = {"package": "package_id", "version": "package_id || ' ' || version"}.get(
        what, column
    )
    if what == "version":
        name = "any_value(package) || ' ' || any_value(version)"
    return lake.ask(
        f"""
        SELECT {identity} AS id, {name} AS name,
               sum(events)::BIGINT AS installs, sum({s.origins})::BIGINT AS uniques
        FROM daily WHERE cube = '{cube}' AND {condition} AND {s.within} AND {counts}
        GROUP BY 1 ORDER BY installs DESC, name LIMIT $rows
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(rows=rows),
    )
