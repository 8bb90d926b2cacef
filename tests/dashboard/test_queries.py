"""Every number on the pages, against the same number counted one event at a time."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dashboard.filters import Filters
from dashboard.lake import Lake, LakeError, stamp
from dashboard.queries import companies, exporting, overview, places, referrers, runtimes, versions
from pipeline.schema import TRAFFIC
from tests.dashboard.conftest import TODAY, busy_rows, event, write_lake

INSTALLS = {"pull", "download", "install"}
REQUESTS = {*INSTALLS, "metadata", "blob"}
NAMED = {"business", "education", "government"}

CHOICES = {
    "the default": Filters(TODAY - dt.timedelta(days=29), TODAY),
    "one package": Filters(TODAY - dt.timedelta(days=29), TODAY, packages=("tool",)),
    "a week, every request, all traffic": Filters(
        TODAY - dt.timedelta(days=9), TODAY - dt.timedelta(days=3), counted=False, traffic=TRAFFIC
    ),
    "mirrors of two packages": Filters(
        TODAY - dt.timedelta(days=39), TODAY, packages=("cli", "sdk"), traffic=("mirror",)
    ),
}
choices = pytest.mark.parametrize("filters", CHOICES.values(), ids=CHOICES)
EVENTS = busy_rows()


@pytest.fixture(scope="module", params=["from files", "from memory"])
def lake(request: pytest.FixtureRequest, busy_lake: Path) -> Lake:
    """The same answers, whatever they are read from."""
    if request.param == "from files":
        return Lake(busy_lake)
    copied = Lake(busy_lake, settled_seconds=0)
    assert copied.counts is not None
    copied.counts.copy()
    return copied


def left(filters: Filters) -> list[dict[str, Any]]:
    """The events that the filters leave."""
    return [
        row
        for row in EVENTS
        if filters.start <= row["event_time"].date() <= filters.end
        and row["traffic"] in filters.traffic
        and (not filters.packages or row["package_id"] in filters.packages)
    ]


def measured(filters: Filters) -> list[dict[str, Any]]:
    """Those that are an install, or a request."""
    return [
        row
        for row in left(filters)
        if (
            row["counted"] and row["event_type"] in INSTALLS
            if filters.counted
            else row["event_type"] in REQUESTS
        )
    ]


def counts(rows: Iterable[dict[str, Any]], key: Callable[[dict[str, Any]], Any]) -> Counter[Any]:
    return Counter(key(row) for row in rows)


def pairs(frame: pl.DataFrame, *columns: str) -> dict[Any, int]:
    """A frame's installs by its other columns."""
    keys = frame.select(columns).rows()
    return dict(zip([k[0] if len(k) == 1 else k for k in keys], frame["installs"], strict=True))


def shown_company(row: dict[str, Any]) -> bool:
    return row["company"] is not None and row["company_kind"] in NAMED


@choices
def test_totals(lake: Lake, filters: Filters) -> None:
    rows = measured(filters)
    [totals] = overview.totals(lake, filters).rows(named=True)
    assert totals["installs"] == len(rows) > 0
    assert totals["companies"] == len({row["company"] for row in rows if shown_company(row)})
    assert totals["countries"] == len({row["country"] for row in rows if row["country"]})
    for kind in ("view", "telemetry"):
        expected = sum(row["event_type"] == kind for row in left(filters))
        assert totals["views" if kind == "view" else kind] == expected


def test_uniques_are_origins_of_each_day_by_type(lake: Lake) -> None:
    filters = CHOICES["the default"]
    # The flag is a property of the day before filters: an origin's first row may be hidden traffic.
    first: dict[Any, dict[str, Any]] = {}
    for row in sorted(EVENTS, key=lambda row: row["package_id"]):
        key = (row["event_time"].date(), row["counted"], row["event_type"], row["origin_id"])
        first.setdefault(key, row)
    expected = sum(any(row is one for one in measured(filters)) for row in first.values())
    [totals] = overview.totals(lake, filters).rows(named=True)
    assert totals["uniques"] == expected


