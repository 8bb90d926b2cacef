"""Where installs come from."""

import polars as pl

from dashboard.filters import Filters
from dashboard.queries.scope import Source, company_shown, scope


def countries(lake: Source, filters: Filters) -> pl.DataFrame:
    """Countries with installs, daily uniques and how many companies; null is an unknown country."""
    s = scope(filters)
    return lake.ask(
        f"""
        WITH counts AS (
          SELECT country, sum(events)::BIGINT AS installs, sum({s.origins})::BIGINT AS uniques
          FROM daily WHERE cube = 'country' AND {s.within} AND {s.measure} GROUP BY country
        ), firms AS (
          SELECT country, count(DISTINCT company) AS companies
          FROM daily
          WHERE cube = 'company_country' AND {company_shown()} AND {s.within} AND {s.measure}
          GROUP BY country
        )
        SELECT counts.country, installs, uniques, coalesce(companies, 0) AS companies
        FROM counts LEFT JOIN firms ON counts.country IS NOT DISTINCT FROM firms.country
        ORDER BY installs DESC, counts.country
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )


def cities(lake: Source, filters: Filters, rows: int = 200) -> pl.DataFrame:
    """Cities where the IP data knows them, with their centre for the map."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT country, region, city,
               sum(latitude * events) / sum(events) AS latitude,
               sum(longitude * events) / sum(events) AS longitude,
               sum(events)::BIGINT AS installs, sum({s.origins})::BIGINT AS uniques
        FROM daily WHERE cube = 'city' AND city IS NOT NULL AND {s.within} AND {s.measure}
        GROUP BY country, region, city ORDER BY installs DESC, country, city LIMIT $rows
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(rows=rows),
    )
