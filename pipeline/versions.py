"""Versions taken apart: major, minor, and whether it is a pre-release.

One reading for all the ecosystems' spellings: semantic versions, Python's, Debian's, Go's, calendar
versions and image tags. Image tags rule out the letter of semantic versioning, where anything
behind a dash is a pre-release: 1.2.3-alpine is a release in another coat. So a pre-release must say
that it is one, by a word such as rc, beta or dev.
"""

from typing import Final

import polars as pl

from pipeline.distinct import per_distinct

# Digits are spelt out: to the engine, \d is a digit of any script, and a number is not.
_DATE: Final = r"^[vV]?(20[0-9][0-9])[-_.]?(0[1-9]|1[0-2])[-_.]?([0-3][0-9])([^0-9].*)?$"
# A commit's hash may start with digits, and a build number tells no major version.
_HASH: Final = r"^[0-9a-f]{7,64}$"
_NUMBERS: Final = (
    r"^[vV]?"
    r"(?:[0-9]+[!:])?"  # an epoch orders versions; nobody calls a version by it
    r"(?:"
    r"(?P<major>[0-9]{1,9})\.(?P<minor>[0-9]{1,9})(?P<rest>[^0-9].*)?"
    r"|"
    # A number alone is a version only if nothing but a suffix follows: 3d-tool is none.
    r"(?P<only>[0-9]{1,9})(?P<suffix>(?:[-_+~.^]|(?:a|b|c|rc|alpha|beta|dev|pre)[0-9]).*)?"
    r")$"
)
_PRERELEASE: Final = (
    r"(?:^|[0-9.\-_~^])"
    r"(?:"
    r"(?:alpha|beta|rc|cr|pre|preview|dev|snapshot|nightly|canary|next|experimental|insiders?"
    r"|milestone|unstable|ea)(?:$|[0-9.\-_~])"
    # One letter needs its number right behind: 1.0b2, 3.0.0-M1; but OpenSSL's 1.0.2b is a release.
    r"|[abcm][.\-]?[0-9]{1,3}(?:$|[.\-_~])"
    # Go names a commit without a release by its time and hash.
    r"|[0-9]{14}-[0-9a-f]{12}$"
    r")"
)


_ANSWER: Final = pl.Struct(
    {"version_major": pl.Int32, "version_minor": pl.Int32, "prerelease": pl.Boolean}
)


def with_versions(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add `version_major`, `version_minor` and `prerelease`; all null where `version` is none.

    `version_minor` alone is null for a single number, such as the tag 3-slim.
    """
    answer = per_distinct("version", _take_apart, _ANSWER)
    names = [field.name for field in _ANSWER.fields]
    return (
        events.drop(names, strict=False).with_columns(answer.alias("_version")).unnest("_version")
    )


def _take_apart(versions: pl.Series) -> pl.Series:
    text = pl.col("version").str.strip_chars()
    is_hash = text.str.contains(_HASH) & ~text.str.contains(_DATE)
    dated = text.str.replace(_DATE, "$1.$2.$3$4")
    numbers = pl.when(~is_hash).then(dated).str.extract_groups(_NUMBERS)
    major = pl.coalesce(numbers.struct["major"], numbers.struct["only"])
    # What stands behind a plus is build metadata.
    rest = (
        pl.coalesce(numbers.struct["rest"], numbers.struct["suffix"], pl.lit(""))
        .str.to_lowercase()
        .str.replace(r"\+.*$", "")
    )
    return (
        pl.DataFrame({"version": versions})
        .select(
            version_major=major.cast(pl.Int32),
            version_minor=numbers.struct["minor"].cast(pl.Int32),
            prerelease=pl.when(major.is_not_null()).then(rest.str.contains(_PRERELEASE)),
        )
        .to_struct("version")
    )
