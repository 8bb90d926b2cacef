"""Text as numbers while a pass is under way.

The texts of a day are few and come often. As numbers they are sorted, compared, grouped, looked up
and written several times faster, and take a quarter of the memory. Nothing of it shows in a file:
there a text is a text. An event's id is no such text, since no two rows share one.
"""

from typing import Final

import polars as pl

# The numbers mean something only inside this process, and are forgotten with the last row.
TEXT: Final = pl.Categorical()

_NEVER: Final = frozenset({"event_id"})


def coded(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The same rows, with texts as numbers."""
    texts = [
        name
        for name, dtype in frame.collect_schema().items()
        if dtype == pl.String and name not in _NEVER
    ]
    return frame.with_columns(pl.col(texts).cast(TEXT))


def in_schema(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """The columns of a schema, null where the frame lacks one; texts stay as the frame has them."""
    known = frame.collect_schema()
    text = TEXT if TEXT in known.dtypes() else pl.String()

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        wanted = text if dtype == pl.String and name not in _NEVER else dtype
        if name not in known:
            return pl.lit(None, wanted).alias(name)
        return pl.col(name) if known[name] == wanted else pl.col(name).cast(wanted)

    return frame.select(column(name, dtype) for name, dtype in schema.items())


def plain(expr: pl.Expr) -> pl.Expr:
    """Text as text, for what only text can be asked."""
    return expr.cast(pl.String)
