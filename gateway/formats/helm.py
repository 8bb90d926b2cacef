"""Helm chart repositories."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Kind, Segments
from gateway.formats.file_names import at_version

INDEX: Final = "index.yaml"
# Where a served index leads for charts that lie on another host: elsewhere/<digest>/<file>.
ELSEWHERE: Final = "elsewhere"

_CHART: Final = re.compile(r"(?P<stem>.+)\.(?:tgz|tar\.gz)(?P<provenance>\.prov)?")


def classify(segments: Segments) -> Artifact:
    """A packaged chart is a download; its provenance and the index are metadata."""
    found = _CHART.fullmatch(segments[-1])
    if found is None:
        return REPOSITORY
    name, version = at_version(found["stem"])
    kind: Kind = "metadata" if found["provenance"] else "download"
    return Artifact(kind=kind, name=name, version=version)