def test_uniques_of_one_package_are_its_own(tmp_path: Path) -> None:
    rows = [event(TODAY, package_id=name, origin_id=7) for name in ("a", "b", "a")]
    lake = Lake(write_lake(tmp_path, rows))
    every = Filters(TODAY, TODAY)
    assert overview.totals(lake, every)["uniques"].to_list() == [1]
    assert overview.totals(lake, Filters(TODAY, TODAY, packages=("b",)))["uniques"].to_list() == [1]


@choices
def test_by_day(lake: Lake, filters: Filters) -> None:
    expected = counts(measured(filters), lambda row: (row["event_time"].date(), row["package_id"]))
    assert pairs(overview.by_day(lake, filters), "day", "package_id") == expected


def test_long_periods_are_summed_by_week(lake: Lake) -> None:
    filters = Filters(TODAY - dt.timedelta(days=299), TODAY)
    frame = overview.by_day(lake, filters)
    assert frame["installs"].sum() == len(measured(filters))
    assert {day.weekday() for day in frame["day"]} == {0}


@choices
def test_top_lists(lake: Lake, filters: Filters) -> None:
    rows = measured(filters)
    for what, key in {
        "package": lambda row: row["package"],
        "company": lambda row: row["company"] if shown_company(row) else None,
        "country": lambda row: row["country"],
        "version": lambda row: f"{row['package']} {row['version']}",
    }.items():
        expected = counts(rows, key)
        del expected[None]
        found = overview.top(lake, filters, what, rows=3)
        assert found["installs"].to_list() == [n for _, n in expected.most_common(3)], what
        assert all(expected[name] == n for name, n in pairs(found, "name").items())


@choices
def test_referrers_count_views_as_well(lake: Lake, filters: Filters) -> None:
    installs = counts(measured(filters), lambda row: row["referrer_domain"])
    views = counts(
        (row for row in left(filters) if row["event_type"] == "view"),
        lambda row: row["referrer_domain"],
    )
    found = referrers.by(lake, filters, "domain")
    assert pairs(found, "name") == {name: installs[name] for name in installs | views}
    assert dict(found.select("name", "views").rows()) == {
        name: views[name] for name in installs | views
    }
    pages = referrers.pages(lake, filters)
    assert None not in pages["name"]
    assert pages["installs"].sum() == sum(n for name, n in installs.items() if name)
    types = referrers.by(lake, filters, "type")
    assert types["views"].sum() == views.total()
    over_time = referrers.by_day(lake, filters)
    named = (installs + views).total() - (installs + views)[None]
    assert over_time["installs"].sum() == named


def test_what_is_hidden_is_said(lake: Lake) -> None:
    filters = CHOICES["the default"]
    everything = Filters(filters.start, filters.end, traffic=TRAFFIC)
    expected = counts(measured(everything), lambda row: row["traffic"])
    assert pairs(overview.hidden(lake, filters), "traffic") == expected


@choices
def test_attribution_names_every_install_once(lake: Lake, filters: Filters) -> None:
    def source(row: dict[str, Any]) -> str:
        if shown_company(row):
            return "company"
        if row["cloud_provider"] or row["company_kind"] == "hosting":
            return "cloud"
        return "isp" if row["company_kind"] == "isp" else "unknown"

    assert pairs(companies.attribution(lake, filters), "source") == counts(
        measured(filters), source
    )


@choices
def test_companies(lake: Lake, filters: Filters) -> None:
    rows = [row for row in measured(filters) if shown_company(row)]
    found = companies.table(lake, filters)
    assert pairs(found, "company") == counts(rows, lambda row: row["company"])
    assert not {"Amazon", "Deutsche Telekom"} & set(found["company"])
    trends = dict(companies.trends(lake, filters).rows())
    for line in found.iter_rows(named=True):
        own = [row for row in rows if row["company"] == line["company"]]
        assert line["packages"] == len({row["package_id"] for row in own})
        assert sum(trends[line["company"]]) == line["installs"]
        assert len(trends[line["company"]]) == filters.length
        by_day = companies.by_day(lake, filters, line["company"])
        assert by_day["installs"].sum() == line["installs"]
        for what in ("country", "version", "client"):
            detail = companies.detail(lake, filters, line["company"], what)
            assert detail["installs"].sum() == line["installs"], what


