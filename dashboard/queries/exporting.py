"""How much an export would hold."""

import polars as pl

from dashboard.filters import Filters
from dashboard.queries.scope import Source, scope


def size(lake: Source, filters: Filters) -> pl.DataFrame:
    """One row: how many events of every type the filters leave, counted or only counted ones."""
    s = scope(filters)
    counted = "counted" if filters.counted else "TRUE"
    return lake.ask(
        f"""
        SELECT coalesce(sum(events), 0)::BIGINT AS events
        FROM daily WHERE cube = 'total' AND {s.within} AND {counted}
        """,  # noqa: S608  fixed pieces; values are bound
        s.values,
    )
