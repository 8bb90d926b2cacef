"""The routes: what an operator promises on each domain, as frozen values.

The field names, with dashes for underscores, are the keys of a routes file.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from gateway.destinations import Alias, Health, Target


class _Route(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab", gc=False
):
    # Lower case, without port; "*" is every host, where a domain's own routes are tried first. A
    # file may say domain = "one" for domains = ["one"].
    domains: tuple[str, ...]


class _PackageRoute(_Route, frozen=True, kw_only=True):
    package: str  # the name shown on the dashboard
    package_id: str = ""  # stable identity; "": the package's name


class Fallback(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Another registry that has a docker route's images, asked while the first gives none."""

    registry: str  # a host (https), or a base URL
    repository: str = ""  # its name for the image; "": the same as in the first registry


class DockerRoute(_PackageRoute, frozen=True, kw_only=True, tag="docker"):
    """One image by its public name, or every image that a pattern matches."""

    package: str = ""  # "": the public image name; with a pattern always the matched name
    image: str = ""  # public name, such as acme/tool; exactly one of image and pattern is given
    pattern: str = ""  # such as library/* or acme/{a,b}; a star is one path segment
    registry: str  # a host (https), or a base URL with http:// or https://
    repository: str = ""  # the upstream's name for the image; "": the public name
    mode: Literal["proxy", "redirect"] = "proxy"  # proxy: manifests served, redirects passed on
    allow_private: bool = False  # its token service may be in a network of somebody's own
    private: bool = False  # pass the client's Basic credentials on and share nothing across clients
    fallback: tuple[Fallback, ...] = ()  # in the order they are asked; public images only
    rule_id: str = ""  # reported as a variable by packages that a pattern creates


class _LinkRoute(_PackageRoute, frozen=True, kw_only=True):
    outgoing_url: str = ""  # "": answer 200
    cache_control: str = "no-store"
    target: tuple[Target, ...] = ()  # tried before outgoing_url, each under its conditions
    fallback_urls: tuple[str, ...] = ()  # in order of preference, while the others are down
    health: Health | None = None  # how it is found out what is down
    aliases: Mapping[str, str | Alias] = {}  # what the variable `version` may be called
    versions: tuple[str, ...] = ()  # for aliases that mean the newest


class FileRoute(_LinkRoute, frozen=True, kw_only=True, tag="file"):
    """A path by RFC 6570 template, sent to a URL by template."""

    incoming_path: str  # may carry a query part


class RegexRoute(_LinkRoute, frozen=True, kw_only=True, tag="regex"):
    """A path by regular expression, matched whole, sent to a URL by template over its groups."""

    pattern: str


class PythonFile(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """One distribution file of a Python route that lists its files."""

    url: str
    filename: str = ""  # "": the last segment of the URL
    hashes: Mapping[str, str] = {}  # algorithm to hex digest
    requires_python: str | None = None
    gpg_sig: bool | None = None
    yanked: bool | str = False
    core_metadata: bool | Mapping[str, str] = False
    size: int | None = None
    upload_time: str | None = None


class PythonRoute(_PackageRoute, frozen=True, kw_only=True, tag="python"):
    """One project of the domain's Python index, from listed files or live from an upstream.

    Or, with `pass_through` in a package's place, what becomes of every other project.
    """

    package: str = ""  # exactly one of package and pass_through is given
    pass_through: bool = False  # clients are sent on to the index itself, and nothing is recorded
    index: str = ""  # upstream's simple root; "" without files: the public index
    allow_private: bool = False  # the upstream may redirect the gateway into inner networks
    files: tuple[PythonFile, ...] = ()


class NpmRoute(_PackageRoute, frozen=True, kw_only=True, tag="npm"):
    """One npm package, live from a registry; the package's name is the npm name, scope included.

    Or, with `pass_through` in a package's place, what becomes of every other package.
    """

    package: str = ""  # exactly one of package and pass_through is given
    pass_through: bool = False  # clients are sent on to the registry itself; nothing is recorded
    registry: str  # base URL
    allow_private: bool = False  # the upstream may redirect the gateway into inner networks


class TelemetryRoute(_PackageRoute, frozen=True, kw_only=True, tag="telemetry"):
    """A path that takes JSON objects by POST, one event each."""

    path: str
    token_sha256: tuple[str, ...] = ()  # hex digests of the bearer tokens; (): no token is asked
    max_body_bytes: int = 1_048_576
    max_events: int = 1_000


class PixelRoute(_PackageRoute, frozen=True, kw_only=True, tag="pixel"):
    """A 1x1 transparent image that counts views; asked for as /a.png?x-pxid=ID."""

    package: str = ""  # "": the pixel's id
    pixel_id: str  # "*": every id; a route with the id itself is tried first


class NpmInstallRoute(_PackageRoute, frozen=True, kw_only=True, tag="npm-install"):
    """Takes the JSON body of an npm post-install reporter at /package-event/install[/<id>].

    Several may share a domain: the id in the path names the `package_id`.
    """

    package: str = ""  # "": every package, named by the body, where no other route has the id


Format = Literal[
    "apt",
    "cargo",
    "composer",
    "conda",
    "generic",
    "go",
    "helm",
    "homebrew",
    "maven",
    "nix",
    "rpm",
    "rubygems",
    "terraform",
]


class RepositoryRoute(_PackageRoute, frozen=True, kw_only=True, tag="repository"):
    """A repository whose paths name its packages, sent on to where it is.

    `package` is shown where a path names none; the packages' identities begin with it.
    """

    format: Format
    path: str = "/"  # what the repository's paths begin with here; starts and ends with a slash
    upstream: str  # base URL: what stands behind `path` is put behind it
    allow_private: bool = False  # the upstream may redirect the gateway into inner networks
    packages: tuple[str, ...] = ()  # names or patterns, others go unrecorded; (): every one
    cache_control: str = "no-store"  # of the redirects


class CatchAllRoute(_Route, frozen=True, kw_only=True, tag="catch-all"):
    """Everything on a domain that no other route takes."""

    package: str = ""  # "": the host that was asked
    package_id: str = ""
    target: str = ""  # scheme and authority, maybe a path prefix; "": answer 200


Route = (
    DockerRoute
    | FileRoute
    | RegexRoute
    | PythonRoute
    | NpmRoute
    | TelemetryRoute
    | PixelRoute
    | NpmInstallRoute
    | RepositoryRoute
    | CatchAllRoute
)
