"""Any tree of files: what is no signature, checksum or index is a download."""

import re
from typing import Final

from gateway.artifacts import event_type
from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known
from gateway.formats.file_names import is_version, version_in
from gateway.formats.platforms import named_in

_INDEX: Final = re.compile(
    r"(?:.*[._-])?index\.(?:html?|json|ya?ml|xml|txt)(?:\.gz)?"
    r"|(?:latest|stable|versions?|releases|manifest|feed|appcast)(?:\.(?:txt|json|ya?ml|xml|md))?"
    r"|.*\.(?:rss|atom|torrent|metalink|meta4|html?|css|ico)"
    r"|readme.*|licen[cs]e.*|changelog.*|.*\.(?:gpg|key|pub)",
    re.IGNORECASE,
)


def classify(segments: Segments) -> Artifact:
    """Read the version from a folder, else from the file's name; the package is the repository."""
    *folders, file = segments
    if event_type(file) == "metadata" or _INDEX.fullmatch(file):
        return REPOSITORY
    of_folder = next((each for each in reversed(folders) if is_version(each)), None)
    platform = named_in(file) or named_in("-".join(folders))
    return Artifact(
        kind="download", version=of_folder or version_in(file), facts=known(platform=platform)
    )
