"""The lake as the pages see it: answers kept until the lake changes, and failures said in words."""

import argparse
import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from dashboard import lake as lakes
from dashboard import palette
from dashboard.filters import Calendar, Filters
from dashboard.lake import LakeError
from dashboard.queries import overview
from pipeline.schema import DEMO_PREFIX


@dataclass(frozen=True, slots=True)
class Settings:
    """What the pages are told when they are started."""

    data: Path
    api: str  # base URL of the API, for the commands that a page shows


def settings() -> Settings:
    """Read what follows the dashes of `streamlit run app.py -- --data DIR --api URL`."""
    parser = argparse.ArgumentParser(prog="dashboard/app.py")
    parser.add_argument("--data", type=Path, default=Path("data/lake"))
    parser.add_argument("--api", default="http://127.0.0.1:8090")
    return Settings(**vars(parser.parse_args(sys.argv[1:])))


def root() -> Path:
    """The data directory."""
    return settings().data


def ask(question: Callable[..., pl.DataFrame], *choice: Any) -> pl.DataFrame:
    """Ask one of `dashboard.queries`. Asked again with nothing new in the lake, the answer is kept.

    The choice is part of the key by its `repr`, so it must be made of values.
    """
    data = root()
    key = f"{question.__module__}.{question.__qualname__}{choice!r}"
    return _answer(str(data), _stamp(str(data)), key, question, choice)


def calendar() -> Calendar:
    """Today in UTC, and the first day that the lake holds."""
    today = dt.datetime.now(dt.UTC).date()
    first = packages()["first_day"].min()
    return Calendar(today, first if isinstance(first, dt.date) else today)


def packages() -> pl.DataFrame:
    """Every package in the lake, most installed first."""
    return ask(overview.packages)


def package_names() -> dict[str, str]:
    """Names by id, in the same order. Two ids of one name are told apart by the id."""
    rows = packages().select("package_id", "package").rows()
    names = [name for _, name in rows]
    return {key: name if names.count(name) == 1 else f"{name} ({key})" for key, name in rows}


def ink() -> palette.Palette:
    """The palette of the reader's theme."""
    return palette.DARK if st.context.theme.type == "dark" else palette.LIGHT


def package_colours(shown: list[str]) -> dict[str, str]:
    """The colour of each shown package id, the same on every page."""
    return palette.assign(ink(), shown, packages()["package_id"].to_list())


def is_empty() -> bool:
    """Whether there is nothing at all to show yet."""
    return packages().is_empty()


def holds_demo() -> bool:
    """Whether any package was made up by the demo."""
    return bool(packages()["package_id"].str.starts_with(DEMO_PREFIX).any())


def within_lake(filters: Filters) -> Filters:
    """The choice without the days before the lake began, for charts over all time."""
    first = min(calendar().earliest, filters.end)
    return replace(filters, start=max(filters.start, first)) if filters.preset == "all" else filters


@contextmanager
def failures_in_words() -> Iterator[None]:
    """Show what went wrong and what helps, where else a traceback would be."""
    try:
        yield
    except LakeError as error:
        st.error(str(error), icon=":material/error:", title="The data could not be read")


@st.cache_data(ttl=1, max_entries=8, show_spinner=False)
def _stamp(data: str) -> tuple[int, int]:
    # Looking at every day's folder is cheap, but not free, and a page asks a dozen questions.
    return lakes.stamp(Path(data))


@st.cache_data(ttl=600, max_entries=1000, show_spinner=False)
def _answer(
    data: str,
    stamp: tuple[int, int],  # noqa: ARG001  part of the key: a changed lake asks again
    key: str,  # noqa: ARG001  part of the key: says the question and the choice
    _question: Callable[..., pl.DataFrame],
    _choice: tuple[Any, ...],
) -> pl.DataFrame:
    return _question(lakes.shared(data), *_choice)
