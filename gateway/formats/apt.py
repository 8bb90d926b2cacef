"""Debian repositories: pools, flat ones, and the indexes that apt reads first."""

import re
from typing import Final
from urllib.parse import unquote

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known
from gateway.formats.file_names import by_underscores
from gateway.formats.platforms import platform

_BINARY: Final = re.compile(r"(?P<stem>.+)\.(?P<ending>deb|udeb|ddeb)")
_SOURCE: Final = re.compile(
    r"(?P<name>[^_]+)_(?P<version>.+?)"
    r"(?P<part>\.dsc|\.orig(?:-[a-z0-9-]+)?\.tar\.[a-z0-9]+|\.debian\.tar\.[a-z0-9]+|\.diff\.gz"
    r"|\.tar\.(?:gz|xz|bz2|zst|lzma))"
)
# Behind these folders of dists/ comes no further part of a component's name.
_BELOW_COMPONENT: Final = re.compile(
    r"binary-(?P<arch>.+)|source|i18n|dep11|debian-installer|cnf|by-hash|installer-.+"
)
_EPOCH: Final = re.compile(r"(?P<epoch>[0-9]+):(?P<rest>.+)")
_SYSTEM: Final = re.compile(r"(?:linux|debian|ubuntu)[_-]", re.IGNORECASE)


def classify(segments: Segments) -> Artifact:
    """A binary package is a download, and so is a source package, by its .dsc alone.

    apt fetches two or three files for one source package; the tarballs are its metadata here, so
    that it counts once.
    """
    file = segments[-1]
    binary = _BINARY.fullmatch(file)
    if binary:
        return _binary(segments, binary["stem"], binary["ending"])
    if segments[0] == "dists":
        return _index(segments)
    source = _SOURCE.fullmatch(file)
    if source:
        version = _plain(source["version"])
        return Artifact(
            kind="download" if source["part"] == ".dsc" else "metadata",
            name=source["name"],
            version=version,
            facts=known(arch="source", **_of_version(version), **_of_pool(segments)),
        )
    return REPOSITORY


def _binary(segments: Segments, stem: str, ending: str) -> Artifact:
    name, version, arch = by_underscores(stem)
    if version is None:
        name, _, arch = stem.partition("_")
    else:
        version = _plain(version)
    # Release tools name their packages tool_1.2.3_linux_amd64.deb.
    arch = _SYSTEM.sub("", arch)
    facts = known(
        arch=arch,
        platform=platform("linux", arch),
        packaging=ending if ending != "deb" else "",
        **_of_version(version or ""),
        **_of_pool(segments),
    )
    return Artifact(kind="download", name=name or stem, version=version, facts=facts)


def _plain(version: str) -> str:
    # Not every file system takes a colon, so some tools write an epoch's as %3a in the name itself.
    return unquote(version)


def _of_version(version: str) -> dict[str, str]:
    found = _EPOCH.fullmatch(version)
    revision = version.rpartition("-")[2] if "-" in version else ""
    return known(epoch=found["epoch"] if found else "", revision=revision)


def _of_pool(segments: Segments) -> dict[str, str]:
    """What pool/<component>/<letter>/<source>/<file> tells."""
    match segments:
        case ("pool", component, _, source, _):
            return {"component": component, "source": source}
        case ("pool", component, _, *_):
            return {"component": component}
    return {}


def _index(segments: Segments) -> Artifact:
    """What dists/<suite>/<component>/<folders>/<file> tells; a component may have slashes."""
    folders = segments[1:-1]
    if not folders:
        return REPOSITORY
    suite, *rest = folders
    component: list[str] = []
    arch = ""
    for at, folder in enumerate(rest):
        below = _BELOW_COMPONENT.fullmatch(folder)
        if below:
            component = rest[:at]
            arches = (_BELOW_COMPONENT.fullmatch(each) for each in rest[at:])
            arch = next((each["arch"] for each in arches if each and each["arch"]), "")
            break
    else:
        # InRelease of a suite with a slash in its name, or Contents of a component.
        if segments[-1].startswith("Contents-"):
            component = rest
        else:
            suite = "/".join(folders)
    facts = known(suite=suite, component="/".join(component), arch=arch)
    return Artifact(kind="metadata", facts=facts)
