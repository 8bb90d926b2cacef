"""Choices and addresses: every address means something, and every choice can be said in one."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.filters import (
    DEFAULT_TRAFFIC,
    KEYS,
    MAX_PACKAGES,
    PRESETS,
    Calendar,
    Filters,
    format_address,
    parse,
    preset_days,
    previous,
)
from pipeline.schema import TRAFFIC

TODAY = dt.date(2026, 3, 31)
CALENDAR = Calendar(TODAY, dt.date(2025, 1, 1))

days = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))
texts = st.text(max_size=20)


@st.composite
def choices(draw: st.DrawFn) -> Filters:
    preset = draw(st.sampled_from([None, *PRESETS]))
    if preset is None:
        start, end = sorted((draw(days), draw(days)))
    else:
        start, end = preset_days(preset, CALENDAR)
    kinds = draw(st.sets(st.sampled_from(TRAFFIC), min_size=1))
    return Filters(
        start=start,
        end=end,
        preset=preset,
        packages=tuple(draw(st.lists(st.text(min_size=1), unique=True, max_size=5))),
        counted=draw(st.booleans()),
        traffic=tuple(kind for kind in TRAFFIC if kind in kinds),
    )


@given(choices())
def test_a_link_reproduces_the_choice(filters: Filters) -> None:
    assert parse(format_address(filters), CALENDAR) == filters


@given(st.dictionaries(st.sampled_from(KEYS) | texts, st.lists(texts, max_size=4)))
def test_every_address_makes_a_valid_choice(address: dict[str, list[str]]) -> None:
    filters = parse(address, CALENDAR)
    assert filters.start <= filters.end
    assert filters.traffic
    assert set(filters.traffic) <= set(TRAFFIC)
    assert all(filters.packages)
    assert parse(format_address(filters), CALENDAR) == filters


@given(choices())
def test_the_previous_period_ends_just_before_and_is_as_long(filters: Filters) -> None:
    before = previous(filters)
    if filters.preset == "all":
        assert before is None
    else:
        assert before is not None
        assert before.length == filters.length
        assert filters.start - before.end == dt.timedelta(days=1)
        assert before.packages == filters.packages


def test_a_plain_address_is_thirty_days_of_what_people_installed() -> None:
    filters = parse({}, CALENDAR)
    assert filters == Filters(dt.date(2026, 3, 2), TODAY, preset="30d")
    assert filters.traffic == DEFAULT_TRAFFIC
    assert filters.hidden == ("mirror", "bot")
    assert format_address(filters) == {}


@pytest.mark.parametrize(
    ("address", "start", "end", "preset"),
    [
        pytest.param({"period": ["today"]}, TODAY, TODAY, "today", id="today is one day"),
        pytest.param({"period": ["all"]}, CALENDAR.earliest, TODAY, "all", id="all of the lake"),
        pytest.param(
            {"from": ["2026-01-05"], "to": ["2026-01-09"], "period": ["7d"]},
            dt.date(2026, 1, 5), dt.date(2026, 1, 9), None, id="days win over a preset",
        ),
        pytest.param(
            {"from": ["2026-01-09"], "to": ["2026-01-05"]},
            dt.date(2026, 1, 5), dt.date(2026, 1, 9), None, id="days in the wrong order",
        ),
        pytest.param(
            {"from": ["2026-03-01"]}, dt.date(2026, 3, 1), TODAY, None, id="until today",
        ),
        pytest.param(
            {"from": ["yesterday"], "period": ["fortnight"]},
            dt.date(2026, 3, 2), TODAY, "30d", id="nonsense",
        ),
        pytest.param(
            {"period": ["7d", "90d"]}, dt.date(2026, 1, 1), TODAY, "90d", id="the last one wins",
        ),
    ],
)  # fmt: skip
def test_periods(
    address: dict[str, list[str]], start: dt.date, end: dt.date, preset: str | None
) -> None:
    filters = parse(address, CALENDAR)
    assert (filters.start, filters.end, filters.preset) == (start, end, preset)


def test_a_link_cannot_name_endless_packages() -> None:
    names = [str(number) for number in range(2 * MAX_PACKAGES)]
    assert len(parse({"package": names}, CALENDAR).packages) == MAX_PACKAGES


def test_the_first_day_there_is_has_no_previous_period() -> None:
    assert previous(Filters(dt.date.min, dt.date.min)) is None


@pytest.mark.parametrize(
    ("length", "grain"), [(1, "day"), (120, "day"), (121, "week"), (800, "week"), (801, "month")]
)
def test_long_periods_take_longer_steps(length: int, grain: str) -> None:
    assert Filters(TODAY - dt.timedelta(days=length - 1), TODAY).grain == grain
