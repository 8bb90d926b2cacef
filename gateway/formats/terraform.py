"""Terraform: the registry protocol, provider mirrors, and folders of provider archives."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known
from gateway.formats.platforms import platform

DISCOVERY: Final = (".well-known", "terraform.json")

_PROVIDER: Final = re.compile(
    r"terraform-provider-(?P<type>[^_]+)_v?(?P<version>[^_]+)_(?P<os>[^_]+)_(?P<arch>[^_]+)\.zip"
)
# Terraform's own archives, and those of programs that are released beside it.
_PROGRAM: Final = re.compile(
    r"(?P<name>[a-z][a-z0-9-]*)_v?(?P<version>[0-9][^_]*)_(?P<os>[^_]+)_(?P<arch>[^_]+)\.zip"
)
_SUMS: Final = re.compile(
    r"(?P<name>[a-z][a-z0-9-]*)_v?(?P<version>[0-9][^_]*)_(?:SHA256SUMS(?:\..*)?|manifest\.json)"
)
_MODULE: Final = re.compile(r".+\.(?:zip|tar\.(?:gz|bz2|xz)|tgz|tbz2|txz)")


def classify(segments: Segments) -> Artifact:
    """A registry's answer where an archive is, and the archive itself, are one download each.

    Archives usually lie on another host, so the answer is what is seen. Where the archive comes by
    as well, both have one file's name, and what repeats at once is counted once.
    """
    match segments:
        case ("v1", "providers", space, kind, version, "download", system, arch):
            return _provider(f"{space}/{kind}", kind, version, system, arch)
        case ("v1", "providers", space, kind, *_):
            return Artifact(kind="metadata", name=f"{space}/{kind}")
        case ("v1", "modules", space, name, system, version, "download"):
            return _module(f"{space}/{name}/{system}", version)
        case ("v1", "modules", space, name, system, *_):
            return Artifact(kind="metadata", name=f"{space}/{name}/{system}")
        case ("v1" | ".well-known", *_):
            return REPOSITORY
    return _file(segments)


def is_mirror_version(segments: Segments) -> bool:
    """Whether a provider mirror lists a version's archives here: host/space/type/1.2.3.json."""
    match segments:
        case (*_, host, _, _, file):
            # an index names no archives
            return "." in host and file.endswith(".json") and file[:1].isdigit()
    return False


def _provider(name: str, kind: str, version: str, system: str, arch: str) -> Artifact:
    return Artifact(
        kind="download",
        name=name,
        version=version,
        file=f"terraform-provider-{kind}_{version}_{system}_{arch}.zip",
        facts=known(os=system, arch=arch, platform=platform(system, arch)),
    )


def _module(name: str, version: str) -> Artifact:
    file = f"{name.replace('/', '-')}-{version}"
    return Artifact(kind="download", name=name, version=version, file=file)


def _file(segments: Segments) -> Artifact:
    *folders, file = segments
    provider = _PROVIDER.fullmatch(file)
    if provider:
        kind = provider["type"]
        name = _with_space(folders, kind)
        return _provider(name, kind, provider["version"], provider["os"], provider["arch"])
    if is_mirror_version(segments) or (file == "index.json" and len(folders) > 1):
        version = file.removesuffix(".json") if file != "index.json" else None
        return Artifact(kind="metadata", name="/".join(folders[-2:]), version=version)
    sums = _SUMS.fullmatch(file)
    if sums:
        kind = sums["name"].removeprefix("terraform-provider-")
        return Artifact(kind="metadata", name=_with_space(folders, kind), version=sums["version"])
    program = _PROGRAM.fullmatch(file)
    if program:
        system, arch = program["os"], program["arch"]
        facts = known(os=system, arch=arch, platform=platform(system, arch))
        return Artifact(
            kind="download", name=program["name"], version=program["version"], facts=facts
        )
    return Artifact(kind="download") if _MODULE.fullmatch(file) else REPOSITORY


def _with_space(folders: list[str], kind: str) -> str:
    """A provider with its namespace, where folders name it, such as host/space/type."""
    for at, folder in enumerate(folders):
        if folder == kind and at:
            return f"{folders[at - 1]}/{kind}"
    return kind
