"""Export: the events behind the pages, as a file or as a command."""

from typing import Final

import streamlit as st

from dashboard import commands, exports, sidebar, warehouse, words
from dashboard.export_columns import ColumnSet
from dashboard.export_formats import MEDIA_TYPES, Format
from dashboard.filters import Filters
from dashboard.queries import exporting
from dashboard.views import parts

FORMATS: Final[dict[Format, str]] = {"csv": "CSV", "parquet": "Parquet", "ndjson": "NDJSON"}
COLUMNS: Final[dict[ColumnSet, str]] = {
    "all": "Every column",
    "scarf": "As Scarf names them",
}
# A download through the page is held in memory; the command line streams.
MOST_EVENTS: Final = 500_000


def download(filters: Filters, output: Format, columns: ColumnSet, events: int) -> None:
    """The button, or the reason why there is none."""
    number = words.plural(events, "event")
    if events == 0:
        parts.nothing(filters)
        return
    if events > MOST_EVENTS:
        st.info(
            f"{number} are too many for a download through this page (at most "
            f"{words.count(MOST_EVENTS)}). The commands below stream any number."
        )
        return

    def prepare() -> bytes:
        return b"".join(exports.export(warehouse.root(), selection(filters), columns, output))

    st.download_button(
        f"Download {number}",
        prepare,
        commands.file_name(filters, output),
        MEDIA_TYPES[output],
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def selection(filters: Filters) -> exports.Selection:
    """The filters as an export says them."""
    return exports.Selection(
        first=filters.start,
        last=filters.end,
        packages=filters.packages,
        traffic=filters.traffic if filters.hidden else (),
        counted_only=filters.counted,
    )


def page(filters: Filters) -> None:
    """Choose, download, or copy the command."""
    left, right = st.columns([1, 2])
    output = left.segmented_control(
        "Format", list(FORMATS), format_func=FORMATS.__getitem__, default="csv", required=True
    )
    columns = right.segmented_control(
        "Columns", list(COLUMNS), format_func=COLUMNS.__getitem__, default="all", required=True
    )
    chosen = warehouse.within_lake(filters)
    events = int(warehouse.ask(exporting.size, chosen)["events"][0])
    output, columns = output or "csv", columns or "all"
    download(chosen, output, columns, events)
    with st.container(border=True, key="card-command"):
        st.subheader("The same on a command line", anchor=False)
        st.code(commands.export_command(warehouse.root(), chosen, output, columns), "shell")
        st.subheader("The same from the API", anchor=False)
        st.code(commands.curl(warehouse.settings().api, chosen, output, columns), "shell")
        st.caption(
            "`python -m dashboard token NAME` makes a token. Exports hold one row an event, with "
            "no address and no user agent in it; ids never outlive a day."
        )


filters = sidebar.current()
parts.heading("Export", filters)
if parts.ready():
    page(filters)
