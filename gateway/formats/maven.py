"""Maven repositories, as Maven, Gradle, sbt and Ivy read them."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Kind, Segments, known
from gateway.formats.platforms import named_in

# Checksums and signatures, also of one another: tool.jar.asc.sha1.
_COMPANION: Final = re.compile(r"(?:\.(?:sha1|sha256|sha512|md5|asc|sigstore(?:\.json)?))+$")
_DESCRIPTIONS: Final = frozenset({"pom", "module", "xml"})
# What an editor shows beside an artifact. Nobody installs it.
_DOCUMENTATION: Final = frozenset({"sources", "javadoc", "test-sources", "test-javadoc"})
_SNAPSHOT: Final = "-SNAPSHOT"
_TIMESTAMP: Final = re.compile(r"-(?P<timestamp>[0-9]{8}\.[0-9]{6}-[0-9]+)(?P<rest>.*)")
_TAIL: Final = re.compile(
    r"(?:-(?P<classifier>.+?))?\.(?P<extension>(?:tar\.[A-Za-z0-9]+|[A-Za-z0-9_+]+))"
)


def classify(segments: Segments) -> Artifact:
    """A version's files but for its POM, checksums, signatures and documentation are downloads.

    A project of POM packaging, such as a parent or a bill of materials, has a POM alone and is
    never counted: every build fetches the POMs of all that it depends on.
    """
    file = segments[-1]
    bare = _COMPANION.sub("", file)
    if segments[0].startswith(".") or bare == "archetype-catalog.xml":
        return REPOSITORY
    if bare == "maven-metadata.xml":
        return _list_of_versions(segments[:-1])
    # a group has one segment at least
    if len(segments) < 4:  # noqa: PLR2004 - group, artifact, version, file
        return REPOSITORY
    *group, artifact, version, _ = segments
    name = f"{'.'.join(group)}:{artifact}"
    found, timestamp = _tail(bare, artifact, version)
    if found is None:
        return Artifact(kind="metadata", name=name, version=version)
    extension, classifier = found["extension"], found["classifier"] or ""
    is_download = (
        bare == file and extension not in _DESCRIPTIONS and classifier not in _DOCUMENTATION
    )
    facts = known(
        classifier=classifier,
        extension=extension,
        timestamp=timestamp,
        platform=named_in(classifier),
    )
    kind: Kind = "download" if is_download else "metadata"
    return Artifact(kind=kind, name=name, version=version, facts=facts)


def _list_of_versions(folders: Segments) -> Artifact:
    *group, artifact = folders or ("",)
    if group and artifact.endswith(_SNAPSHOT):
        *group, name = group
        if group:
            return Artifact(kind="metadata", name=f"{'.'.join(group)}:{name}", version=artifact)
    return Artifact(kind="metadata", name=f"{'.'.join(group)}:{artifact}" if group else "")


def _tail(file: str, artifact: str, version: str) -> tuple[re.Match[str] | None, str]:
    """What stands behind artifact and version in a file's name, and a snapshot's timestamp."""
    exact = f"{artifact}-{version}"
    if file.startswith(exact):
        return _TAIL.fullmatch(file, len(exact)), ""
    # In the folder 1.0-SNAPSHOT a deployed file is named 1.0-20260131.120000-3.
    base = f"{artifact}-{version.removesuffix(_SNAPSHOT)}"
    if version.endswith(_SNAPSHOT) and file.startswith(base):
        stamped = _TIMESTAMP.fullmatch(file, len(base))
        if stamped:
            return _TAIL.fullmatch(stamped["rest"]), stamped["timestamp"]
    return None, ""
