"""Cargo registries: the sparse index, and crates by name and version."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments
from gateway.formats.file_names import at_version

CONFIG: Final = "config.json"
# Where the `dl` of a served config.json leads: crates/<name>/<version>[/<checksum>]/download.
DOWNLOADS: Final = "crates"

_CRATE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_CRATE: Final = ".crate"


def classify(segments: Segments) -> Artifact:
    """A crate is a download, by the registry's endpoint or by its file; the index is metadata."""
    match segments:
        case ("api", "v1", "crates", name, version, "download"):
            return _crate(name, version)
        case ("crates", name, version, "download") | ("crates", name, version, _, "download"):
            return _crate(name, version)
        case (*folders, file) if file.endswith(_CRATE):
            return _crate_file(tuple(folders), file.removesuffix(_CRATE))
        case ("api", "v1", "crates", name, *_):
            return Artifact(kind="metadata", name=name)
    if len(segments) > 1 and _index_path(segments[-1]) == segments:
        return Artifact(kind="metadata", name=segments[-1])
    return REPOSITORY


def _crate(name: str, version: str) -> Artifact:
    return Artifact(kind="download", name=name, version=version, file=f"{name}-{version}{_CRATE}")


def _crate_file(folders: Segments, stem: str) -> Artifact:
    # Mirrors put a crate into a folder of its name, which then tells where the version begins.
    for folder in reversed(folders):
        if stem.startswith(f"{folder}-"):
            return Artifact(kind="download", name=folder, version=stem.removeprefix(f"{folder}-"))
    name, version = at_version(stem)
    return Artifact(kind="download", name=name, version=version)


def _index_path(name: str) -> Segments:
    """Where the index has a crate: 1/a, 2/ab, 3/a/abc, ac/me/acme."""
    if not _CRATE_NAME.fullmatch(name):
        return ()
    lower = name.lower()
    match len(name):
        case 1 | 2 as length:
            return (str(length), name)
        case 3:
            return ("3", lower[0], name)
    return (lower[:2], lower[2:4], name)
