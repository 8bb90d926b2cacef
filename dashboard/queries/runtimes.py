"""What runs the install: clients, language runtimes, systems, processors, CI services."""

from typing import Final

import polars as pl

from dashboard.filters import Filters
from dashboard.queries.scope import Source, scope

# A runtime is named with its minor version, which is what support decisions are made on.
_RUNTIME: Final = (
    "runtime || coalesce(' ' || regexp_extract(runtime_version, '^[0-9]+(?:[.][0-9]+)?'), '')"
)
DIMENSIONS: Final = {"client": "client", "runtime": _RUNTIME, "os": "os", "arch": "arch"}


def by(lake: Source, filters: Filters, dimension: str) -> pl.DataFrame:
    """Installs and daily uniques by one of DIMENSIONS; a null name is one that is not known."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT trim({DIMENSIONS[dimension]}) AS name,
               sum(events)::BIGINT AS installs, sum({s.origins})::BIGINT AS uniques
        FROM daily WHERE cube = 'runtime' AND {s.within} AND {s.measure}
        GROUP BY 1 ORDER BY installs DESC, name
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )


def clients_by_day(lake: Source, filters: Filters) -> pl.DataFrame:
    """Installs over time by client."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT date_trunc($grain, date)::DATE AS day, coalesce(client, 'unknown') AS name,
               sum(events)::BIGINT AS installs
        FROM daily WHERE cube = 'runtime' AND {s.within} AND {s.measure}
        GROUP BY ALL ORDER BY day, name
        """,  # noqa: S608  fixed pieces; values are bound
        s.plus(grain=filters.grain),
    )


def ci(lake: Source, filters: Filters) -> pl.DataFrame:
    """Installs by CI service, of those that name one."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT ci AS name, sum(events)::BIGINT AS installs, sum({s.origins})::BIGINT AS uniques
        FROM daily WHERE cube = 'ci' AND ci IS NOT NULL AND {s.within} AND {s.measure}
        GROUP BY 1 ORDER BY installs DESC, name
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )


def traffic(lake: Source, filters: Filters) -> pl.DataFrame:
    """Installs by kind of traffic, of the kinds shown."""
    s = scope(filters)
    return lake.ask(
        f"""
        SELECT traffic AS name, sum(events)::BIGINT AS installs,
               sum({s.origins})::BIGINT AS uniques
        FROM daily WHERE cube = 'total' AND {s.within} AND {s.measure}
        GROUP BY 1 ORDER BY installs DESC, name
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )
