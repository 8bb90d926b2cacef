"""What led people here: installs and page views by where they came from."""

from typing import Final

import polars as pl

from dashboard.filters import Filters
from dashboard.queries.scope import Source, scope

_VIEW: Final = "event_type = 'view'"


def by(lake: Source, filters: Filters, column: str) -> pl.DataFrame:
    """Installs and views by `referrer_type` or `referrer_domain`; null where none was sent."""
    name = {"type": "referrer_type", "domain": "referrer_domain"}[column]
    kind = "" if column == "type" else ", any_value(referrer_type) AS type"
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT {name} AS name{kind},
               coalesce(sum(events) FILTER ({s.measure}), 0)::BIGINT AS installs,
               coalesce(sum(events) FILTER ({_VIEW}), 0)::BIGINT AS views
        FROM daily WHERE cube = 'referrer' AND {s.within} AND ({s.measure} OR {_VIEW})
        GROUP BY 1 ORDER BY installs + views DESC, name LIMIT 1000
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )


def pages(lake: Source, filters: Filters, rows: int = 200) -> pl.DataFrame:
    """The pages that sent a reader."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT referrer AS name, any_value(referrer_type) AS type,
               coalesce(sum(events) FILTER ({s.measure}), 0)::BIGINT AS installs,
               coalesce(sum(events) FILTER ({_VIEW}), 0)::BIGINT AS views
        FROM daily
        WHERE cube = 'page' AND referrer IS NOT NULL AND {s.within} AND ({s.measure} OR {_VIEW})
        GROUP BY 1 ORDER BY installs + views DESC, name LIMIT $rows
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(rows=rows),
    )


def by_day(lake: Source, filters: Filters) -> pl.DataFrame:
    """Installs and views together over time by type of referrer, of those that have one."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT date_trunc($grain, date)::DATE AS day, referrer_type AS name,
               sum(events)::BIGINT AS installs
        FROM daily
        WHERE cube = 'referrer' AND referrer_type IS NOT NULL AND {s.within}
          AND ({s.measure} OR {_VIEW})
        GROUP BY ALL ORDER BY day, name
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(grain=filters.grain),
    )
