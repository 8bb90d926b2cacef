"""What every question has in common: which rows the filters leave, and how rows add up.

SQL is put together from the fixed pieces here; what a reader chose is always bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import polars as pl

from dashboard.filters import Filters
from pipeline.schema import TRAFFIC

# What a counted row of these types is, is one install. Views and telemetry count as themselves.
INSTALL_TYPES: Final = ("pull", "download", "install")
# What else belongs to fetching a package: shown when rows that are no install are asked for.
REQUEST_TYPES: Final = (*INSTALL_TYPES, "metadata", "blob")

# A connection's provider, a cloud or nobody known is never shown as a company.
COMPANY_KINDS: Final = ("business", "education", "government")


class Source(Protocol):
    """Anything that answers SQL over `events` and `daily`."""

    def ask(self, sql: str, values: Mapping[str, Any]) -> pl.DataFrame:
        """Answer one query with its bound values."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The SQL pieces of one choice, and the values bound to them."""

    within: str  # dates, packages and traffic
    measure: str  # the rows that count as the thing counted
    origins: str  # the flag whose sum is the daily uniques
    values: dict[str, Any] = field(default_factory=dict)

    def plus(self, **values: Any) -> dict[str, Any]:
        """Bind further values beside the filters' own."""
        return {**self.values, **values}


def scope(filters: Filters, *, dates: bool = True) -> Scope:
    """Turn a choice into SQL. Without dates, the whole lake is looked at."""
    conditions = ["TRUE"]
    values: dict[str, Any] = {}
    if dates:
        conditions.append("date BETWEEN $start AND $end")
        values |= {"start": filters.start, "end": filters.end}
    if filters.packages:
        conditions.append("package_id = ANY($packages)")
        values["packages"] = list(filters.packages)
    if set(filters.traffic) != set(TRAFFIC):
        conditions.append("traffic = ANY($traffic)")
        values["traffic"] = list(filters.traffic)
    return Scope(
        within=" AND ".join(conditions),
        measure=measure(counted=filters.counted),
        # Flags are per origin and day. With packages picked, an origin counts once for each.
        origins="first_of_package" if filters.packages else "first_of_type",
        values=values,
    )


def measure(*, counted: bool) -> str:
    """The condition that makes a row one install, or one request."""
    types = ", ".join(f"'{name}'" for name in (INSTALL_TYPES if counted else REQUEST_TYPES))
    return f"(counted AND event_type IN ({types}))" if counted else f"(event_type IN ({types}))"


def company_shown() -> str:
    """The condition under which a row's company may be named."""
    kinds = ", ".join(f"'{kind}'" for kind in COMPANY_KINDS)
    return f"(company IS NOT NULL AND company_kind IN ({kinds}))"
