"""Who installs: companies where the network names one, and how much of the traffic that is."""

import polars as pl

from dashboard.filters import Filters
from dashboard.queries.scope import Source, company_shown, scope


def attribution(lake: Source, filters: Filters) -> pl.DataFrame:
    """Installs by what kind of network they came from, in a fixed order."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT CASE WHEN {company_shown()} THEN 'company'
                    WHEN cloud_provider IS NOT NULL OR company_kind = 'hosting' THEN 'cloud'
                    WHEN company_kind = 'isp' THEN 'isp'
                    ELSE 'unknown' END AS source,
               sum(events)::BIGINT AS installs
        FROM daily WHERE cube = 'company' AND {s.within} AND {s.measure}
        GROUP BY source
        ORDER BY list_position(['company', 'cloud', 'isp', 'unknown'], source)
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )


def table(lake: Source, filters: Filters, rows: int = 1000) -> pl.DataFrame:
    """Companies with their numbers in the period; first and last seen are of the whole lake."""
    s, ever = scope(filters), scope(filters, dates=False)
    return lake.ask(
        f"""
        WITH inside AS (
          SELECT company, date, package_id, company_domain, company_kind,
                 events, {s.origins} AS origins
          FROM daily WHERE cube = 'company' AND {company_shown()} AND {s.within} AND {s.measure}
        ), ranked AS (
          SELECT company, any_value(company_domain) AS domain, any_value(company_kind) AS kind,
                 sum(events)::BIGINT AS installs, sum(origins)::BIGINT AS uniques,
                 count(DISTINCT package_id) AS packages
          FROM inside GROUP BY company ORDER BY installs DESC, company LIMIT $rows
        ), seen AS (
          SELECT company, min(date) AS first_seen, max(date) AS last_seen
          FROM daily WHERE cube = 'company' AND {company_shown()} AND {ever.within} AND {s.measure}
          GROUP BY company
        )
        SELECT * FROM ranked JOIN seen USING (company) ORDER BY installs DESC, company
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(rows=rows),
    )


def trends(lake: Source, filters: Filters) -> pl.DataFrame:
    """Installs over time, one row a company: a list with a place for every step."""
    s = scope(filters)
    return lake.ask(
        f"""
        WITH steps AS (
          SELECT DISTINCT date_trunc($grain, day)::DATE AS step
          FROM (SELECT unnest(generate_series($start::DATE, $end::DATE, INTERVAL 1 DAY)) AS day)
        ), counts AS (
          SELECT company, date_trunc($grain, date)::DATE AS step, sum(events)::BIGINT AS installs
          FROM daily WHERE cube = 'company' AND {company_shown()} AND {s.within} AND {s.measure}
          GROUP BY ALL
        )
        SELECT company, list(coalesce(installs, 0) ORDER BY step) AS trend
        FROM (SELECT DISTINCT company FROM counts) CROSS JOIN steps
        LEFT JOIN counts USING (company, step) GROUP BY company ORDER BY company
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(grain=filters.grain),
    )


def by_day(lake: Source, filters: Filters, company: str) -> pl.DataFrame:
    """One company's installs over time by package."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT date_trunc($grain, date)::DATE AS day, package_id,
               arg_max(package, date) AS package, sum(events)::BIGINT AS installs
        FROM daily
        WHERE cube = 'company' AND company = $company AND {company_shown()}
          AND {s.within} AND {s.measure}
        GROUP BY ALL ORDER BY day, package_id
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(grain=filters.grain, company=company),
    )


def detail(lake: Source, filters: Filters, company: str, what: str) -> pl.DataFrame:
    """One company's countries, versions or clients: name, installs, daily uniques."""
    s = scope(filters)
    where = f"company = $company AND {company_shown()} AND {s.within} AND {s.measure}"
    if what == "country":
        return lake.ask(
            f"""
            SELECT coalesce(country, '') AS name, sum(events)::BIGINT AS installs,
                   sum({s.origins})::BIGINT AS uniques
            FROM daily WHERE cube = 'company_country' AND {where}
            GROUP BY 1 ORDER BY installs DESC, name LIMIT 20
            """,  # noqa: S608  fixed pieces; values are bound
            s.plus(company=company),
        )
    name = {"version": "package || ' ' || version", "client": "client"}[what]
    return lake.ask(
        f"""
        SELECT {name} AS name, count(*) AS installs,
               count(*) FILTER ({s.origins}) AS uniques
        FROM events WHERE {where} AND {name} IS NOT NULL
        GROUP BY 1 ORDER BY installs DESC, name LIMIT 20
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(company=company),
    )
