"""What manifests and tags are kept by."""

import msgspec


class DigestKey(msgspec.Struct, frozen=True):
    """A digest within its repository: knowing a digest gives no right to another repository's."""

    registry: str
    repository: str
    digest: str


class TagKey(msgspec.Struct, frozen=True):
    """A tag means what its client can read: registries choose by the Accept header."""

    registry: str
    repository: str
    tag: str
    accept: bytes  # see manifests.accept_key
