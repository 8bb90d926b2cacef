"""The command line and the HTTP request that hand out what a page shows, ready to copy."""

import shlex
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from dashboard.export_columns import ColumnSet
from dashboard.export_formats import MEDIA_TYPES, Format
from dashboard.filters import Filters

TOKEN: Final = "$FOOTFALL_TOKEN"  # noqa: S105  the name of a variable, not a token


def export_command(data: Path, filters: Filters, output: Format, columns: ColumnSet = "all") -> str:
    """The shell command that writes the same events to a file."""
    parts = [
        f"python -m dashboard export --data {shlex.quote(str(data))}",
        f"--format {output} --columns {columns} --from {filters.start} --to {filters.end}",
        *(f"--package {shlex.quote(name)}" for name in filters.packages),
    ]
    if filters.hidden:
        parts.append(" ".join(f"--traffic {kind}" for kind in filters.traffic))
    if filters.counted:
        parts.append("--counted")
    parts.append(f"-o {file_name(filters, output)}")
    return " \\\n  ".join(parts)


def curl(api: str, filters: Filters, output: Format, columns: ColumnSet = "all") -> str:
    """The request that gets the same events from the API."""
    query: list[tuple[str, str]] = [
        ("start_date", filters.start.isoformat()),
        ("end_date", filters.end.isoformat()),
        ("columns", columns),
    ]
    if filters.counted:
        query.append(("counted", "true"))
    if filters.hidden:
        query += [("traffic", kind) for kind in filters.traffic]
    query += [("package", name) for name in filters.packages]
    address = f"{api.rstrip('/')}/v2/packages/me/events?{urlencode(query)}"
    return " \\\n  ".join(
        (
            f'curl -fsS -H "Authorization: Bearer {TOKEN}"',
            f"-H 'Accept: {MEDIA_TYPES[output]}'",
            f"-o {file_name(filters, output)}",
            shlex.quote(address),
        )
    )


def file_name(filters: Filters, output: Format) -> str:
    """A name that says what is in the file."""
    return f"footfall-{filters.start}-{filters.end}.{output}"
