"""The Go module proxy protocol, and a checksum database behind the same proxy."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known

_ESCAPED: Final = re.compile("!([a-z])")
_FILE: Final = re.compile(r"(?P<version>.+)\.(?P<ending>info|mod|zip|ziphash)")
# A commit without a release: v0.0.0-20260131120000-0123456789ab, also behind a pre-release.
_PSEUDO: Final = re.compile(
    r".+[-.](?P<time>[0-9]{14})-(?P<commit>[0-9a-f]{12})(?:\+incompatible)?"
)
_TOOLCHAIN: Final = re.compile(r".+-go[0-9][^-]*\.(?P<os>[a-z0-9]+)-(?P<arch>[a-z0-9]+)")


def classify(segments: Segments) -> Artifact:
    """A module's .zip is a download. Its name keeps a major version's /v2, as import paths do."""
    if segments[0] == "sumdb":
        return _checksum(segments[1:])
    match segments:
        case (*path, "@latest") if path:
            return Artifact(kind="metadata", name=_module(path))
        case (*path, "@v", "list") if path:
            return Artifact(kind="metadata", name=_module(path))
        case (*path, "@v", file) if path:
            return _of_version(_module(path), file)
    return REPOSITORY


def _module(path: list[str]) -> str:
    return _unescaped("/".join(path))


def _unescaped(text: str) -> str:
    """Upper case is written !x, because not every file system tells the cases apart."""
    return _ESCAPED.sub(lambda found: found[1].upper(), text)


def _of_version(module: str, file: str) -> Artifact:
    found = _FILE.fullmatch(_unescaped(file))
    if found is None:
        return Artifact(kind="metadata", name=module)
    version = found["version"]
    pseudo, toolchain = _PSEUDO.fullmatch(version), _TOOLCHAIN.fullmatch(version)
    return Artifact(
        kind="download" if found["ending"] == "zip" else "metadata",
        name=module,
        version=version,
        facts=known(
            commit=pseudo["commit"] if pseudo else "",
            platform=f"{toolchain['os']}/{toolchain['arch']}" if toolchain else "",
        ),
    )


def _checksum(segments: Segments) -> Artifact:
    """sumdb/<host>/{supported,latest,lookup/<module>@<version>,tile/...}."""
    match segments:
        case (_, "lookup", *path) if path:
            module, _, version = _module(path).rpartition("@")
            if module:
                return Artifact(kind="metadata", name=module, version=version or None)
    return REPOSITORY
