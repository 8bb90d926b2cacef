"""Work done once for each distinct value of a column, not once for each row.

User agents and versions repeat a thousandfold, and reading one costs a microsecond or thirty.
"""

from collections.abc import Callable

import polars as pl


def per_distinct(
    column: str, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType
) -> pl.Expr:
    """Map a column by `read`, which is given distinct values and answers in their order.

    Runs batch by batch, so the streaming engine keeps its bounded memory.
    """

    def read_batch(values: pl.Series) -> pl.Series:
        distinct = values.unique()
        table = pl.DataFrame({"value": distinct, "answer": read(distinct)})
        return (
            pl.DataFrame({"value": values})
            .join(table, on="value", how="left", nulls_equal=True, maintain_order="left")
            .get_column("answer")
            .alias(values.name)
        )

    return pl.col(column).map_batches(read_batch, return_dtype=dtype, is_elementwise=True)
