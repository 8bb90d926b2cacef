"""Traces of people: what looks like an address, an e-mail or a secret, searched in whole columns.

The gateway takes them out by rules of its own, which see one text at a time and who sent it. These
see only what is stored, and share nothing with those, so that neither hides a mistake of the other.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
import polars as pl

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_QUAD: Final = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP: Final = "[0-9a-fA-F]{1,4}"
_IPV6: Final = (
    rf"(?:{_GROUP}:){{7}}{_GROUP}"
    rf"|(?:{_GROUP}:){{6}}{_QUAD}"
    rf"|{_GROUP}(?::{_GROUP}){{0,6}}::(?:{_GROUP}(?::{_GROUP}){{0,6}})?"
    rf"|::(?:{_GROUP}:){{0,6}}(?:{_QUAD}|{_GROUP})"
)
# Five numbers in a row, or four of which one is above 255, are no address.
_NUMBERS: Final = r"[0-9]+(?:\.[0-9]+){3,}"
# Numbers with dots are a version where they are glued to a name: tool-1.2.3.4.tar.gz.
_BORDER: Final = r"[^\w.+~-]"
_ALONE: Final = rf"(?:^|{_BORDER}){_QUAD}(?:{_BORDER}|$)"
_IN_A_URL: Final = rf"//({_QUAD})(?:[^\w.]|$)"
_ALONE_IN_AGENT: Final = rf"(?:^|[^\w.+~/-])({_QUAD})(?:[^\w.+~-]|$)"
_IPV6_ALONE: Final = rf"(?:^|[^\w:.])({_IPV6})(?:[^\w:.]|[.]\W|$)"
_EMAIL: Final = r"[\w.!#$&'*+=?^`{|}~-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"
# What names have that e-mails have not: name@1.2.3, name@v2.tar.gz, name@main.zip.
_NO_EMAIL: Final = (
    r"@v?[0-9]|\.(?:zip|t?gz|xz|bz2|zst|whl|jar|json|js|md)$"
    r"|^[^@]*\[email\]"
)
_KEY: Final = (
    r"eyJ[\w-]{8,}\.[\w-]{8,}"
    r"|(?:gh[pousr]_|github_pat_|glpat-|npm_|pypi-|dckr_pat_|hf_|xox[abprs]-"
    r"|[sr]k_live_)[A-Za-z0-9_-]{20,}|(?:AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN "
    r"|://[^/\s?#@\[\]]+:[^/\s?#@\[\]]+@"
)

# Columns that clients write in: free text, what routes call names, and the user agent. Versions of
# clients and systems, which have four numbers often, are read from the user agent by fixed rules.
FREE: Final = ("variables", "referrer", "referrer_domain", "record")
NAMES: Final = ("package_id", "package", "host", "artifact", "version", "reference", "platform")
AGENT: Final = "user_agent"
WORDS: Final = (
    "method", "range_start", "client", "client_version", "runtime", "runtime_version", "os",
    "os_version", "arch", "libc", "ci",
)  # fmt: skip


class Trace(msgspec.Struct, frozen=True):
    """A finding, never with the value itself."""

    column: str
    kind: str  # address, e-mail or secret
    rows: int


def find(frame: pl.LazyFrame) -> Iterator[Trace]:
    """Search every column that clients write in. Each distinct text is looked at once."""
    held = frame.collect_schema()
    names = [name for name in NAMES if held.get(name) == pl.String]
    for column in (*FREE, *NAMES, AGENT, *WORDS):
        if held.get(column) != pl.String:
            continue
        # Variables repeat what the path says, so that they are judged beside it.
        beside = names if column == "variables" else ["version"] if "version" in names else []
        distinct = frame.group_by([*dict.fromkeys((column, *beside))]).len("rows")
        rules = _rules(column, beside).items()
        counts = distinct.select(
            pl.col("rows").filter(found).sum().alias(kind) for kind, found in rules
        ).collect(engine="streaming")
        for kind, rows in counts.row(0, named=True).items():
            if rows:
                yield Trace(column, kind, int(rows))


def _rules(column: str, beside: list[str]) -> dict[str, pl.Expr]:
    text = pl.col(column)
    emails = text.str.extract_all(_EMAIL)
    if column in NAMES or column == "variables":
        emails = emails.list.eval(
            pl.element().filter(~pl.element().str.contains(_NO_EMAIL, literal=False))
        )
    return {
        "address": _has_address(column, beside),
        "e-mail": emails.list.len() > 0,
        "secret": text.str.contains(_KEY),
    }


def _has_address(column: str, beside: list[str]) -> pl.Expr:
    text = pl.col(column)
    ipv6 = text.str.contains(_IPV6_ALONE)
    if column in WORDS or column == "version":
        return ipv6  # four numbers are what a version is made of
    if column == AGENT:
        return ipv6 | text.str.contains(_ALONE_IN_AGENT) | text.str.contains(_IN_A_URL)
    if column in NAMES:
        # Doubled, so that one border may end a match and begin the next.
        parted = text.str.replace_all(f"({_BORDER})", "$1$1")
        quads = _numbers(parted.str.extract_all(_ALONE).list.join(" "))
    else:
        quads = _numbers(text)
    known = [_numbers(pl.col(name).fill_null("")) for name in beside if name != column]
    for each in known if column not in {"referrer", "referrer_domain"} else []:
        quads = quads.list.set_difference(each)
    return ipv6 | (quads.list.len() > 0)


def _numbers(text: pl.Expr) -> pl.Expr:
    """Whatever in a text could be an IPv4 address."""
    runs = text.str.extract_all(_NUMBERS)
    return runs.list.eval(pl.element().filter(pl.element().str.contains(f"^{_QUAD}$")))
