"""What a path in a repository names."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Segments = tuple[str, ...]
Kind = Literal["download", "metadata"]


class Artifact(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one path names, as far as the path tells."""

    kind: Kind
    name: str = ""  # the package, as its ecosystem writes it; "": none, or none that the path tells
    version: str | None = None
    file: str = ""  # the artifact's name; "": the path's last segment
    # The rest that the path tells, such as platform, arch or classifier; without empty values.
    # A platform is written as image platforms are: linux/arm64, darwin/amd64, linux/arm/v7.
    facts: Mapping[str, str] = {}


REPOSITORY = Artifact(kind="metadata")  # of the repository itself


def known(**facts: str) -> dict[str, str]:
    """The facts that there are."""
    return {name.replace("_", "-"): value for name, value in facts.items() if value}
