# ruff: noqa: PLR2004 - the shares are the story; names for them would only hide it
"""What happens on Acme's own domains: downloads, pages, telemetry."""

from typing import Final

import numpy as np

from pipeline.acme.referrals import SITE, referrers_of
from pipeline.acme.visits import Visits, compact_json, pick, platforms, texts


def download_binary(visits: Visits) -> None:
    """The tool itself by script, browser or Homebrew; some ask first, some resume."""
    draw = visits.draw()
    systems = platforms(visits)
    is_mac = np.array([name == "darwin" for name, _ in systems], dtype=np.bool_)
    brew = is_mac & visits.of("person") & (draw < 0.55)
    browser = visits.of("person") & ~brew & (draw > 0.82)
    agents = visits.user_agent("curl").copy()
    for tool, where in (("homebrew", brew), ("browser", browser), ("bot", visits.of("bot"))):
        agents[where] = visits.user_agent(tool)[where]
    version = texts([release.semantic for release in visits.release])
    file = texts(
        [
            f"rocket-{v}-{system}-{arch}.{'zip' if system == 'windows' else 'tar.gz'}"
            for v, (system, arch) in zip(version, systems, strict=True)
        ]
    )
    variables = texts(
        [
            compact_json(("version", v), ("os", system), ("arch", arch))
            for v, (system, arch) in zip(version, systems, strict=True)
        ]
    )
    referrers = texts([None] * len(visits))
    referrers[browser] = referrers_of(visits)[browser]
    common = {
        "artifact": file,
        "version": version,
        "reference": file,
        "variables": variables,
        "user_agent": agents,
        "referrer": referrers,
    }
    scripted = ~brew & ~browser
    visits.request(scripted & (visits.draw() < 0.08), 0.0, method="HEAD", **common)
    visits.request(np.ones(len(visits), dtype=np.bool_), 0.6, **common)
    resumed = scripted & (visits.draw() < 0.03)
    offset = (visits.draw() * 20_000_000).astype(np.int64)
    visits.request(resumed, 40.0, **common, range_start=offset)


_PAGES: Final[tuple[tuple[float, str | None], ...]] = (
    (10, "/"),
    (9, "/install"),
    (8, "/quickstart"),
    (4, "/configuration"),
    (3, "/docker"),
    (3, "/ci"),
    (2, "/changelog"),
)


def view_page(visits: Visits) -> None:
    """A page of the documentation."""
    agents = visits.user_agent("browser").copy()
    bot = visits.of("bot")
    agents[bot] = visits.user_agent("bot")[bot]
    page = pick(visits, _PAGES)
    variables = texts(
        [compact_json(("x-pxid", "7f1d0c3e"), ("page", f"{SITE}{path}")) for path in page]
    )
    visits.request(
        np.ones(len(visits), dtype=np.bool_),
        0.0,
        event_type="view",
        status=200,
        artifact="a.png",
        user_agent=agents,
        referrer=referrers_of(visits),
        variables=variables,
    )


def report_use(visits: Visits) -> None:
    """What the tool tells of its use: up to three commands."""
    commands = ("launch", "launch", "launch", "plan", "plan", "rollback", "login", "logs")
    chosen = visits.random.choice(len(commands), len(visits))
    version = texts([release.semantic for release in visits.release])
    variables = texts(
        [
            compact_json(("command", commands[c]), ("os", system), ("arch", arch))
            for c, (system, arch) in zip(chosen, platforms(visits), strict=True)
        ]
    )
    for number in range(3):
        visits.request(
            visits.draw() < (1.0, 0.5, 0.25)[number],
            number * 90.0,
            event_type="telemetry",
            method="POST",
            status=200,
            artifact="rocket-cli",
            version=version,
            user_agent=visits.user_agent("rocket"),
            variables=variables,
        )


_FILES: Final[tuple[tuple[float, str | None], ...]] = (
    (5, "install.sh"),
    (2, "examples/rocket.toml"),
    (2, "schema/rocket.schema.json"),
    (1, "acme-public-key.asc"),
    (1, "//downloads/rocket-handbook.pdf"),
)


def download_file(visits: Visits) -> None:
    """Whatever else lies on the domain."""
    agents = visits.user_agent("curl").copy()
    library = visits.draw() < 0.25
    agents[library] = visits.user_agent("library")[library]
    bot = visits.of("bot")
    agents[bot] = visits.user_agent("bot")[bot]
    file = pick(visits, _FILES)
    visits.request(
        np.ones(len(visits), dtype=np.bool_),
        0.0,
        artifact=file,
        reference=file,
        user_agent=agents,
    )