def test_a_company_was_first_seen_before_the_period(lake: Lake) -> None:
    found = companies.table(lake, Filters(TODAY, TODAY))
    assert found["first_seen"].max() < TODAY


def test_an_isp_cannot_be_asked_for_as_a_company(lake: Lake) -> None:
    filters = CHOICES["the default"]
    assert companies.by_day(lake, filters, "Deutsche Telekom").is_empty()
    for what in ("country", "version", "client"):
        assert companies.detail(lake, filters, "Amazon", what).is_empty()


@choices
def test_countries_and_cities(lake: Lake, filters: Filters) -> None:
    rows = measured(filters)
    found = places.countries(lake, filters)
    assert pairs(found, "country") == counts(rows, lambda row: row["country"])
    for code, number in found.select("country", "companies").rows():
        own = {row["company"] for row in rows if row["country"] == code and shown_company(row)}
        assert number == len(own)
    cities = counts((row for row in rows if row["city"]), lambda row: (row["country"], row["city"]))
    assert pairs(places.cities(lake, filters), "country", "city") == cities


@choices
def test_runtimes(lake: Lake, filters: Filters) -> None:
    rows = measured(filters)
    keys: dict[str, Callable[[dict[str, Any]], Any]] = {
        "client": lambda row: row["client"],
        "os": lambda row: row["os"],
        "arch": lambda row: row["arch"],
        "runtime": lambda row: {
            None: None, "CPython": "CPython 3.12", "Node.js": "Node.js 20.11",
        }[row["runtime"]],
    }  # fmt: skip
    for dimension, key in keys.items():
        assert pairs(runtimes.by(lake, filters, dimension), "name") == counts(rows, key)
    assert runtimes.clients_by_day(lake, filters)["installs"].sum() == len(rows)
    assert runtimes.ci(lake, filters)["installs"].sum() == sum(
        row["ci"] is not None for row in rows
    )
    assert pairs(runtimes.traffic(lake, filters), "name") == counts(
        rows, lambda row: row["traffic"]
    )


@pytest.mark.parametrize(
    ("version", "name"),
    [("3.12.1", "X 3.12"), ("21", "X 21"), (None, "X"), ("v8", "X"), ("", "X")],
)
def test_a_runtime_is_named_with_its_minor(tmp_path: Path, version: str | None, name: str) -> None:
    lake = Lake(write_lake(tmp_path, [event(TODAY, runtime="X", runtime_version=version)]))
    assert runtimes.by(lake, Filters(TODAY, TODAY), "runtime")["name"].to_list() == [name]


@choices
def test_versions_of_one_package(lake: Lake, filters: Filters) -> None:
    package = filters.packages[0] if filters.packages else "sdk"
    rows = [row for row in measured(filters) if row["package_id"] == package]
    found = versions.table(lake, filters, package)
    assert pairs(found, "version") == counts(rows, lambda row: row["version"])
    assert dict(found.select("version", "prerelease").rows()).get("2.0.0-rc.1", True)
    majors = counts(rows, lambda row: (row["event_time"].date(), f"v{row['version'][0]}"))
    assert pairs(versions.by_day(lake, filters, package, "major"), "day", "name") == majors
    assert versions.by_day(lake, filters, package, "version")["installs"].sum() == len(rows)
    assert pairs(versions.clients(lake, filters, package), "name") == counts(
        rows, lambda row: row["client"]
    )


