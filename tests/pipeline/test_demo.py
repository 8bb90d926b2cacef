import datetime as dt
import json
import uuid
from pathlib import Path
from typing import get_args

import polars as pl
import pytest

from gateway.events import SCHEMA, RouteType
from pipeline.acme.day import demo_day
from pipeline.acme.people import People
from pipeline.acme.story import days_since_launch, releases_until
from pipeline.clean import split, with_verdict
from pipeline.clients import with_clients
from pipeline.demo import make_demo
from pipeline.schema import DEMO_PREFIX
from pipeline.versions import with_versions

LAUNCH = dt.date(2026, 10, 20)
UNTIL = dt.date(2026, 10, 26)
DAYS = 42


def read(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted((folder / "raw").rglob("*.parquet")), hive_partitioning=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make_demo(folder, days=DAYS, until=UNTIL)
    return folder


@pytest.fixture(scope="module")
def events(folder: Path) -> pl.DataFrame:
    return read(folder)


@pytest.fixture(scope="module")
def people() -> People:
    return People(20)


def by_day(events: pl.DataFrame) -> dict[dt.date, int]:
    return dict(events.group_by(pl.col("event_time").dt.date()).len().iter_rows())


def test_every_file_has_exactly_the_raw_columns(folder: Path) -> None:
    files = list((folder / "raw").rglob("*"))
    parquet = [file for file in files if file.is_file()]
    assert len(parquet) == DAYS
    for file in parquet:
        assert file.suffix == ".parquet"
        assert uuid.UUID(file.stem)
        assert pl.read_parquet_schema(file) == SCHEMA


def test_every_event_lies_in_the_folder_of_its_day(folder: Path) -> None:
    for file in (folder / "raw").rglob("*.parquet"):
        days = pl.read_parquet(file)["event_time"].dt.date().unique().to_list()
        assert [f"date={day}" for day in days] == [file.parent.name]


def test_no_event_breaks_a_rule_of_the_pipeline(events: pl.DataFrame) -> None:
    now = dt.datetime(2026, 10, 27, tzinfo=dt.UTC)
    _, rejected = split(with_verdict(events.lazy(), now).collect(), now)
    assert rejected.is_empty()


def test_every_package_is_marked_as_demo(events: pl.DataFrame) -> None:
    assert events["package_id"].str.starts_with(DEMO_PREFIX).all()
    assert events["host"].str.ends_with(".acme.example").all()


def test_every_route_type_has_events(events: pl.DataFrame) -> None:
    assert set(events["route_type"]) == set(get_args(RouteType))
    assert 8 <= events["package_id"].n_unique() <= 10


def test_ids_are_unique_and_tell_the_time(events: pl.DataFrame) -> None:
    assert events["event_id"].is_unique().all()
    for event_id, time in events.sample(500, seed=1).select("event_id", "event_time").iter_rows():
        parsed = uuid.UUID(event_id)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert parsed.int >> 80 == int(time.timestamp() * 1000)


def test_weekends_are_quieter(events: pl.DataFrame) -> None:
    found = by_day(events)
    saturdays = [day for day in found if day.weekday() == 5 and days_since_launch(day) > 7]
    assert len(saturdays) > 3
    for saturday in saturdays:
        assert found[saturday] < 0.75 * found[saturday - dt.timedelta(days=1)]


def test_a_launch_is_seen_and_is_the_news(events: pl.DataFrame) -> None:
    usual = by_day(events)[LAUNCH - dt.timedelta(days=7)]
    assert by_day(events)[LAUNCH] > 2 * usual
    news = events.filter(pl.col("referrer").str.contains("news.ycombinator.com", literal=True))
    assert by_day(news)[LAUNCH] > 10 * by_day(news).get(LAUNCH - dt.timedelta(days=7), 1)


def test_a_day_has_three_to_five_thousand_events(events: pl.DataFrame) -> None:
    week = [n for day, n in by_day(events).items() if day.weekday() < 5 and day < LAUNCH]
    assert 3000 < sum(week) / len(week) < 5000


def test_people_work_in_their_own_time_zone(events: pl.DataFrame) -> None:
    views = events.filter(pl.col("event_type") == "view")
    hour = views["event_time"].dt.hour()
    for country, working, sleeping in (("US", (14, 24), (5, 11)), ("JP", (0, 9), (15, 21))):
        here = hour.filter(views["country"] == country)
        awake = here.is_between(*working).sum() / (working[1] - working[0])
        asleep = here.is_between(*sleeping).sum() / (sleeping[1] - sleeping[0])
        assert awake > 2 * asleep, country


def test_new_releases_take_over(events: pl.DataFrame) -> None:
    wheels = with_versions(
        events.lazy().filter((pl.col("route_type") == "python") & pl.col("version").is_not_null())
    ).collect()
    share = dict(
        wheels.group_by(pl.col("event_time").dt.date())
        .agg(((pl.col("version_major") == 2) & ~pl.col("prerelease")).mean())
        .iter_rows()
    )
    assert share[LAUNCH - dt.timedelta(days=1)] == 0
    assert 0 < share[LAUNCH] < share[UNTIL] < 1
    assert wheels["prerelease"].any()
    assert wheels["version"].n_unique() > 8


def test_pulls_go_from_tag_to_index_to_platform(events: pl.DataFrame) -> None:
    pulls = events.filter(pl.col("event_type") == "pull")
    assert set(pulls["method"]) == {"GET", "HEAD"}
    resolved = pulls.filter(pl.col("method") == "HEAD")
    assert not resolved["reference"].str.starts_with("sha256:").any()
    variables = [json.loads(text) for text in pulls["variables"]]
    indexes = {told["digest"] for told in variables if "platform" not in told}
    children = [told for told in variables if "platform" in told]
    assert children
    assert all(told["index"] in indexes for told in children)
    assert {told["platform"] for told in children} == {"linux/amd64", "linux/arm64"}


def test_some_downloads_only_ask_and_some_resume(events: pl.DataFrame) -> None:
    files = events.filter(pl.col("route_type") == "file")
    assert (files["method"] == "HEAD").any()
    assert (files["range_start"] > 0).any()


def test_every_user_agent_is_known_to_the_pipeline(events: pl.DataFrame) -> None:
    read_back = with_clients(events.lazy()).collect()
    unread = read_back.filter(pl.col("client").is_null())
    assert unread["user_agent"].unique().to_list() == []
    assert set(read_back["agent_kind"]) >= {"tool", "browser", "library", "mirror", "bot"}
    assert read_back["client"].n_unique() > 30
    assert read_back["ci"].n_unique() > 3


def test_ids_of_visitors_hold_for_a_day_and_no_longer(events: pl.DataFrame) -> None:
    seen = events.group_by("origin_id").agg(
        days=pl.col("event_time").dt.date().n_unique(),
        places=pl.struct("asn", "country").n_unique(),
        agents=pl.col("user_agent").n_unique(),
        endpoints=pl.col("endpoint_id").n_unique(),
        events=pl.len(),
    )
    assert seen.select(pl.col("days", "places", "agents", "endpoints").max()).row(0) == (1, 1, 1, 1)
    assert seen["events"].max() > 3
    shared = events.group_by("endpoint_id").agg(pl.col("origin_id").n_unique())
    assert (shared["origin_id"] > 1).any()


def test_networks_are_many_and_mostly_lines_and_clouds(events: pl.DataFrame) -> None:
    organisations = events["as_org"].value_counts(sort=True)
    assert organisations.height > 200
    assert events["country"].n_unique() > 40
    assert 0.5 < events["city"].is_not_null().mean() < 0.9
    assert events.filter(pl.col("city").is_null())["latitude"].null_count() > 0


def test_making_it_again_changes_nothing(folder: Path, events: pl.DataFrame) -> None:
    before = {file: file.read_bytes() for file in (folder / "raw").rglob("*.parquet")}
    written = make_demo(folder, days=3, until=UNTIL)
    assert written == sum(sorted(by_day(events).items())[-3 + index][1] for index in range(3))
    assert {file: file.read_bytes() for file in (folder / "raw").rglob("*.parquet")} == before


def test_a_day_is_the_same_whenever_it_is_made(people: People, events: pl.DataFrame) -> None:
    again = demo_day(people, LAUNCH)
    assert again.equals(events.filter(pl.col("event_time").dt.date() == LAUNCH))


def test_another_seed_is_another_demo(people: People) -> None:
    day = dt.date(2026, 9, 1)
    other = demo_day(People(21), day)
    assert not set(other["event_id"]) & set(demo_day(people, day)["event_id"])


def test_other_files_of_the_lake_are_left_alone(tmp_path: Path) -> None:
    real = tmp_path / "raw" / f"date={UNTIL}" / "theirs.parquet"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"theirs")
    make_demo(tmp_path, days=1, until=UNTIL)
    assert real.read_bytes() == b"theirs"
    assert len(list(real.parent.iterdir())) == 2


