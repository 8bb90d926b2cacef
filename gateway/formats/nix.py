"""Nix binary caches."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known

NARINFO: Final = ".narinfo"
# Where a served narinfo leads: named/<name of its store path>/<the archive's own path>.
NAMED: Final = "named"

_STORE_HASH: Final = r"[0-9a-df-np-sv-z]{32}"
_NAR: Final = re.compile(r"[0-9a-z]+(?:-[^.]+)?\.nar(?:\.(?P<compression>[a-z0-9]+))?")
_LOG: Final = re.compile(rf"{_STORE_HASH}-(?P<name>.+)\.drv")
# As Nix itself parts a name: the version begins behind the first dash before what is no letter.
_NAME: Final = re.compile(r"(?P<name>.+?)(?:-(?P<version>[^a-zA-Z].*?))?")
_OUTPUT: Final = re.compile(
    r"(?P<rest>.+-[0-9].*)-(?P<output>bin|data|debug|dev|devdoc|dist|doc|info|lib|man|py|static)"
)


def classify(segments: Segments) -> Artifact:
    """An archive is a download. Its own path is a hash; the gateway puts the name before it."""
    match segments:
        case (folder, name, *_, file) if folder == NAMED:
            return _archive(file, name)
        case (*_, "nar", file):
            return _archive(file, "")
        case (*_, "log", file):
            found = _LOG.fullmatch(file)
            if found:
                name, version, _ = parts(found["name"])
                return Artifact(kind="metadata", name=name, version=version)
    return REPOSITORY


def parts(store_name: str) -> tuple[str, str | None, str]:
    """Name, version and output of a store path's name, such as openssl-3.0.13-dev."""
    output = _OUTPUT.fullmatch(store_name)
    found = _NAME.fullmatch(output["rest"] if output else store_name)
    if not found:
        return store_name, None, ""
    return found["name"], found["version"], output["output"] if output else ""


def _archive(file: str, store_name: str) -> Artifact:
    found = _NAR.fullmatch(file)
    if not found:
        return REPOSITORY
    name, version, output = parts(store_name)
    facts = known(output=output, compression=found["compression"] or "")
    return Artifact(kind="download", name=name, version=version, facts=facts)