@choices
def test_the_size_of_an_export(lake: Lake, filters: Filters) -> None:
    expected = sum(row["counted"] or not filters.counted for row in left(filters))
    assert exporting.size(lake, filters)["events"].to_list() == [expected]


def test_packages_are_ranked_and_named(lake: Lake) -> None:
    found = overview.packages(lake)
    everything = [row for row in EVENTS if row["counted"] and row["event_type"] in INSTALLS]
    assert pairs(found, "package_id") == counts(everything, lambda row: row["package_id"])
    assert found["installs"].is_sorted(descending=True)
    assert dict(found.select("package_id", "package").rows())["tool"] == "acme/tool"


def test_the_newest_event(lake: Lake) -> None:
    [newest] = overview.newest_event(lake)["newest"].to_list()
    assert newest == dt.datetime.combine(TODAY, dt.time(12), dt.UTC)


@pytest.mark.parametrize("broken", ["'; DROP VIEW daily; --", "%", "tool' OR '1'='1"])
def test_what_a_reader_types_is_only_compared(lake: Lake, broken: str) -> None:
    filters = Filters(TODAY, TODAY, packages=(broken,))
    assert overview.by_day(lake, filters).is_empty()
    assert companies.by_day(lake, CHOICES["the default"], broken).is_empty()
    assert versions.table(lake, CHOICES["the default"], broken).is_empty()


def test_an_empty_lake_answers_with_the_same_columns(lake: Lake, tmp_path: Path) -> None:
    nowhere, filters = Lake(tmp_path / "none"), CHOICES["the default"]
    for question in (
        overview.totals, overview.hidden, overview.by_day, companies.attribution, companies.table,
        companies.trends, places.countries, places.cities, runtimes.clients_by_day, runtimes.ci,
        runtimes.traffic, referrers.pages, referrers.by_day, exporting.size,
    ):  # fmt: skip
        empty, full = question(nowhere, filters), question(lake, filters)
        assert empty.schema == full.schema, question
    assert overview.packages(nowhere).is_empty()
    assert overview.newest_event(nowhere)["newest"].to_list() == [None]


def test_the_first_day_is_seen_as_soon_as_it_is_there(tmp_path: Path) -> None:
    lake, filters = Lake(tmp_path), Filters(TODAY, TODAY)
    assert overview.totals(lake, filters)["installs"].to_list() == [0]
    before = stamp(tmp_path)
    write_lake(tmp_path, [event(TODAY)])
    assert stamp(tmp_path) != before
    assert overview.totals(lake, filters)["installs"].to_list() == [1]


def test_a_replaced_day_is_seen(tmp_path: Path) -> None:
    lake, filters = Lake(write_lake(tmp_path, [event(TODAY)])), Filters(TODAY, TODAY)
    assert overview.totals(lake, filters)["installs"].to_list() == [1]
    new = write_lake(tmp_path / "new", [event(TODAY)] * 3)
    before = stamp(tmp_path)
    for table in ("events", "daily"):
        file = f"{table}/date={TODAY}/data.parquet"
        (new / file).replace(tmp_path / file)
    assert stamp(tmp_path) != before
    assert overview.totals(lake, filters)["installs"].to_list() == [3]


def test_a_purged_lake_is_empty_again(tmp_path: Path) -> None:
    lake, filters = Lake(write_lake(tmp_path, [event(TODAY)])), Filters(TODAY, TODAY)
    assert overview.totals(lake, filters)["installs"].to_list() == [1]
    for file in tmp_path.glob("*/date=*/data.parquet"):
        file.unlink()
        file.parent.rmdir()
    assert overview.totals(lake, filters)["installs"].to_list() == [0]


def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    lake = Lake(write_lake(tmp_path, [event(TODAY)]))
    file = tmp_path / f"daily/date={TODAY}/data.parquet"
    file.write_bytes(b"PAR1 half a file")
    with pytest.raises(LakeError, match=r"data\.parquet.*rebuild --data"):
        overview.totals(lake, Filters(TODAY, TODAY))
