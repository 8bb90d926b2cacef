"""What a file is by its name: the artifact itself, or a small companion of one."""

import re

from gateway.events import EventType

# Signatures, checksums and provenance are fetched beside an artifact; browsers and crawlers ask for
# files of their own. None of them is an install.
_COMPANION = re.compile(
    r".*\.(?:asc|sig|sign|minisig|sigstore|pem|crt|cert|att|intoto\.jsonl|sbom|spdx|cdx\.json"
    r"|md5|sha1|sha224|sha256|sha384|sha512|sha256sum|sha512sum|b2|blake3|zsync)"
    r"|(?:.*[._-])?(?:checksums?|(?:md5|sha1|sha256|sha512|b2)sums?)(?:\.txt)?"
    r"|robots\.txt|favicon\.ico|sitemap\.xml",
    re.IGNORECASE,
)


def event_type(name: str) -> EventType:
    """A download, or metadata where the name is that of a companion."""
    return "metadata" if _COMPANION.fullmatch(name) else "download"
