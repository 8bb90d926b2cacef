# ruff: noqa: PLR2004 - the shares are the story; names for them would only hide it
"""What each of Acme's packages sees in a day: visits turned into the requests that clients make."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import numpy as np

from pipeline.acme.people import Flags, Floats, Ints, People, Texts
from pipeline.acme.story import Release, days_since_launch
from pipeline.acme.user_agents import SYSTEMS
from pipeline.schema import DEMO_PREFIX

_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_SITE: Final = "https://docs.acme.example"


@dataclass(frozen=True, slots=True)
class Package:
    """One package, its domain, how many visits it gets and from whom."""

    name: str
    route_type: str
    host: str
    share: float
    profiles: dict[str, float]
    requests: Callable[["Visits"], None]


@dataclass(slots=True)
class Visits:
    """A package's visits of one day, and the requests made in them so far."""

    package: Package
    people: People
    machine: Ints
    second: Floats
    release: list[Release]  # what each visit is after
    day: dt.date
    random: np.random.Generator
    columns: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.machine)

    def draw(self) -> Floats:
        """One number from 0 to 1 for each visit."""
        return self.random.random(len(self))

    def of(self, profile: str) -> Flags:
        """Which visits are by machines of a profile."""
        return self.people.is_profile(profile)[self.machine]

    def user_agent(self, tool: str) -> Texts:
        """Each visit's user agent, were it made with the tool."""
        return self.people.user_agent(tool)[self.machine]

    def request(self, where: Flags, after: float, **values: Any) -> None:
        """Record one request of each visit in `where`, `after` seconds into it.

        A value is one for all, or an array over all visits.
        """
        count = int(where.sum())
        if not count:
            return
        jitter = self.random.random(count) * 0.4
        made = {
            "machine": self.machine[where],
            "second": self.second[where] + after * (1 + jitter) + jitter / 10,
            "event_type": "download",
            "route_type": self.package.route_type,
            "package_id": DEMO_PREFIX + self.package.name,
            "package": self.package.name,
            "host": self.package.host,
            "artifact": "",
            "version": None,
            "reference": None,
            "method": "GET",
            "status": 307,
            "range_start": None,
            "user_agent": "",
            "referrer": None,
            "variables": "{}",
        }
        for name, value in values.items():
            made[name] = value[where] if isinstance(value, np.ndarray) else value
        self.columns.append(made)


def _texts(values: list[Any]) -> Texts:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@cache
def _digest(*parts: str) -> str:
    return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _json(*pairs: tuple[str, str]) -> str:
    return json.dumps(dict(pairs), separators=(",", ":"))


def _platforms(visits: Visits) -> list[tuple[str, str]]:
    return [SYSTEMS[system] for system in visits.people.system[visits.machine]]


def _image(visits: Visits) -> None:
    name = visits.package.name
    draw = visits.draw()
    person, ci, server = visits.of("person"), visits.of("ci"), visits.of("server")
    mirror = visits.of("mirror")
    native = np.isin(visits.people.system[visits.machine], (0, 1))
    containers = (person & native & (draw < 0.3)) | (ci & (draw < 0.15))
    containerd = server & (draw < 0.8)
    buildkit = ci & (draw > 0.8)
    agents = visits.user_agent("docker").copy()
    for tool, where in (
        ("containers", containers),
        ("containerd", containerd),
        ("buildkit", buildkit),
        ("image mirror", mirror),
    ):
        agents[where] = visits.user_agent(tool)[where]

    style = visits.draw()
    tags = _texts(
        [
            "latest"
            if s < 0.3
            else release.semantic.rpartition(".")[0]
            if s < 0.45 and not release.candidate
            else release.semantic + ("-alpine" if s > 0.92 else "")
            for s, release in zip(style, visits.release, strict=True)
        ]
    )
    version = [release.semantic for release in visits.release]
    arch = [pair[1] for pair in _platforms(visits)]
    index = _texts([_digest(name, "index", v) for v in version])
    child = _texts([_digest(name, a, v) for a, v in zip(arch, version, strict=True)])
    seen = _texts([_json(("digest", i), ("media_type", _INDEX)) for i in index])
    seen_child = _texts(
        [
            _json(
                ("digest", c),
                ("media_type", _MANIFEST),
                ("platform", f"linux/{a}"),
                ("index", i),
            )
            for c, a, i in zip(child, arch, index, strict=True)
        ]
    )
    common = {"event_type": "pull", "artifact": name, "status": 200, "user_agent": agents}
    # Daemons resolve the tag by HEAD, and are often done: the image is there already.
    resolves = ~containers
    cold = visits.draw() < np.where(ci | mirror, 0.95, np.where(server, 0.6, 0.55))
    tagged = {"version": tags, "reference": tags, "variables": seen}
    visits.request(resolves, 0.0, method="HEAD", **tagged, **common)
    visits.request(resolves & cold, 0.3, reference=index, variables=seen, **common)
    visits.request(containers, 0.0, **tagged, **common)
    taken = cold | containers
    visits.request(taken, 0.6, reference=child, variables=seen_child, **common)
    layer = _texts([_digest(name, "layer", a, v) for a, v in zip(arch, version, strict=True)])
    sampled = taken & (visits.draw() < 0.12)
    visits.request(sampled, 0.9, **{**common, "event_type": "blob", "status": 307}, reference=layer)


