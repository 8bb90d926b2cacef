"""Manifests kept: by digest for ever, within budgets; by tag until it is asked for again."""

import hashlib
import time
from collections.abc import Callable

import msgspec

from gateway.upstream.bounded import Bounded
from gateway.upstream.child import Child
from gateway.upstream.keys import DigestKey, TagKey
from gateway.upstream.platforms import children_of
from gateway.upstream.store import Store, StoredTag

_HASHES = frozenset({"sha256", "sha384", "sha512"})
_KNOWN_TAGS = 100_000


class Manifest(msgspec.Struct, frozen=True):
    """A manifest as its registry sent it."""

    digest: str  # "": the registry did not say, and it was asked for by tag
    media_type: str
    body: bytes
    children: tuple[Child, ...] = ()  # of an index


class Resolution(msgspec.Struct, frozen=True):
    """What a tag pointed to when it was last asked for."""

    digest: str
    media_type: str
    length: str  # as in the Content-Length header
    asked_at: float


class Manifests:
    """The manifests and tags of public repositories: in memory, and manifests in the store too."""

    def __init__(
        self,
        budget: int,
        tag_seconds: float,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._tag_seconds = tag_seconds
        self._clock = clock
        self._manifests: Bounded[DigestKey, Manifest] = Bounded(budget, lambda held: len(held.body))
        self._tags: Bounded[TagKey, Resolution] = Bounded(_KNOWN_TAGS)

    def get(self, key: DigestKey) -> Manifest | None:
        """A manifest seen before, by this worker or by another one."""
        held = self._manifests.get(key)
        if held is not None:
            return held
        stored = self._store.get(key)
        if stored is None or not is_digest_of(key.digest, stored[1]):
            return None
        manifest = manifest_of(stored[1], stored[0], key.digest)
        self._manifests.put(key, manifest)
        return manifest

    def put(self, key: DigestKey, manifest: Manifest) -> None:
        """Keep a manifest, if its bytes are what its digest says."""
        if is_digest_of(key.digest, manifest.body):
            self._manifests.put(key, manifest)
            self._store.put(key, manifest.media_type, manifest.body)

    def resolution(self, key: TagKey) -> Resolution | None:
        """What a tag pointed to, however long ago."""
        known = self._tags.get(key)
        if known is not None:
            return known
        # Asked by another worker, or before a restart.
        stored = self._store.tag(key)
        if stored is None:
            return None
        age = max(0.0, time.time() - stored.asked_at)
        known = Resolution(stored.digest, stored.media_type, stored.length, self._clock() - age)
        self._tags.put(key, known)
        return known

    def is_fresh(self, resolution: Resolution) -> bool:
        """Whether a resolution can be believed without asking."""
        return self._clock() - resolution.asked_at < self._tag_seconds

    def resolve(self, key: TagKey, digest: str, media_type: str, length: str) -> Resolution:
        """Take note of what a tag points to now."""
        resolution = Resolution(digest, media_type, length, self._clock())
        self._tags.put(key, resolution)
        self._store.put_tag(key, StoredTag(digest, media_type, length, time.time()))
        return resolution

    def forget(self, key: TagKey) -> None:
        """Take note that a tag is gone."""
        self._tags.drop(key)
        self._store.drop_tag(key)


def manifest_of(body: bytes, media_type: str, digest: str) -> Manifest:
    """A manifest from a registry's answer; without a digest header it gets its sha256."""
    digest = digest or f"sha256:{hashlib.sha256(body).hexdigest()}"
    return Manifest(digest, media_type, body, children_of(body))


def is_digest_of(digest: str, body: bytes) -> bool:
    """Whether the bytes have this digest; not for algorithms that cannot be checked."""
    algorithm, _, value = digest.partition(":")
    return algorithm in _HASHES and hashlib.new(algorithm, body).hexdigest() == value


def accept_key(accept: str) -> bytes:
    """What an Accept header wants, whatever its order: clients send the same types in any.

    A hash, so that no client can fill the memory with headers that differ.
    """
    types = {part.strip() for part in accept.split(",") if part.strip()}
    return hashlib.blake2b(
        ",".join(sorted(types)).encode("utf-8", "replace"), digest_size=16
    ).digest()
