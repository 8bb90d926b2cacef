import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coded import TEXT
from pipeline.distinct import per_distinct

ANSWER = pl.Struct({"length": pl.UInt32, "missing": pl.Boolean, "again": pl.String})


def measure(values: pl.Series) -> pl.Series:
    value = pl.col("value")
    return (
        pl.DataFrame({"value": values})
        .select(length=value.str.len_chars(), missing=value.is_null(), again=value)
        .to_struct("answer")
    )


@pytest.mark.parametrize("text", [pl.String, TEXT], ids=str)
@given(st.lists(st.none() | st.sampled_from("ab") | st.text(max_size=3), max_size=30))
def test_every_row_gets_the_answer_to_its_own_value(
    text: pl.DataType, values: list[str | None]
) -> None:
    rows = pl.LazyFrame({"text": values}, schema={"text": pl.String})
    found = (
        rows.cast(text)
        .select(per_distinct("text", measure, ANSWER).alias("answer"))
        .unnest("answer")
    )
    assert found.collect().schema == found.collect_schema()
    assert found.collect().schema["again"] == text
    assert found.collect().rows() == [
        (None if value is None else len(value), value is None, value) for value in values
    ]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_value_is_read_once_in_a_batch(engine: str) -> None:
    asked: list[list[str | None]] = []

    def read(values: pl.Series) -> pl.Series:
        asked.append(values.to_list())
        return measure(values)

    rows = pl.LazyFrame({"text": ["a", None, "b", "a", None] * 200})
    rows.select(per_distinct("text", read, ANSWER)).collect(engine=engine)
    assert asked
    assert all(len(batch) == len(set(batch)) for batch in asked)