def _python(visits: Visits) -> None:
    draw = visits.draw()
    mirror = visits.of("mirror")
    agents = visits.user_agent("pip").copy()
    for tool, where in (
        ("uv", draw < 0.38),
        ("poetry", (draw >= 0.38) & (draw < 0.46)),
        ("python mirror", mirror),
        ("library", (draw > 0.985) & ~mirror),
    ):
        agents[where] = visits.user_agent(tool)[where]
    sdist = visits.draw() < 0.03
    version = _texts([release.pythonic for release in visits.release])
    file = _texts(
        [
            f"acme_rocket-{v}.tar.gz" if s else f"acme_rocket-{v}-py3-none-any.whl"
            for v, s in zip(version, sdist, strict=True)
        ]
    )
    everyone = np.ones(len(visits), dtype=np.bool_)
    visits.request(
        everyone,
        0.0,
        event_type="metadata",
        status=np.where(visits.draw() < 0.4, 304, 200),
        artifact="acme-rocket",
        user_agent=agents,
    )
    wants = visits.draw() < np.where(visits.of("ci"), 0.9, 0.8)
    described = wants & ~sdist & (visits.draw() < 0.5)
    metadata = file + ".metadata"
    visits.request(
        described,
        0.2,
        event_type="metadata",
        artifact=metadata,
        version=version,
        reference=metadata,
        user_agent=agents,
    )
    visits.request(wants, 0.4, artifact=file, version=version, reference=file, user_agent=agents)


def _npm(visits: Visits) -> None:
    draw = visits.draw()
    mirror = visits.of("mirror")
    agents = visits.user_agent("npm").copy()
    for tool, where in (
        ("pnpm", draw < 0.22),
        ("yarn", (draw >= 0.22) & (draw < 0.38)),
        ("npm mirror", mirror),
    ):
        agents[where] = visits.user_agent(tool)[where]
    version = _texts([release.semantic for release in visits.release])
    file = "rocket-" + version + ".tgz"
    locked = visits.draw() < np.where(visits.of("ci"), 0.7, 0.3)
    visits.request(
        ~locked,
        0.0,
        event_type="metadata",
        status=200,
        artifact=visits.package.name,
        user_agent=agents,
    )
    visits.request(
        locked | (visits.draw() < 0.75),
        0.3,
        artifact=file,
        version=version,
        reference=file,
        user_agent=agents,
    )


