"""What is said of targets, fallbacks, health and aliases that cannot be served."""

from pathlib import Path

import pytest

from gateway import table
from gateway.destinations import Alias, Health, Target, When
from gateway.routefile import check, load, read_toml
from gateway.routes import FileRoute
from gateway.toml_text import to_toml

ROUTE = """\
[[route]]
type = "file"
domain = "a.example"
package = "p"
incoming-path = "/tool/{version}"
outgoing-url = "https://own.example/{version}"
"""
TARGET = ROUTE + '[[route.target]]\nurl = "https://t.example/{version}"\n'
WHEN = TARGET + "[route.target.when]\n"
RULE = ROUTE + 'versions = ["1.0", "2.0"]\n[route.aliases.latest]\n'


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        pytest.param(TARGET, "target[1].when", "is missing", id="no when"),
        pytest.param(WHEN, "target[1].when", "has no condition", id="an empty when"),
        pytest.param(WHEN + 'cuontry = "DE"', "target[1].when.cuontry", "'country'", id="key"),
        pytest.param(WHEN + 'country = "de"', "target[1].when.country", "write 'DE'", id="case"),
        pytest.param(WHEN + 'country = "UK"', "target[1].when.country", "not known", id="country"),
        pytest.param(
            WHEN + 'continent = "Europe"', "target[1].when.continent", "EU", id="continent"
        ),
        pytest.param(
            WHEN + 'country = "DE"\ncontinent = "AS"',
            "target[1].when.country",
            "nobody is in both",
            id="no country of the continent",
        ),
        pytest.param(WHEN + 'os = "linx"', "target[1].when.os", "'linux'", id="os"),
        pytest.param(WHEN + 'arch = "arm46"', "target[1].when.arch", "'arm64'", id="arch"),
        pytest.param(WHEN + "share = 0", "target[1].when.share", "above 0", id="no share"),
        pytest.param(WHEN + "share = 101", "target[1].when.share", "at most 100", id="share"),
        pytest.param(
            WHEN + "share = 60" + '\n[[route.target]]\nurl = "https://u.example/"\n'
            "when = { share = 41 }",
            "target[2].when.share",
            "101 per cent",
            id="shares above a hundred",
        ),
        pytest.param(
            WHEN + "from = 2026-12-01\nuntil = 2026-12-01",
            "target[1].when.until",
            "never applies",
            id="until before from",
        ),
        pytest.param(
            WHEN + "from = 2026-12-01T00:00:00", "target[1].when.from", "timezone", id="no zone"
        ),
        pytest.param(
            TARGET.replace("t.example/{version}", "t.example/{name}")
            + 'when = { client = "curl" }',
            "target[1].url",
            "does not capture",
            id="variable",
        ),
        pytest.param(
            TARGET.replace("outgoing", "cache-control = 'public'\noutgoing")
            + 'when = { client = "curl" }',
            "cache-control",
            "private",
            id="shared caches",
        ),
        pytest.param(
            TARGET.replace('outgoing-url = "https://own.example/{version}"\n', "")
            + 'when = { client = "curl" }',
            "outgoing-url",
            "is missing",
            id="no default",
        ),
        pytest.param(
            ROUTE + 'fallback-urls = ["https://b.example/"]', "fallback-urls", "health", id="blind"
        ),
        pytest.param(ROUTE + "[route.health]", "health", "nothing to choose", id="idle health"),
        pytest.param(
            ROUTE + 'fallback-urls = ["https://b.example/"]\n[route.health]\nevery = 0.1\n'
            'timeout = 9\nup-after = 0\npath = "up"',
            "health.timeout",
            "at most every",
            id="health",
        ),
        pytest.param(
            ROUTE.replace("/{version}", "/x") + '[route.aliases]\nlatest = "1"',
            "aliases",
            "does not capture",
            id="alias of nothing",
        ),
        pytest.param(RULE, "aliases.latest.newest", "one of the two", id="no rule"),
        pytest.param(
            RULE + 'newest = "3.*"', "aliases.latest.newest", "fits none", id="no such line"
        ),
        pytest.param(RULE + 'newest = "1*"', "aliases.latest.newest", "'1.*'", id="no dot"),
        pytest.param(RULE + 'newest = "new"', "aliases.latest.newest", "no line", id="no line"),
        pytest.param(
            RULE + 'redirect = "releases"', "aliases.latest.redirect", "https", id="redirect"
        ),
        pytest.param(
            ROUTE + 'versions = ["1.0", "tuesday"]', "versions", "'tuesday'", id="no order"
        ),
        pytest.param(
            ROUTE + '[route.aliases]\nlatest = "stable"\nstable = "1.0"',
            "aliases.latest",
            "write the version",
            id="alias of an alias",
        ),
        pytest.param(ROUTE + "[route.aliases]\nlatest = 1", "aliases.latest", "text", id="number"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_told(tmp_path: Path, text: str, key: str, reason: str) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(text)
    told = [str(problem) for problem in check(path)]
    assert any(f"): {key}: " in line and reason in line for line in told), told


EVERY_KEY = FileRoute(
    domains=("a.example",),
    package="p",
    incoming_path="/tool/{version}",
    outgoing_url="https://own.example/{version}",
    target=(
        Target(
            url="https://t.example/{version}",
            name="new",
            when=When(country=("DE", "FR"), share=12.5, variables={"channel": "beta"}),
        ),
    ),
    fallback_urls=("https://b.example/{version}",),
    health=Health(path="/up", every=5.0),
    versions=("1.0", "2.0"),
    aliases={"latest": Alias(newest="*"), "lts": "1.0"},
)


def test_a_route_with_every_key_is_written_and_read_back() -> None:
    placed, problems = read_toml(to_toml([EVERY_KEY]), "routes")
    assert problems == []
    assert [each.route for each in placed] == [EVERY_KEY]


def test_dates_are_written_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(WHEN + "from = 2026-12-01\nuntil = 2027-01-01T00:00:00+01:00\n")
    routes = load(path).routes
    path.write_text(to_toml(routes))
    assert load(path).routes == routes


def test_what_is_looked_at_is_looked_at_once() -> None:
    looks = table.build([EVERY_KEY, EVERY_KEY]).looks
    assert sorted(look.url for look in looks) == [
        "https://b.example/up", "https://own.example/up", "https://t.example/up",
    ]  # fmt: skip
