"""What a format tells of a path, as the tables of these tests write it."""

from collections.abc import Callable
from urllib.parse import unquote

from gateway.formats.artifact import Artifact, Segments

Told = tuple[str, str, str | None, dict[str, str]]


def told(classify: Callable[[Segments], Artifact], path: str) -> Told:
    """Kind, package, version and facts of a path below a repository's root."""
    artifact = classify(tuple(unquote(part) for part in path.split("/") if part))
    return artifact.kind, artifact.name, artifact.version, dict(artifact.facts)


def get(name: str, version: str | None, **facts: str) -> Told:
    return "download", name, version, {key.replace("_", "-"): each for key, each in facts.items()}


def about(name: str = "", version: str | None = None, **facts: str) -> Told:
    return "metadata", name, version, {key.replace("_", "-"): each for key, each in facts.items()}