def _binary(visits: Visits) -> None:
    draw = visits.draw()
    systems = _platforms(visits)
    is_mac = np.array([name == "darwin" for name, _ in systems], dtype=np.bool_)
    brew = is_mac & visits.of("person") & (draw < 0.55)
    browser = visits.of("person") & ~brew & (draw > 0.82)
    agents = visits.user_agent("curl").copy()
    for tool, where in (("homebrew", brew), ("browser", browser), ("bot", visits.of("bot"))):
        agents[where] = visits.user_agent(tool)[where]
    version = _texts([release.semantic for release in visits.release])
    file = _texts(
        [
            f"rocket-{v}-{system}-{arch}.{'zip' if system == 'windows' else 'tar.gz'}"
            for v, (system, arch) in zip(version, systems, strict=True)
        ]
    )
    variables = _texts(
        [
            _json(("version", v), ("os", system), ("arch", arch))
            for v, (system, arch) in zip(version, systems, strict=True)
        ]
    )
    referrers = _texts([None] * len(visits))
    referrers[browser] = _referrers(visits)[browser]
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


def _deb(visits: Visits) -> None:
    agents = visits.user_agent("apt")
    everyone = np.ones(len(visits), dtype=np.bool_)
    visits.request(
        everyone,
        0.0,
        event_type="metadata",
        artifact="InRelease",
        reference="dists/stable/InRelease",
        user_agent=agents,
        variables=_json(("format", "apt")),
    )
    arch = [pair[1] for pair in _platforms(visits)]
    version = _texts([release.debian for release in visits.release])
    file = _texts([f"rocket_{v}_{a}.deb" for v, a in zip(version, arch, strict=True)])
    variables = _texts([_json(("format", "apt"), ("arch", a)) for a in arch])
    visits.request(
        visits.draw() < 0.55,
        1.2,
        artifact=file,
        version=version,
        reference="pool/main/r/rocket/" + file,
        user_agent=agents,
        variables=variables,
    )


_REFERRERS: Final[tuple[tuple[float, str | None], ...]] = (
    (16, "https://www.google.com/"),
    (5, "https://duckduckgo.com/"),
    (4, "https://www.bing.com/"),
    (14, "https://github.com/acme/rocket"),
    (3, "https://github.com/acme/rocket/releases"),
    (12, f"{_SITE}/install"),
    (9, f"{_SITE}/quickstart"),
    (3, "https://hub.docker.com/r/acme/rocket"),
    (3, "https://stackoverflow.com/questions/tagged/rocket"),
    (3, "https://www.reddit.com/r/devops/"),
    (2, "https://dev.to/"),
    (2, "https://www.linkedin.com/"),
    (2, "https://t.co/"),
    (1, "https://medium.com/"),
    (1, "https://chatgpt.com/"),
    (14, None),
)
_NEWS: Final[tuple[tuple[float, str | None], ...]] = (
    (60, "https://news.ycombinator.com/"),
    (9, "https://www.reddit.com/r/programming/"),
    (8, "https://lobste.rs/"),
    (6, "https://t.co/"),
    (5, "https://www.linkedin.com/"),
)


def _referrers(visits: Visits) -> Texts:
    usual = _pick(visits, _REFERRERS)
    news = _pick(visits, _NEWS)
    fresh = 0.72 * np.exp(-days_since_launch(visits.day) / 2.0)
    return np.where(visits.draw() < fresh, news, usual)


def _pick(visits: Visits, choices: tuple[tuple[float, str | None], ...]) -> Texts:
    weights, texts = zip(*choices, strict=True)
    share = np.array(weights) / sum(weights)
    return _texts(list(texts))[visits.random.choice(len(texts), len(visits), p=share)]


_PAGES: Final[tuple[tuple[float, str | None], ...]] = (
    (10, "/"),
    (9, "/install"),
    (8, "/quickstart"),
    (4, "/configuration"),
    (3, "/docker"),
    (3, "/ci"),
    (2, "/changelog"),
)


def _pixel(visits: Visits) -> None:
    agents = visits.user_agent("browser").copy()
    bot = visits.of("bot")
    agents[bot] = visits.user_agent("bot")[bot]
    page = _pick(visits, _PAGES)
    variables = _texts([_json(("x-pxid", "7f1d0c3e"), ("page", f"{_SITE}{path}")) for path in page])
    visits.request(
        np.ones(len(visits), dtype=np.bool_),
        0.0,
        event_type="view",
        status=200,
        artifact="a.png",
        user_agent=agents,
        referrer=_referrers(visits),
        variables=variables,
    )


