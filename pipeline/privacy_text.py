"""The auditor's report for a person."""

from collections.abc import Iterator

from pipeline.privacy import Report, Table


def as_text(report: Report) -> str:
    """Write the report in lines."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"Privacy report of {report.lake}, {report.at:%Y-%m-%d %H:%M} UTC"
    yield ""
    yield "What is stored"
    for table in report.tables:
        yield f"  {table.name + '/':<12} {_extent(table)}"
        if table.columns:
            yield from _wrapped(table.columns)
    yield ""
    yield "Salts"
    for salt in report.salts:
        goes = f"destroyed at {salt.destroyed_at:%Y-%m-%d %H:%M}" if salt.destroyed_at else "?"
        yield f"  {salt.period}   made {salt.hours:.1f} hours ago, mode {salt.mode}, {goes}"
    if not report.salts:
        yield f"  none in {report.salts_folder}"
    again = report.ids_on_two_days
    yield (
        "  no visitor's id is met on two days in a row"
        if not again
        else f"  {again:,} ids are met on two days in a row: a salt is in use for longer than a day"
    )
    if report.not_searched:
        yield ""
        yield "Not searched"
        yield from (f"  {each}" for each in report.not_searched)
    yield ""
    if report.broken:
        yield "Broken promises"
        yield from (f"  {each}" for each in report.broken)
    else:
        yield "Every promise that can be seen in the files is kept: no address, e-mail or secret"
        yield "in any column that clients write in, no user agent after curation, nothing kept too"
        yield "long, no salt that should be gone."


def _extent(table: Table) -> str:
    if not table.files:
        return "nothing"
    return f"{table.rows:,} rows in {table.files:,} files, {table.first_day} to {table.last_day}"


def _wrapped(columns: tuple[str, ...]) -> Iterator[str]:
    line = " " * 14
    for column in columns:
        if len(line) + len(column) > 96:  # noqa: PLR2004 the width of a line
            yield line.rstrip()
            line = " " * 14
        line += f"{column}, "
    yield line.rstrip(", ")
