"""What a file is by its name: the artifact itself, or a small companion of one."""

import re

from gateway.events import EventType

# Signatures, checksums and provenance are fetched beside an artifact; browsers and crawlers ask for
# files of their own. None of them is an install. Endings in a tuple, because an expression that
# tries all of them costs ten times as much, for every request.
_ENDINGS = (
    ".asc", ".sig", ".sign", ".minisig", ".sigstore", ".pem", ".crt", ".cert", ".att",
    ".intoto.jsonl", ".sbom", ".spdx", ".cdx.json", ".md5", ".sha1", ".sha224", ".sha256",
    ".sha384", ".sha512", ".sha256sum", ".sha512sum", ".b2", ".blake3", ".zsync",
)  # fmt: skip
_CHECKSUMS = re.compile(
    r"(?:.*[._-])?(?:checksums?|(?:md5|sha1|sha256|sha512|b2)sums?)(?:\.txt)?", re.DOTALL
)
_OF_BROWSERS = frozenset({"robots.txt", "favicon.ico", "sitemap.xml"})


def event_type(name: str) -> EventType:
    """A download, or metadata where the name is that of a companion."""
    name = name.lower()
    if name.endswith(_ENDINGS) or name in _OF_BROWSERS:
        return "metadata"
    return "metadata" if "sum" in name and _CHECKSUMS.fullmatch(name) else "download"
