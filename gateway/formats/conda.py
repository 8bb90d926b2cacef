"""Conda channels, as conda, mamba and pixi read them."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known
from gateway.formats.platforms import platform

_PACKAGE: Final = re.compile(
    r"(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)\.(?P<ending>conda|tar\.bz2)"
)
_SUBDIR: Final = re.compile(
    r"noarch|(?:linux|osx|win|freebsd|zos|emscripten|wasi)-[a-z0-9]+", re.IGNORECASE
)
# Conda calls an architecture by its number of bits where it had only one.
_ARCHES: Final = {"64": "amd64", "32": "386", "armv7l": "armv7l"}


def classify(segments: Segments) -> Artifact:
    """A package in a platform's folder is a download; everything else is metadata."""
    *folders, file = segments
    subdir = folders[-1] if folders and _SUBDIR.fullmatch(folders[-1]) else ""
    channel = "/".join(folders[:-1] if subdir else folders)
    found = _PACKAGE.fullmatch(file)
    if not found:
        facts = known(subdir=subdir, channel=channel) if subdir else {}
        return Artifact(kind="metadata", facts=facts) if facts else REPOSITORY
    system, _, arch = subdir.partition("-")
    facts = known(
        subdir=subdir,
        channel=channel,
        build=found["build"],
        platform=platform(system, _ARCHES.get(arch, arch)),
    )
    return Artifact(kind="download", name=found["name"], version=found["version"], facts=facts)
