"""Homebrew: bottles on a host of their own or behind a registry's API, and its JSON API."""

import re
from typing import Final

from gateway.artifacts import event_type
from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known
from gateway.formats.file_names import at_version, stem, version_in
from gateway.formats.platforms import named_in

_BOTTLE: Final = re.compile(
    r"(?P<full>.+)\.(?P<tag>all|[a-z][a-z0-9]*(?:_[a-z0-9]+)*)\.bottle(?:\.(?P<rebuild>[0-9]+))?"
    r"\.(?P<ending>tar\.gz|json)"
)
_ARM: Final = "arm64_"
_LINUX: Final = {"x86_64_linux": "linux/amd64", "arm64_linux": "linux/arm64"}
_ARCHIVE: Final = re.compile(
    r".+\.(?:tar\.(?:gz|bz2|xz|zst|lzma)|tgz|tbz|txz|zip|dmg|pkg|jar|gem|exe|7z|gz|xz)"
)


def classify(segments: Segments) -> Artifact:
    """A bottle is a download, and so is a source archive or an application of a cask."""
    file = segments[-1]
    match segments:
        case ("v2", _, _, *name, "blobs", _) if name:
            return Artifact(kind="download", name=_formula(name))
        case ("v2", _, _, *name, "manifests", version) if name:
            return Artifact(kind="metadata", name=_formula(name), version=version)
        case ("api", *_, "formula" | "cask", _) if file.endswith(".json"):
            return Artifact(kind="metadata", name=file.removesuffix(".json"))
        case ("api" | "v2", *_):
            return REPOSITORY
    bottle = _BOTTLE.fullmatch(file)
    if bottle:
        return _bottle(bottle)
    if not _ARCHIVE.fullmatch(file) or event_type(file) == "metadata":
        return REPOSITORY
    return _archive(file)


def _archive(file: str) -> Artifact:
    version = version_in(file)
    name = stem(file).partition(f"-{version}")[0] if version else ""
    facts = known(platform=named_in(file))
    return Artifact(kind="download", name=name, version=version, facts=facts)


def _formula(name: list[str]) -> str:
    # An image's name has no @ and no +, so openssl@3 is openssl/3 there, and libsigc++ libsigcxx.
    return "@".join(name)


def _bottle(found: re.Match[str]) -> Artifact:
    full, tag = found["full"], found["tag"]
    # Two dashes since names with dashes and digits became too many; older hosts have one.
    name, separator, version = full.partition("--")
    if not separator or not name or not version:
        name, of_dash = at_version(full)
        version = of_dash or ""
    if not version:
        name, _, version = full.rpartition("-")
    facts = known(bottle=tag, platform=_platform(tag), rebuild=found["rebuild"] or "")
    return Artifact(
        kind="download" if found["ending"] == "tar.gz" else "metadata",
        name=name or full,
        version=version or None,
        facts=facts,
    )


def _platform(tag: str) -> str:
    """A tag is a system and its architecture, or a name of macOS, on Intel unless it says so."""
    if tag == "all":
        return ""
    if tag in _LINUX:
        return _LINUX[tag]
    return "darwin/arm64" if tag.startswith(_ARM) else "darwin/amd64"
