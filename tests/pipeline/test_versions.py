import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schema import EVENTS
from pipeline.versions import with_versions

ADDED = ("version_major", "version_minor", "prerelease")


def read(*versions: str | None) -> list[tuple[int | None, int | None, bool | None]]:
    events = pl.LazyFrame({"version": versions}, schema={"version": pl.String})
    return with_versions(events).select(ADDED).collect().rows()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("1.2.3", (1, 2, False), id="semantic"),
        pytest.param("v1.2.3", (1, 2, False), id="v-prefix"),
        pytest.param("0.9.0", (0, 9, False), id="zero-major"),
        pytest.param("1.2.3-rc.1", (1, 2, True), id="semantic-rc"),
        pytest.param("1.2.3-beta", (1, 2, True), id="semantic-beta-without-number"),
        pytest.param("1.2.3-next.4", (1, 2, True), id="npm-next"),
        pytest.param("1.2.3+dev.1", (1, 2, False), id="build-metadata-is-no-prerelease"),
        pytest.param("1.2.3-rc.1+build.5", (1, 2, True), id="prerelease-with-build-metadata"),
        pytest.param("1.0rc1", (1, 0, True), id="pep440-rc"),
        pytest.param("1.0a1", (1, 0, True), id="pep440-alpha"),
        pytest.param("1.0.0b12", (1, 0, True), id="pep440-beta"),
        pytest.param("2.0.dev3", (2, 0, True), id="pep440-dev"),
        pytest.param("2.0.post1", (2, 0, False), id="pep440-post"),
        pytest.param("2.0.post1.dev4", (2, 0, True), id="pep440-post-dev"),
        pytest.param("1!2.3", (2, 3, False), id="pep440-epoch"),
        pytest.param("26rc1", (26, None, True), id="pep440-single-number-rc"),
        pytest.param("3", (3, None, False), id="tag-one-number"),
        pytest.param("3-slim", (3, None, False), id="tag-one-number-variant"),
        pytest.param("3.11-slim", (3, 11, False), id="tag-two-numbers-variant"),
        pytest.param("1.2.3-alpine", (1, 2, False), id="tag-alpine-is-not-alpha"),
        pytest.param("1.25-alpine3.18", (1, 25, False), id="tag-alpine-with-version"),
        pytest.param("3.11.4-slim-bookworm", (3, 11, False), id="tag-two-variants"),
        pytest.param("12.2.0-devel-ubuntu22.04", (12, 2, False), id="tag-devel-is-a-variant"),
        pytest.param("1.2.3-rc1-alpine", (1, 2, True), id="tag-rc-variant"),
        pytest.param("18.x", (18, None, False), id="tag-wildcard"),
        pytest.param("1.2.3-a1b2c3d", (1, 2, False), id="tag-with-commit"),
        pytest.param("1.1.1w", (1, 1, False), id="letter-release"),
        pytest.param("1:2.3.4-5+deb12u1", (2, 3, False), id="debian-epoch-and-revision"),
        pytest.param("2.7~rc1-1", (2, 7, True), id="debian-tilde-rc"),
        pytest.param("2.7.4~dfsg-1", (2, 7, False), id="debian-tilde-repacked"),
        pytest.param("5.0.0.RELEASE", (5, 0, False), id="maven-release"),
        pytest.param("1.0-SNAPSHOT", (1, 0, True), id="maven-snapshot"),
        pytest.param("3.0.0-M1", (3, 0, True), id="maven-milestone"),
        pytest.param("4.0.0.CR2", (4, 0, True), id="maven-candidate"),
        pytest.param("v2.0.0+incompatible", (2, 0, False), id="go-incompatible"),
        pytest.param("v0.0.0-20240501120000-abcdef123456", (0, 0, True), id="go-pseudo"),
        pytest.param("v1.2.4-0.20240501120000-abcdef123456", (1, 2, True), id="go-pseudo-next"),
        pytest.param("2024.05.01", (2024, 5, False), id="date-with-dots"),
        pytest.param("2024-05-01", (2024, 5, False), id="date-with-dashes"),
        pytest.param("20240501", (2024, 5, False), id="date-compact"),
        pytest.param("2024.5", (2024, 5, False), id="calendar-version"),
        pytest.param(" 1.2 ", (1, 2, False), id="surrounding-space"),
        pytest.param("latest", (None, None, None), id="latest"),
        pytest.param("edge", (None, None, None), id="edge"),
        pytest.param("nightly", (None, None, None), id="nightly"),
        pytest.param("sha-abc1234", (None, None, None), id="commit-tag"),
        pytest.param("3f2a9bc", (None, None, None), id="bare-commit"),
        pytest.param("sha256:" + "1" * 64, (None, None, None), id="digest"),
        pytest.param("1234567", (None, None, None), id="build-number"),
        pytest.param("99999999999.1", (None, None, None), id="too-large"),
        pytest.param("9999999999", (None, None, None), id="too-large-alone"),
        pytest.param("3d-tool", (None, None, None), id="word-with-digit"),
        pytest.param("bookworm", (None, None, None), id="word"),
        pytest.param("", (None, None, None), id="empty"),
        pytest.param(None, (None, None, None), id="null"),
    ],
)
def test_a_version_is_taken_apart(
    version: str | None, expected: tuple[int | None, int | None, bool | None]
) -> None:
    assert read(version) == [expected]


def test_the_columns_have_the_types_of_the_events_table() -> None:
    schema = with_versions(pl.LazyFrame({"version": ["1.2"]})).collect_schema()
    assert {name: schema[name] for name in ADDED} == {name: EVENTS[name] for name in ADDED}


@given(st.lists(st.none() | st.text() | st.from_regex(r"[v\d][\d.\-+~a-z:!]{0,20}"), max_size=20))
def test_any_text_has_an_answer_and_an_unknown_major_leaves_all_unknown(
    versions: list[str | None],
) -> None:
    for major, minor, prerelease in read(*versions):
        assert (major is None) == (prerelease is None)
        assert minor is None or major is not None


@given(st.integers(0, 999_999), st.integers(0, 999_999_999), st.integers(0, 99))
def test_every_plain_release_gives_its_numbers(major: int, minor: int, patch: int) -> None:
    expected = (major, minor, False)
    assert read(f"{major}.{minor}.{patch}", f"v{major}.{minor}") == [expected, expected]
