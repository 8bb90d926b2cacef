"""Which platform a manifest is for: known from the indexes that have passed."""

from typing import Any

import msgspec

from gateway.upstream.bounded import Bounded
from gateway.upstream.child import Child
from gateway.upstream.keys import DigestKey
from gateway.upstream.store import Store

# What builders write for manifests that are no image, such as attestations.
NO_PLATFORM = "unknown/unknown"

_REFERENCE_TYPE = "vnd.docker.reference.type"
_KNOWN_CHILDREN = 100_000


class Platforms:
    """Remembers, within bounds, which index named a digest last and for which platform."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._named: Bounded[str, tuple[str, str]] = Bounded(_KNOWN_CHILDREN)

    def learn(self, index: str, children: tuple[Child, ...]) -> None:
        """Take note of an index that is being served.

        Each time it is, not only the first: images share children, and a client fetches the child
        right after the index that it chose it from.
        """
        for child in children:
            self._named.put(child.digest, (child.platform, index))

    def variables(self, key: DigestKey) -> dict[str, str]:
        """What the event of a manifest says of its platform, empty while no index named it."""
        # A client's next request may come to another worker, which has not seen the index.
        named = self._named.get(key.digest) or self._store.platform(key)
        return {} if named is None else {"platform": named[0], "index": named[1]}


def children_of(manifest: bytes) -> tuple[Child, ...]:
    """The manifests that an index names; none for what is no index. Total."""
    try:
        document = msgspec.json.decode(manifest)
    except (ValueError, RecursionError):  # no JSON, or none in UTF-8
        return ()
    entries = document.get("manifests") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return ()
    return tuple(child for entry in entries if (child := _child(entry)) is not None)


def _child(entry: Any) -> Child | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("digest"), str):
        return None
    annotations = entry.get("annotations")
    if isinstance(annotations, dict) and _REFERENCE_TYPE in annotations:
        return Child(entry["digest"], NO_PLATFORM)
    platform = entry.get("platform")
    if not isinstance(platform, dict):
        return None
    parts = [platform.get(key) for key in ("os", "architecture", "variant")]
    if not all(isinstance(part, str) for part in parts[:2]):
        return None
    return Child(
        entry["digest"], "/".join(part for part in parts if isinstance(part, str) and part)
    )
