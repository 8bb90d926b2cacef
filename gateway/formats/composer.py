"""Composer repositories, such as Satis and its relatives make."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known

PACKAGES: Final = "packages.json"

_NAME: Final = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_ARCHIVE: Final = re.compile(r"(?P<stem>.+?)\.(?:tar\.(?:gz|bz2|xz)|zip|tar|tgz|rar)")
# Satis names an archive vendor-name-<version or commit>-zip-<hash>.
_BY_SATIS: Final = re.compile(r"(?P<what>.+)-(?:zip|tar|tgz|rar)-[0-9a-f]{4,64}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHORT: Final = 12  # a whole hash looks like a secret, and the file's name has it
_DESCRIPTION: Final = re.compile(
    rf"(?P<name>{_NAME})(?P<dev>~dev)?(?:\$[0-9a-f]+)?\.json", re.IGNORECASE
)
_PROVIDERS: Final = re.compile(r"p[0-9]?")


def classify(segments: Segments) -> Artifact:
    """An archive of a package is a download; everything in JSON is metadata."""
    match segments:
        case (folder, vendor, file) if _PROVIDERS.fullmatch(folder):
            found = _DESCRIPTION.fullmatch(file)
            if found:
                facts = known(stability="dev" if found["dev"] else "")
                return Artifact(kind="metadata", name=f"{vendor}/{found['name']}", facts=facts)
            return REPOSITORY
    archive = _ARCHIVE.fullmatch(segments[-1])
    if archive is None or segments[0] == "include":
        return REPOSITORY
    return _archive(segments[:-1], archive["stem"])


def _archive(folders: Segments, stem: str) -> Artifact:
    match folders:
        # dist/vendor/name/<file> and dists/vendor/name/1.2.3.0/<commit>.zip
        case ("dist" | "dists" | "archives" | "download" | "downloads", vendor, name, *rest):
            pass
        case (vendor, name, *rest):
            pass
        case _:
            return Artifact(kind="download")
    what = stem.removeprefix(f"{vendor}-{name}-")
    found = _BY_SATIS.fullmatch(what)
    what = found["what"] if found else what
    commit = what if _COMMIT.fullmatch(what) else ""
    version = rest[0] if rest else what
    if _COMMIT.fullmatch(version) or version in {name, f"{vendor}-{name}"}:
        version = ""
    return Artifact(
        kind="download",
        name=f"{vendor}/{name}",
        version=version or None,
        facts=known(commit=commit[:_SHORT]),
    )
