"""What a request deserves: the answers a protocol can give, and what the event will say of them.

Decisions are values. The server carries them out and knows nothing of protocols; protocols make
them and know nothing of the server.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from gateway.events import EventType, RouteType

NO_STORE = "no-store"


class Hit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the event will say of the request, before the visitor is known."""

    event_type: EventType
    route_type: RouteType
    package_id: str
    package: str
    artifact: str = ""
    version: str | None = None
    reference: str | None = None
    referrer: str | None = None  # None: the Referer header is taken
    user_agent: str | None = None  # None: the User-Agent header is taken
    event_time: int | None = None  # None: now; microseconds since the epoch
    event_id: str | None = None  # None: a new one; else a UUID, equal for a sender's repeated event
    host: str | None = None  # None: the host that was asked
    # The visitor's address where a token vouches for the sender; None: the connection's. It is
    # looked up and hashed like any other and never written.
    address: str | None = None
    variables: Mapping[str, str] = {}


class Redirect(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Send the client on. 307, because clients remember a 301 or 308 and never come back."""

    location: str
    hits: tuple[Hit, ...] = ()
    cache_control: str = NO_STORE


class Reply(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An answer the gateway gives by itself."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = {}
    hits: tuple[Hit, ...] = ()
    cache_control: str = NO_STORE


class Refusal(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A request that is answered with an error, and leaves no event."""

    status: int
    reason: str
    body: bytes | None = None  # None: the reason as JSON
    headers: Mapping[str, str] = {}


class Source(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Where an image is: a registry and its name for it."""

    registry: str  # base URL, without a trailing slash
    repository: str


class FromRegistry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Fetch a manifest, tag list or blob from an OCI registry and hand it on, or just knock.

    The registry's token exchange is the gateway's own business; its redirects for blobs are passed
    on.
    """

    registry: str  # base URL, without a trailing slash
    # "ping" is the API's root, which tells who may come in; it has none of the next three.
    endpoint: Literal["manifests", "blobs", "tags", "referrers", "ping"]
    repository: str = ""  # the registry's name for the image
    image: str = ""  # the public name, for links that lead back to the gateway
    reference: str = ""
    query: str = ""
    # Asked in turn while the registry is down, slow, overloaded or limits us.
    fallbacks: tuple[Source, ...] = ()
    # The client's Basic credentials, for a private registry. With them nothing is shared between
    # clients; without them the client's own Authorization header is never passed on.
    authorization: str | None = None
    allow_private: bool = False  # the upstream may lead into a network of somebody's own
    hits: tuple[Hit, ...] = ()


class FromSimpleIndex(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Serve one project's page of a Python package index, with file links through the gateway.

    With a file named, send the client on to where the page says that this file is.
    """

    index: str  # the upstream's simple root, with a trailing slash
    project: str  # normalized
    base: str  # where file links shall point, absolute, with a trailing slash
    file: str = ""  # a file's name, maybe with .metadata or .asc behind it; "": the page itself
    allow_private: bool = False
    hits: tuple[Hit, ...] = ()


class FromPackageRegistry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Serve one npm packument or a part of it, with `dist.tarball` through the gateway.

    For a tarball, send the client on to where the packument says that it is.
    """

    registry: str  # base URL, with a trailing slash
    name: str  # decoded, such as @scope/name
    base: str  # the gateway's own root for this registry, absolute, with a trailing slash
    part: Literal["packument", "version", "dist-tags", "tarball"] = "packument"
    reference: str = ""  # the version or dist-tag asked for, or the tarball's file name
    allow_private: bool = False
    hits: tuple[Hit, ...] = ()


RepositoryDocument = Literal["cargo-config", "helm-index", "json-links", "narinfo"]


class FromRepository(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Serve one of a repository's documents, with its links through the gateway.

    With a link named, send the client on to where the document says that it leads.
    """

    upstream: str  # base URL, without a trailing slash
    path: str  # of the document below it, still percent-encoded
    document: RepositoryDocument
    base: str  # the gateway's own root for this repository, absolute, with a trailing slash
    # cargo-config: crate, version and checksum ("" for none); helm-index: digest and file name.
    link: tuple[str, ...] = ()
    allow_private: bool = False
    hits: tuple[Hit, ...] = ()


Fetch = FromRegistry | FromSimpleIndex | FromPackageRegistry | FromRepository
Decision = Redirect | Reply | Refusal | Fetch
