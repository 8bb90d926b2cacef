"""Everything that the pipeline and the dashboard read of texts that strangers chose."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import parse_qs

import polars as pl

from dashboard import api_request, filters
from pipeline.agents.parse import parse as parse_agent
from pipeline.referrers import site_of, with_referrers
from pipeline.schema import TRAFFIC
from pipeline.versions import with_versions
from tests.fuzz.target import FIELD, pure, texts

TODAY = dt.date(2026, 3, 31)
CALENDAR = filters.Calendar(TODAY, dt.date(2025, 1, 1))


def _text(data: bytes) -> str:
    """A text as it comes out of a Parquet file."""
    return data.decode("utf-8", "replace")


def user_agent(data: bytes) -> None:
    """An agent has a name from our tables, and nothing of a user agent is long."""
    agent = parse_agent(_text(data))
    for value in agent:
        assert value is None or (value and value.isprintable() and len(value) <= 128), value


def versions(data: bytes) -> None:
    """Versions are numbers or none, all three columns as one."""
    lines = _text(data).split("\n")
    rows = with_versions(pl.LazyFrame({"version": lines})).collect()
    assert rows.height == len(lines)
    for major, minor, prerelease in rows.select(
        "version_major", "version_minor", "prerelease"
    ).iter_rows():
        assert (major is None) == (prerelease is None)
        assert major is not None or minor is None
        assert major is None or 0 <= major < 2**31


def referrer(data: bytes) -> None:
    """A referrer's domain is a part of its host, and both are one line."""
    lines = _text(data).split("\n")
    for line in lines:
        host = line.lower()
        domain, kind = site_of(host)
        assert kind
        assert domain is None or host.endswith(domain)
    rows = with_referrers(
        pl.LazyFrame({"referrer": lines, "host": ["get.acme.example"] * len(lines)})
    ).collect()
    assert rows["referrer_type"].null_count() == 0


def address_of_a_page(data: bytes) -> None:
    """A choice, said in an address and read again, is the same choice."""
    asked = parse_qs(_text(data), keep_blank_values=True)
    chosen = filters.parse(asked, CALENDAR)
    assert chosen.start <= chosen.end
    assert chosen.traffic
    assert filters.parse(filters.format_address(chosen), CALENDAR) == chosen
    filters.previous(chosen)


def api(data: bytes) -> None:
    """Every request to the API has an answer, and none without a token tells of the lake."""
    method, target, accept, authorization = texts(data, 4)
    target = f"/{target.encode('ascii', 'replace').decode()}"
    api_request.bearer(authorization)
    for authorized in (False, True):
        answer = api_request.decide(method, target, accept, authorized=authorized)
        match answer:
            case api_request.Events() | api_request.Packages():
                assert authorized
            case api_request.Refusal():
                assert 400 <= answer.status < 500
    if isinstance(answer, api_request.Events):
        assert answer.selection.first <= answer.selection.last
        assert set(answer.selection.traffic) <= set(TRAFFIC)
        assert answer.file_name.isascii()


def _api_seeds() -> Iterator[bytes]:
    days = b"start_date=2026-01-01&end_date=2026-01-31"
    for target in (
        b"v2/packages/acme/events?%s&counted=true&columns=all" % days,
        b"v2/packages/acme/a%%2Fb/c/events?%s&traffic=ci&package=x" % days,
        b"v2/companies/acme/a.example/events?" + days,
        b"v2/packages/acme?per_page=2&after=a&type=file",
        b"healthz",
    ):
        yield FIELD.join((b"GET", target, b"text/csv;q=0.5, */*", b"Bearer x"))


TEXTS = (
    pure(
        "user-agent",
        user_agent,
        lambda: [
            b"docker/24.0.7 go/go1.20 git-commit/1 kernel/6.1.0 os/linux arch/amd64",
            b'pip/24.0 {"ci":true,"distro":{"libc":{"lib":"glibc"}},"python":"3.12.1"}',
            b"npm/10.2.3 node/v20.10.0 linux x64 workspaces/false ci/github-actions",
            b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/120.0 Safari/537.36",
            b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ],
    ),
    pure("versions", versions, lambda: [b"1.2.3-rc.1+b\n2:1.0~beta1\nv2026.01.02\n3-slim\n1e9"]),
    pure(
        "referrer",
        referrer,
        lambda: [b"https://www.acme.co.uk/x\nhttps://u:p@docs.a.example:8/\nhttps://[::1]/"],
    ),
    pure(
        "address-of-a-page",
        address_of_a_page,
        lambda: [b"period=7d&package=a&package=b&traffic=ci,bot&counted=all", b"from=2026-01-01"],
    ),
    pure("api", api, _api_seeds),
)
