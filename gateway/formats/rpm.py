"""RPM repositories, as dnf, yum and zypper read them."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known
from gateway.formats.file_names import by_underscores
from gateway.formats.platforms import platform

# The epoch stands in front of the version, or of everything; most file names leave it out.
_NEVRA: Final = re.compile(
    r"(?:(?P<before>[0-9]+):)?(?P<name>.+)-(?:(?P<epoch>[0-9]+):)?(?P<version>[^-]+)-(?P<release>[^-]+)"
    r"\.(?P<arch>[^.-]+)"
)
_NAME_VERSION: Final = re.compile(r"(?P<name>.+)-(?P<version>v?[0-9][^-]*)\.(?P<arch>[^.-]+)")
_DELTA: Final = re.compile(
    r"(?P<name>.+)-(?P<before>[^-]+-[^-_]+)_(?:.+-)?(?P<version>[^-]+)-(?P<release>[^-]+)"
    r"\.(?P<arch>[^.-]+)"
)
_SOURCE: Final = frozenset({"src", "nosrc"})


def classify(segments: Segments) -> Artifact:
    """A package is a download, and so is a delta, which is fetched in a package's place."""
    file = segments[-1]
    if file.endswith(".drpm"):
        return _delta(file.removesuffix(".drpm"))
    if file.endswith(".rpm"):
        return _package(file.removesuffix(".rpm"))
    return REPOSITORY


def _package(stem: str) -> Artifact:
    found = _NEVRA.fullmatch(stem)
    if found and found["version"][:1].isalnum():
        return Artifact(
            kind="download",
            name=found["name"],
            version=f"{found['version']}-{found['release']}",
            facts=_facts(
                found["arch"],
                epoch=found["before"] or found["epoch"] or "",
                release=found["release"],
            ),
        )
    short = _NAME_VERSION.fullmatch(stem)
    if short:
        return Artifact(
            kind="download",
            name=short["name"],
            version=short["version"],
            facts=_facts(short["arch"]),
        )
    # Release tools name their packages tool_1.2.3_linux_amd64.rpm.
    name, version, rest = by_underscores(stem)
    arch = rest.removeprefix("linux_")
    return Artifact(kind="download", name=name, version=version, facts=_facts(arch))


def _delta(stem: str) -> Artifact:
    found = _DELTA.fullmatch(stem)
    if not found:
        return Artifact(kind="download", name=stem or "", facts={"packaging": "drpm"})
    facts = _facts(
        found["arch"], release=found["release"], packaging="drpm", delta_from=found["before"]
    )
    version = f"{found['version']}-{found['release']}"
    return Artifact(kind="download", name=found["name"], version=version, facts=facts)


def _facts(arch: str, **others: str) -> dict[str, str]:
    of_arch = "source" if arch in _SOURCE else arch
    return known(arch=of_arch, platform=platform("linux", arch), **others)
