import csv

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.referrers import REFERENCE, site_of, with_referrers
from pipeline.schema import REFERRER_TYPES


def seen(referrer: str | None, host: str = "dl.acme.com") -> tuple[str | None, str | None]:
    events = pl.LazyFrame(
        {"referrer": [referrer], "host": [host]},
        schema={"referrer": pl.String, "host": pl.String},
    )
    row = with_referrers(events).collect()
    assert row.columns == ["referrer", "host", "referrer_domain", "referrer_type"]
    return row.row(0)[2:]


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        pytest.param(None, (None, None), id="none"),
        pytest.param("https://www.google.com/", ("google.com", "search"), id="search engine"),
        pytest.param("https://www.google.co.uk", ("google.co.uk", "search"), id="national search"),
        pytest.param("https://yandex.ru/", ("yandex.ru", "search"), id="search by first label"),
        pytest.param("https://mail.google.com/x", ("mail.google.com", "other"), id="not search"),
        pytest.param(
            "https://news.ycombinator.com/item", ("news.ycombinator.com", "social"), id="subdomain"
        ),
        pytest.param("https://old.reddit.com/r/x", ("reddit.com", "social"), id="under a listed"),
        pytest.param("https://github.com/acme/tool", ("github.com", "code"), id="code"),
        pytest.param("https://gist.github.com/1", ("gist.github.com", "code"), id="listed part"),
        pytest.param("https://acme.github.io/tool/", ("acme.github.io", "other"), id="pages"),
        pytest.param(
            "https://tool.readthedocs.io/en/", ("tool.readthedocs.io", "docs"), id="hosted docs"
        ),
        pytest.param("https://docs.acme.com/install", ("acme.com", "docs"), id="docs by label"),
        pytest.param("https://hub.docker.com/r/a", ("hub.docker.com", "registry"), id="registry"),
        pytest.param("https://lwn.net/Articles/1", ("lwn.net", "news"), id="news"),
        pytest.param("https://dl.acme.com/start", ("acme.com", "own"), id="own"),
        pytest.param("https://DL.ACME.com/start", ("acme.com", "own"), id="own in upper case"),
        pytest.param("https://www.acme.com/", ("acme.com", "other"), id="own site, other host"),
        pytest.param("https://blog.shop.co.jp:8443/x", ("shop.co.jp", "other"), id="port"),
        pytest.param("https://user:pw@blog.example/x", ("blog.example", "other"), id="user info"),
        pytest.param("https://notgoogle.com/", ("notgoogle.com", "other"), id="similar name"),
        pytest.param("https://google.evil.com/", ("evil.com", "other"), id="name as a subdomain"),
        pytest.param("http://192.0.2.7/x", (None, "other"), id="IPv4 address"),
        pytest.param("http://[2001:db8::7]/x", (None, "other"), id="IPv6 address"),
        pytest.param("http://localhost:3000/", (None, "other"), id="single label"),
        pytest.param("not a url", (None, "other"), id="no URL"),
        pytest.param("", (None, "other"), id="empty"),
    ],
)
def test_referrers(referrer: str | None, expected: tuple[str | None, str | None]) -> None:
    assert seen(referrer) == expected


def test_many_rows_keep_their_order() -> None:
    referrers = ["https://lwn.net/", None, "https://github.com/a", "https://lwn.net/b"] * 500
    events = pl.LazyFrame({"referrer": referrers, "host": ["dl.acme.com"] * 2000})
    types = with_referrers(events).collect(engine="streaming")["referrer_type"].to_list()
    assert types == ["news", None, "code", "news"] * 500


@given(st.text(max_size=80) | st.from_regex(r"https?://[^/]{0,40}/?", fullmatch=True))
def test_every_referrer_has_a_known_type(referrer: str) -> None:
    _, kind = seen(referrer)
    assert kind in REFERRER_TYPES


@given(st.from_regex(r"[a-z0-9-]{1,8}(\.[a-z0-9-]{1,8}){0,4}", fullmatch=True))
def test_a_domain_is_a_tail_of_its_host(host: str) -> None:
    domain = site_of(host).domain
    assert domain is None or host == domain or host.endswith("." + domain)


def test_the_table_is_clean() -> None:
    with (REFERENCE / "referrers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["type"] for row in rows} <= set(REFERRER_TYPES) - {"own"}
    domains = [row["domain"] for row in rows]
    assert len(domains) == len(set(domains))
    assert all(domain == domain.lower().strip() for domain in domains)
