# ruff: noqa: PLR2004 - the shares are the story; names for them would only hide it
"""How Acme's images are pulled."""

from typing import Final

import numpy as np

from pipeline.acme.visits import Visits, compact_json, digest, platforms, texts

_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"


def pull_image(visits: Visits) -> None:
    """Containers: a tag resolved, its index and one manifest fetched, as each client does it."""
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
    version = [
        release.semantic + ("-alpine" if s > 0.92 else "")
        for s, release in zip(style, visits.release, strict=True)
    ]
    tags = texts(
        [
            "latest"
            if s < 0.3
            else release.semantic.rpartition(".")[0]
            if s < 0.45 and not release.candidate
            else v
            for s, release, v in zip(style, visits.release, version, strict=True)
        ]
    )
    arch = [pair[1] for pair in platforms(visits)]
    index = texts([digest(name, "index", v) for v in version])
    child = texts([digest(name, a, v) for a, v in zip(arch, version, strict=True)])
    seen = texts([compact_json(("digest", i), ("media_type", _INDEX)) for i in index])
    seen_child = texts(
        [
            compact_json(
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
    layer = texts([digest(name, "layer", a, v) for a, v in zip(arch, version, strict=True)])
    sampled = taken & (visits.draw() < 0.12)
    visits.request(sampled, 0.9, **{**common, "event_type": "blob", "status": 307}, reference=layer)
