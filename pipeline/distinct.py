"""Work done once for each distinct value of a column, not once for each row.

User agents and versions repeat a thousandfold, and reading one costs a microsecond or thirty.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from pipeline.coded import TEXT


def per_distinct(
    column: str, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType
) -> pl.Expr:
    """Map a column by `read`, which is given distinct texts and answers in their order.

    Texts of the answer are numbers if those of the column are. Runs batch by batch, so the
    streaming engine keeps its bounded memory.
    """

    def read_batch(values: pl.Series) -> pl.Series:
        distinct = values.unique()
        answer = read(distinct.cast(pl.String))
        if values.dtype == TEXT:
            answer = answer.cast(_coded(dtype))
        return answer.gather(_places(values, distinct)).alias(values.name)

    return pl.col(column).map_batches(
        read_batch, return_dtype=_like(column, dtype), is_elementwise=True
    )


def _places(values: pl.Series, distinct: pl.Series) -> pl.Series:
    """For each value its place among the distinct ones."""
    if values.dtype == TEXT:
        # A table by number beats a join by its hash ten times over.
        numbers, known = (each.to_physical().cast(pl.Int64) + 1 for each in (values, distinct))
        table = np.empty(int(known.max() or 0) + 1, np.uint32)  # type: ignore[arg-type]  # a number
        table[known.fill_null(0).to_numpy()] = np.arange(known.len(), dtype=np.uint32)
        return pl.Series(table[numbers.fill_null(0).to_numpy()])
    table_of = distinct.to_frame("value").with_row_index("place")
    return (
        values.to_frame("value")
        .join(table_of, on="value", how="left", nulls_equal=True, maintain_order="left")
        .get_column("place")
    )


def _coded(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _coded(field.dtype) for field in dtype.fields})  # type: ignore[arg-type]  # instances, all
    return TEXT if dtype == pl.String else dtype


def _like(column: str, dtype: pl.DataType) -> pl.DataTypeExpr:
    if isinstance(dtype, pl.Struct):
        fields = {field.name: _like(column, field.dtype) for field in dtype.fields}  # type: ignore[arg-type]  # instances, all
        return pl.struct_with_fields(fields)
    return pl.dtype_of(column) if dtype == pl.String else dtype.to_dtype_expr()