def _telemetry(visits: Visits) -> None:
    commands = ("launch", "launch", "launch", "plan", "plan", "rollback", "login", "logs")
    chosen = visits.random.choice(len(commands), len(visits))
    version = _texts([release.semantic for release in visits.release])
    variables = _texts(
        [
            _json(("command", commands[c]), ("os", system), ("arch", arch))
            for c, (system, arch) in zip(chosen, _platforms(visits), strict=True)
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


def _npm_install(visits: Visits) -> None:
    nodes = ("v22.20.0", "v20.19.5", "v24.9.0", "v18.20.8")
    chosen = visits.random.choice(4, len(visits), p=(0.4, 0.33, 0.15, 0.12))
    version = _texts([release.semantic for release in visits.release])
    variables = _texts(
        [
            _json(
                ("libraryType", "npm"),
                ("rawPlatform", "win32" if system == "windows" else system),
                ("rawArch", "x64" if arch == "amd64" else arch),
                ("nodeVersion", nodes[node]),
            )
            for node, (system, arch) in zip(chosen, _platforms(visits), strict=True)
        ]
    )
    visits.request(
        np.ones(len(visits), dtype=np.bool_),
        0.0,
        event_type="install",
        method="POST",
        status=200,
        artifact=visits.package.name,
        version=version,
        user_agent=visits.user_agent("silent"),
        variables=variables,
    )


_FILES: Final[tuple[tuple[float, str | None], ...]] = (
    (5, "install.sh"),
    (2, "examples/rocket.toml"),
    (2, "schema/rocket.schema.json"),
    (1, "acme-public-key.asc"),
    (1, "//downloads/rocket-handbook.pdf"),
)


def _everything_else(visits: Visits) -> None:
    agents = visits.user_agent("curl").copy()
    library = visits.draw() < 0.25
    agents[library] = visits.user_agent("library")[library]
    bot = visits.of("bot")
    agents[bot] = visits.user_agent("bot")[bot]
    file = _pick(visits, _FILES)
    visits.request(
        np.ones(len(visits), dtype=np.bool_),
        0.0,
        artifact=file,
        reference=file,
        user_agent=agents,
    )


PACKAGES: Final = (
    Package(
        "acme/rocket",
        "docker",
        "cr.acme.example",
        0.20,
        {"person": 0.5, "ci": 0.34, "server": 0.15, "mirror": 0.01},
        _image,
    ),
    Package(
        "acme/rocket-agent",
        "docker",
        "cr.acme.example",
        0.12,
        {"server": 0.7, "ci": 0.12, "person": 0.18},
        _image,
    ),
    Package(
        "acme-rocket",
        "python",
        "python.acme.example",
        0.17,
        {"person": 0.55, "ci": 0.38, "server": 0.03, "mirror": 0.04},
        _python,
    ),
    Package(
        "@acme/rocket",
        "npm",
        "npm.acme.example",
        0.10,
        {"person": 0.5, "ci": 0.45, "mirror": 0.05},
        _npm,
    ),
    Package(
        "acme/rocket-cli",
        "file",
        "get.acme.example",
        0.14,
        {"person": 0.72, "ci": 0.25, "bot": 0.03},
        _binary,
    ),
    Package(
        "acme/rocket-deb",
        "repository",
        "deb.acme.example",
        0.05,
        {"server": 0.5, "ci": 0.25, "person": 0.25},
        _deb,
    ),
    Package(
        "acme/docs", "pixel", "pixel.acme.example", 0.14, {"person": 0.87, "bot": 0.13}, _pixel
    ),
    Package(
        "acme/rocket-telemetry",
        "telemetry",
        "telemetry.acme.example",
        0.05,
        {"person": 0.85, "ci": 0.15},
        _telemetry,
    ),
    Package(
        "@acme/rocket-ui",
        "npm",
        "telemetry.acme.example",
        0.04,
        {"person": 0.55, "ci": 0.45},
        _npm_install,
    ),
    Package(
        "get.acme.example",
        "catch-all",
        "get.acme.example",
        0.03,
        {"person": 0.5, "ci": 0.1, "bot": 0.4},
        _everything_else,
    ),
)
