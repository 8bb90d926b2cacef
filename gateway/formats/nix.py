"""Nix binary caches."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known

_STORE_HASH: Final = r"[0-9a-df-np-sv-z]{32}"
_NAR: Final = re.compile(r"[0-9a-z]+(?:-[^.]+)?\.nar(?:\.(?P<compression>[a-z0-9]+))?")
_LOG: Final = re.compile(rf"{_STORE_HASH}-(?P<name>.+?)(?:-(?P<version>[0-9].*))?\.drv")


def classify(segments: Segments) -> Artifact:
    """A NAR is a download. Its path is a hash, so the package is the repository."""
    file = segments[-1]
    match segments:
        case (*_, "nar", _):
            found = _NAR.fullmatch(file)
            if found:
                facts = known(compression=found["compression"] or "")
                return Artifact(kind="download", facts=facts)
        case (*_, "log", _):
            found = _LOG.fullmatch(file)
            if found:
                return Artifact(kind="metadata", name=found["name"], version=found["version"])
    return REPOSITORY
