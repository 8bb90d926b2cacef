"""A Nix cache's narinfo, in which the archive's URL says what it is an archive of.

The signature of a narinfo covers its store path, hash, size and references, and not the URL, so
that Nix trusts the archive as before. Without the name in its path, an archive is but a hash.
"""

import re
from typing import Final
from urllib.parse import quote

from gateway.formats.nix import NAMED

_STORE_PATH: Final = re.compile(
    rb"^StorePath: /(?:[^\s/]+/)*[0-9a-z]{32}-(?P<name>[^\s/]+)\s*$", re.MULTILINE
)
# A URL of another host, or from the root of this one, is left as it is.
_URL: Final = re.compile(rb"^(?P<key>URL: *)(?P<url>(?!/|\S*://)\S+)(?P<end>\s*)$", re.MULTILINE)


def parse_narinfo(body: bytes, _url: str, _content_type: str) -> tuple[bytes, dict[str, str]]:
    """The narinfo as it is. Raises ValueError for what names no store path."""
    if not _STORE_PATH.search(body):
        raise ValueError("a narinfo has a StorePath")
    return body, {}


def rendered_narinfo(body: bytes) -> bytes:
    """The narinfo with its archive below named/<name>/; relative, so the same for everyone."""
    found = _STORE_PATH.search(body)
    if found is None:
        return body
    name = quote(found["name"], safe="").encode()

    def named(url: re.Match[bytes]) -> bytes:
        return url["key"] + f"{NAMED}/".encode() + name + b"/" + url["url"] + url["end"]

    return _URL.sub(named, body)
