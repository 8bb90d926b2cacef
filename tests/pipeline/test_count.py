"""What counts as one install, as each real client asks for it."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.count import REASONS, with_firsts
from pipeline.curate import curate, enrich
from pipeline.schema import EVENTS
from tests.pipeline.conftest import NOON, raw_frame, raw_row

INDEX, CHILD, ARM, OTHER, OTHER_CHILD = (f"sha256:{letter * 64}" for letter in "abcde")
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"

Request = tuple[float, str, str, dict[str, str]]
Verdict = tuple[str | None, str | None, str | None]

# What a proxying gateway knows of each manifest; a redirecting one knows nothing.
index = {"digest": INDEX, "media_type": OCI_INDEX}
other = {"digest": OTHER, "media_type": OCI_INDEX}
child = {
    "digest": CHILD,
    "media_type": OCI_MANIFEST,
    "platform": "linux/amd64",
    "index": INDEX,
}
arm = {"digest": ARM, "media_type": OCI_MANIFEST, "platform": "linux/arm64/v8", "index": INDEX}
other_child = {**child, "digest": OTHER_CHILD, "index": OTHER}
single = {"digest": CHILD, "media_type": OCI_MANIFEST}

HEAD: Verdict = ("head", "1.0", None)
PART: Verdict = ("part_of_index", None, None)
PART_AMD64: Verdict = ("part_of_index", None, "linux/amd64")
PART_TAGGED: Verdict = ("part_of_index", "1.0", "linux/amd64")
CHECK_AMD64: Verdict = ("version_check", "1.0", "linux/amd64")
PULL: Verdict = (None, "1.0", None)
PULL_AMD64: Verdict = (None, "1.0", "linux/amd64")

SEQUENCES: dict[str, tuple[Sequence[Request], Sequence[Verdict]]] = {
    "dockerd or containerd, cold": (
        [(0, "HEAD", "1.0", index), (1, "GET", INDEX, index), (2, "GET", CHILD, child)],
        [HEAD, PULL_AMD64, PART_TAGGED],
    ),
    "dockerd or containerd, cold, redirected": (
        [(0, "HEAD", "1.0", {}), (1, "GET", INDEX, {}), (2, "GET", CHILD, {})],
        [HEAD, PULL, PART],
    ),
    "dockerd or containerd, repeated": (
        [
            (0, "HEAD", "1.0", index),
            (1, "GET", INDEX, index),
            (2, "GET", CHILD, child),
            (600, "HEAD", "1.0", index),
        ],
        [HEAD, PULL_AMD64, PART_TAGGED, HEAD],
    ),
    "containerd with credentials, redirected": (
        [
            (0, "HEAD", "1.0", {}),
            (0.1, "HEAD", "1.0", {}),
            (0.2, "GET", INDEX, {}),
            (0.3, "GET", INDEX, {}),
            (0.4, "GET", CHILD, {}),
        ],
        [HEAD, HEAD, PULL, ("repeated", None, None), PART],
    ),
    "containerd that kept the index and needs another platform": (
        [(0, "HEAD", "1.0", index), (1, "GET", ARM, arm)],
        [HEAD, (None, "1.0", "linux/arm64/v8")],
    ),
    "podman or buildah, cold": (
        [(0, "GET", "1.0", index), (1, "GET", CHILD, child)],
        [PULL_AMD64, PART_AMD64],
    ),
    "podman or buildah, redirected": (
        [(0, "GET", "1.0", {}), (1, "GET", CHILD, {})],
        [PULL, PART],
    ),
    "podman or buildah, twice": (
        [
            (0, "GET", "1.0", index),
            (1, "GET", CHILD, child),
            (300, "GET", "1.0", index),
            (301, "GET", CHILD, child),
        ],
        [PULL_AMD64, PART_AMD64, CHECK_AMD64, PART_AMD64],
    ),
    "skopeo copies every platform": (
        [(0, "GET", "1.0", index), (1, "GET", CHILD, child), (2, "GET", ARM, arm)],
        [PULL, PART_AMD64, ("part_of_index", None, "linux/arm64/v8")],
    ),
    "an image of one platform, by dockerd": (
        [(0, "HEAD", "1.0", single), (1, "GET", CHILD, single)],
        [HEAD, PULL],
    ),
    "an index by digest, by dockerd": (
        [
            (0, "HEAD", INDEX, {}),
            (1, "GET", INDEX, index),
            (2, "GET", CHILD, child),
        ],
        [("head", None, None), (None, None, "linux/amd64"), PART_AMD64],
    ),
    "one platform's manifest by digest": (
        [(0, "GET", CHILD, child)],
        [(None, None, "linux/amd64")],
    ),
    "an index by digest twice, redirected": (
        [
            (0, "GET", INDEX, {}),
            (1, "GET", CHILD, {}),
            (30, "GET", INDEX, {}),
            (31, "GET", CHILD, {}),
        ],
        [(None, None, None), PART, ("version_check", None, None), PART],
    ),
    "two images of one package by digest, redirected, minutes apart": (
        [(0, "GET", INDEX, {}), (1, "GET", CHILD, {}), (120, "GET", OTHER, {})],
        [(None, None, None), PART, (None, None, None)],
    ),
    "two tags at once": (
        [
            (0, "HEAD", "1.0", index),
            (0.1, "HEAD", "2.0", other),
            (0.2, "GET", INDEX, index),
            (0.3, "GET", OTHER, other),
            (0.4, "GET", OTHER_CHILD, other_child),
            (0.5, "GET", CHILD, child),
        ],
        [
            HEAD,
            ("head", "2.0", None),
            PULL_AMD64,
            (None, "2.0", "linux/amd64"),
            ("part_of_index", "2.0", "linux/amd64"),
            PART_TAGGED,
        ],
    ),
    "podman, from a registry that names no digest": (
        [(0, "GET", "1.0", {}), (1, "GET", CHILD, child)],
        [PULL_AMD64, PART_AMD64],
    ),
    "a child that another index, served to someone else, lists too": (
        [(0, "GET", "1.0", index), (1, "GET", CHILD, {**child, "index": OTHER})],
        [PULL_AMD64, PART_AMD64],
    ),
    "a platform's own tag checked right after the index that lists it": (
        [
            (0, "GET", "1.0", index),
            (1, "GET", CHILD, child),
            (2, "HEAD", "1.0-amd64", single),
            (8, "GET", CHILD, child),
        ],
        [
            PULL_AMD64,
            PART_AMD64,
            ("head", "1.0-amd64", None),
            (None, "1.0-amd64", "linux/amd64"),
        ],
    ),
    "a platform's own tag right after the index that lists it": (
        [(0, "GET", "1.0", index), (1, "GET", "1.0-amd64", child)],
        [PULL, (None, "1.0-amd64", "linux/amd64")],
    ),
    "a build attestation has no platform": (
        [
            (0, "GET", "1.0", index),
            (1, "GET", CHILD, child),
            (2, "GET", ARM, {**arm, "platform": "unknown/unknown"}),
        ],
        [PULL_AMD64, PART_AMD64, PART],
    ),
    "a signature is no pull": (
        [(0, "GET", f"sha256-{'a' * 64}.sig", single)],
        [("metadata", f"sha256-{'a' * 64}.sig", None)],
    ),
}


def _pull(after: float, method: str, reference: str, variables: dict[str, str]) -> dict[str, Any]:
    return raw_row(
        event_time=NOON + dt.timedelta(seconds=after),
        event_type="blob" if method == "BLOB" else "pull",
        route_type="docker",
        artifact="acme/tool",
        version=None if ":" in reference or method == "BLOB" else reference,
        reference=reference,
        method="GET" if method == "BLOB" else method,
        status=200 if variables else 307,
        variables=json.dumps(variables),
        user_agent="containerd/1.6.20",
        origin_id=1,
        endpoint_id=1,
    )


def curated(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    none = pl.LazyFrame(schema=EVENTS)
    return curate(none, enrich(raw_frame(rows).lazy())).collect()


@pytest.mark.parametrize("name", SEQUENCES)
def test_an_image_pull_counts_once(name: str) -> None:
    requests, expected = SEQUENCES[name]
    events = curated([_pull(*request) for request in requests])
    verdicts = events.select("not_counted_because", "version", "platform").rows()
    assert verdicts == list(expected)
    assert events["counted"].to_list() == [reason is None for reason, _, _ in expected]


def test_another_origin_s_index_is_no_parent() -> None:
    theirs = _pull(0, "GET", "1.0", {})
    mine = _pull(1, "GET", CHILD, {}) | {"origin_id": 2}
    assert curated([theirs, mine])["counted"].to_list() == [True, True]


ROWS: dict[str, tuple[dict[str, Any], str | None]] = {
    "a file redirected": ({}, None),
    "a file answered": ({"status": 200}, None),
    "a range from the start": ({"range_start": 0, "status": 206}, None),
    "a resumed download": ({"range_start": 1_000_000}, "resume"),
    "a check by HEAD": ({"method": "HEAD"}, "head"),
    "a file that has not changed": ({"status": 304}, "not_modified"),
    "a file that is not there": ({"status": 404}, "failed"),
    "an upstream that is down": ({"status": 502}, "failed"),
    "a HEAD that failed": ({"method": "HEAD", "status": 404}, "failed"),
    "a download by POST": ({"method": "POST"}, "not_get"),
    "an index page": ({"event_type": "metadata", "route_type": "python"}, "metadata"),
    "a layer": ({"event_type": "blob", "route_type": "docker"}, "blob"),
    "a pixel": ({"event_type": "view", "route_type": "pixel", "status": 200}, "view"),
    "telemetry": (
        {"event_type": "telemetry", "route_type": "telemetry", "method": "POST", "status": 200},
        None,
    ),
    "a post-install report": (
        {"event_type": "install", "route_type": "npm", "method": "POST", "status": 200},
        None,
    ),
    "telemetry without a token": (
        {"event_type": "telemetry", "route_type": "telemetry", "method": "POST", "status": 401},
        "failed",
    ),
    "a mirror's copy": ({"user_agent": "bandersnatch/6.5.0"}, None),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_request_by_itself(name: str) -> None:
    given_row, reason = ROWS[name]
    (event,) = curated([raw_row(**given_row)]).to_dicts()
    assert (event["counted"], event["not_counted_because"]) == (reason is None, reason)


def _wheel(after: float, **given_row: Any) -> dict[str, Any]:
    at = NOON + dt.timedelta(seconds=after)
    told = {"user_agent": "uv/0.13.9 {}", "origin_id": 7, **given_row}
    return raw_row(event_time=at, route_type="python", artifact="p.whl", **told)


def test_uv_without_metadata_installs_once() -> None:
    events = curated(
        [
            _wheel(0, method="HEAD"),
            _wheel(0.1, range_start=4096),
            _wheel(0.2),
            _wheel(0.3),
        ]
    )
    assert events["not_counted_because"].to_list() == ["head", "resume", None, "repeated"]


def test_aria2_downloads_once() -> None:
    events = curated([_wheel(0), _wheel(0, range_start=100), _wheel(0, range_start=200)])
    assert events["counted"].sum() == 1


def test_curl_that_fetches_a_file_twice_in_a_row_installs_twice() -> None:
    twice = [raw_row(event_time=NOON + dt.timedelta(seconds=at), origin_id=7) for at in (0, 1)]
    assert curated(twice)["counted"].to_list() == [True, True]


def test_the_same_file_again_later_is_another_install() -> None:
    assert curated([_wheel(0), _wheel(6)])["counted"].to_list() == [True, True]


def test_another_version_at_once_is_another_install() -> None:
    assert curated([_wheel(0), _wheel(1, version="2.0")])["counted"].to_list() == [True, True]


@pytest.mark.parametrize("route_type", ["repository", "file"])
def test_a_repository_s_file_tells_its_platform(route_type: str) -> None:
    told = {"variables": json.dumps({"platform": "linux/arm64"}), "user_agent": "curl/8.5.0"}
    (event,) = curated([raw_row(route_type=route_type, **told)]).to_dicts()
    is_repository = route_type == "repository"
    assert event["platform"] == ("linux/arm64" if is_repository else None)
    assert event["arch"] == ("arm64" if is_repository else None)


def test_telemetry_repeats_as_often_as_it_likes() -> None:
    beat = {"event_type": "telemetry", "route_type": "telemetry", "method": "POST", "status": 200}
    at = [NOON + dt.timedelta(seconds=after) for after in range(3)]
    events = curated([raw_row(**beat, origin_id=1, event_time=time) for time in at])
    assert events["counted"].to_list() == [True] * 3


_requests = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from(["GET", "HEAD", "BLOB"]),
        st.sampled_from(["1.0", "2.0", INDEX, CHILD, OTHER]),
        st.sampled_from([{}, index, child, single, other]),
    ),
    max_size=12,
)


# Each example curates whole days: fewer of them keep the suite quick.
@settings(max_examples=40)
@given(_requests, st.integers(0, 12))
def test_verdicts_do_not_depend_on_when_the_rows_arrived(requests: list[Request], cut: int) -> None:
    rows = [_pull(*request) for request in requests]
    at_once = curated(rows)
    # The later half arrives first, and a row of it twice.
    late, early = rows[:cut], rows[max(0, cut - 1) :]
    first = curated(early)
    both = curate(first.lazy(), enrich(raw_frame(late).lazy())).collect()
    assert both.equals(at_once)
    assert set(at_once["not_counted_because"].drop_nulls()) <= set(REASONS)


@settings(max_examples=40)
@given(_requests)
def test_a_tag_got_is_a_pull_unless_it_repeats(requests: list[Request]) -> None:
    events = curated([_pull(*request) for request in requests])
    is_tag = (pl.col("event_type") == "pull") & pl.col("reference").is_in(["1.0", "2.0"])
    got = events.filter((pl.col("method") == "GET") & is_tag)
    assert set(got["not_counted_because"].drop_nulls()) <= {"repeated", "version_check"}


_flag_rows = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": st.sampled_from([NOON, NOON + dt.timedelta(seconds=1)]),
            "origin_id": st.integers(1, 4),
            "package_id": st.sampled_from(["a", "b"]),
            "version": st.sampled_from(["1", "2", None]),
            "event_type": st.sampled_from(["download", "view"]),
            "counted": st.booleans(),
        }
    ),
    min_size=1,
    max_size=40,
)


@given(_flag_rows)
def test_sums_of_flags_are_daily_uniques(rows: list[dict[str, Any]]) -> None:
    schema = {name: EVENTS[name] for name in rows[0]}
    events = with_firsts(pl.LazyFrame(rows, schema=schema)).collect()
    for flag, key in {
        "first_of_type": ["counted", "event_type"],
        "first_of_package": ["counted", "event_type", "package_id"],
        "first_of_version": ["counted", "event_type", "package_id", "version"],
    }.items():
        sums = events.group_by(key).agg(
            pl.col(flag).sum().cast(pl.Int64).alias("sum"),
            pl.col("origin_id").n_unique().cast(pl.Int64).alias("unique"),
        )
        assert sums["sum"].to_list() == sums["unique"].to_list(), flag
        firsts = events.filter(flag).select("origin_id", *key, first="event_time")
        rows_of = events.join(firsts, on=["origin_id", *key], nulls_equal=True)
        assert (rows_of["first"] <= rows_of["event_time"]).all()
