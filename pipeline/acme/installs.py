# ruff: noqa: PLR2004 - the shares are the story; names for them would only hide it
"""How Acme's packages are installed from Python, npm and Debian repositories."""

import numpy as np

from pipeline.acme.visits import Visits, compact_json, platforms, texts


def install_python(visits: Visits) -> None:
    """The index page, maybe the metadata, and the wheel."""
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
    version = texts([release.pythonic for release in visits.release])
    file = texts(
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


def install_npm(visits: Visits) -> None:
    """The packument where nothing is locked, and the tarball."""
    draw = visits.draw()
    mirror = visits.of("mirror")
    agents = visits.user_agent("npm").copy()
    for tool, where in (
        ("pnpm", draw < 0.22),
        ("yarn", (draw >= 0.22) & (draw < 0.38)),
        ("npm mirror", mirror),
    ):
        agents[where] = visits.user_agent(tool)[where]
    version = texts([release.semantic for release in visits.release])
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


def report_npm_install(visits: Visits) -> None:
    """A post-install report."""
    nodes = ("v22.20.0", "v20.19.5", "v24.9.0", "v18.20.8")
    chosen = visits.random.choice(4, len(visits), p=(0.4, 0.33, 0.15, 0.12))
    version = texts([release.semantic for release in visits.release])
    variables = texts(
        [
            compact_json(
                ("libraryType", "npm"),
                ("rawPlatform", "win32" if system == "windows" else system),
                ("rawArch", "x64" if arch == "amd64" else arch),
                ("nodeVersion", nodes[node]),
            )
            for node, (system, arch) in zip(chosen, platforms(visits), strict=True)
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


def install_deb(visits: Visits) -> None:
    """The index that apt asks for first, and the package."""
    agents = visits.user_agent("apt")
    everyone = np.ones(len(visits), dtype=np.bool_)
    visits.request(
        everyone,
        0.0,
        event_type="metadata",
        artifact="InRelease",
        reference="dists/stable/InRelease",
        user_agent=agents,
        variables=compact_json(("format", "apt")),
    )
    arch = [pair[1] for pair in platforms(visits)]
    version = texts([release.debian for release in visits.release])
    file = texts([f"rocket_{v}_{a}.deb" for v, a in zip(version, arch, strict=True)])
    variables = texts([compact_json(("format", "apt"), ("arch", a)) for a in arch])
    visits.request(
        visits.draw() < 0.55,
        1.2,
        artifact=file,
        version=version,
        reference="pool/main/r/rocket/" + file,
        user_agent=agents,
        variables=variables,
    )
