"""Explore: SQL over the same tables, kept from everything else."""

from pathlib import Path

import polars as pl
import streamlit as st

from dashboard import charts, explore, export_formats, warehouse, words
from dashboard.explore import Result
from dashboard.views import parts


def editor() -> str:
    """The statement to run: the example until the reader says otherwise."""
    names = list(explore.EXAMPLES)
    example = st.pills(
        "Examples", names, default=names[0], key="example", label_visibility="collapsed",
        required=True,
    )  # fmt: skip
    with st.form("sql", border=False):
        # A key of its own for each example: picking one replaces the text.
        sql = st.text_area(
            "SQL", explore.EXAMPLES[example or names[0]], height=150, key=f"sql_{example}",
            label_visibility="collapsed",
        )  # fmt: skip
        pressed = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
    if pressed:
        st.session_state["explored"] = (example, sql)
    of, explored = st.session_state.get("explored", (None, ""))
    return explored if of == example else explore.EXAMPLES[example or names[0]]


@st.cache_data(ttl=5, max_entries=20, show_spinner="Running the query")
def answer(data: str, sql: str) -> Result:
    """Run it once; drawing the page again does not."""
    return explore.run(Path(data), sql)


def show(result: Result) -> None:
    """The rows, a first chart where one suggests itself, and the download."""
    number = words.plural(result.rows.height, "row")
    cut = " There were more: the answer is cut here." if result.cut else ""
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(f"{number} in {result.seconds:.2f} s.{cut}")
    if not result.rows.is_empty():
        right.download_button(
            "CSV", csv(result), "query.csv", "text/csv", icon=":material/download:",
            on_click="ignore",
        )  # fmt: skip
    figure = charts.quick(result.rows, warehouse.ink())
    if figure is not None:
        parts.show(figure, key="quick", alt="First numbers of the answer")
    days = [name for name, kind in result.rows.schema.items() if kind == pl.Date]
    st.dataframe(
        result.rows,
        hide_index=True,
        column_config={name: st.column_config.DateColumn(format="YYYY-MM-DD") for name in days},
    )


def csv(result: Result) -> bytes:
    """The rows as CSV, marked where a spreadsheet would run a cell; nested values as text."""
    frame = result.rows
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    flat = frame.with_columns(
        [pl.Series(name, [str(value) for value in frame[name]], pl.String) for name in nested]
    )
    return b"".join(export_formats.encode([flat], flat.schema, "csv"))


st.title("Explore", anchor=False)
st.caption(
    "DuckDB SQL over `events` (one row an event) and `daily` (counts by day and cube). Read-only, "
    f"without access to files or network, at most {explore.MAX_SECONDS:g} seconds and "
    f"{words.count(explore.MAX_ROWS)} rows. The filters of the other pages do not apply."
)
if parts.ready():
    statement = editor()
    try:
        show(answer(str(warehouse.root()), statement))
    except explore.QueryError as error:
        st.error(f"```text\n{error}\n```", title="The query did not run")
