"""Who is behind a request: a person, a build machine, a mirror, a bot, or nobody can tell."""

import polars as pl


def with_traffic(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add `traffic`; needs `agent_kind`, `ci`, `event_type`, `company_kind`, `cloud_provider`.

    What a client says of itself comes first. A tool or browser that says nothing more is a
    person's, unless it runs in a data centre, where a server, a build and a tunnelled person look
    alike. A bare HTTP library that fetches files may be anything; one that reports an install is
    the product's own.
    """
    kind = pl.col("agent_kind")
    in_data_centre = pl.col("cloud_provider").is_not_null() | (
        pl.col("company_kind") == "hosting"
    ).fill_null(False)
    is_script = (kind == "library") & pl.col("event_type").is_in(("pull", "download"))
    return events.with_columns(
        traffic=pl.when(kind.is_in(("mirror", "bot")))
        .then(kind)
        .when(pl.col("ci").is_not_null())
        .then(pl.lit("ci"))
        .when(kind.is_null() | (kind == "unknown") | is_script | in_data_centre)
        .then(pl.lit("unknown"))
        .otherwise(pl.lit("person"))
    )