def test_without_an_end_the_last_events_are_of_today_and_none_is_ahead(tmp_path: Path) -> None:
    make_demo(tmp_path, days=2)
    made = read(tmp_path)
    now = dt.datetime.now(dt.UTC)
    latest = made["event_time"].max()
    assert isinstance(latest, dt.datetime)
    assert latest <= now
    # At night there may be a quarter of an hour between two events.
    assert now - latest < dt.timedelta(hours=1)


def test_progress_is_told_by_day(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_demo(tmp_path, days=3, until=UNTIL, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("days", "until", "message"),
    [
        pytest.param(0, UNTIL, "days = 0", id="no-day"),
        pytest.param(90, dt.date(2020, 1, 1), "starts on", id="before-the-story"),
    ],
)
def test_a_demo_that_cannot_be_made_is_refused(
    tmp_path: Path, days: int, until: dt.date, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_demo(tmp_path, days=days, until=until)
    assert not list(tmp_path.iterdir())


def test_releases_are_named_for_each_ecosystem() -> None:
    candidate = next(release for release in releases_until(LAUNCH) if release.candidate)
    assert candidate.semantic.endswith("-rc.1")
    assert candidate.pythonic.endswith("rc1")
    assert candidate.debian.endswith("~rc1-1")
    newest = releases_until(LAUNCH)[-1]
    assert (newest.semantic, newest.pythonic, newest.debian) == ("2.0.0", "2.0.0", "2.0.0-1")
