"""Names and versions out of file names, where nothing but custom tells where one ends."""

import re
from typing import Final

# Longest first, so that .tar.gz goes before .gz.
_ENDINGS: Final = re.compile(
    r"\.(?:tar\.(?:gz|bz2|xz|zst|lzma|lz|z)|pkg\.tar\.(?:zst|xz)|tgz|tbz2?|txz|tzst|tar|zip|gz|bz2|xz|zst"
    r"|7z|rar|jar|war|deb|rpm|apk|dmg|pkg|msi|msix|exe|appimage|snap|flatpak|whl|gem|crate|iso|img"
    r"|bin|run|sh|wasm)$",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+)+(?:[-+~._]?[0-9A-Za-z]+)*")
_IN_NAME: Final = re.compile(
    # A pre-release says that it is one; any other word behind a dash is a platform or a flavour.
    r"(?<=[-_])(?P<version>v?[0-9]+(?:\.[0-9]+)+"
    r"(?:[-+~.]?(?:alpha|beta|rc|pre|preview|dev|snapshot|nightly)[-.]?[0-9]*(?:\.[0-9]+)*)?"
    r"(?:\+[0-9A-Za-z.]+)?)(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def stem(file: str) -> str:
    """A file's name without the endings that say what it is packed with."""
    return _ENDINGS.sub("", file)


def is_version(text: str) -> bool:
    """Whether a folder's name is a version, such as v1.2.3; a number alone is none."""
    return _VERSION.fullmatch(text) is not None


def version_in(file: str) -> str | None:
    """The version in a file's name, such as tool-1.2.3-linux-amd64.tar.gz; None: there is none."""
    found = _IN_NAME.search(stem(file))
    return found["version"] if found else None


def at_version(text: str) -> tuple[str, str | None]:
    """Split name-1.2.3-rc.1 where its version begins: at the first dash before numbers with dots.

    Without one, at the last dash before a digit. None: there is no version at all.
    """
    found = re.match(r"(.+?)-(v?[0-9]+\.[0-9].*)", text) or re.match(r"(.+)-(v?[0-9].*)", text)
    return (found[1], found[2]) if found else (text, None)


def by_underscores(text: str) -> tuple[str, str | None, str]:
    """Name, version and the rest of tool_1.2.3_linux_amd64, where a part begins with a digit."""
    parts = text.split("_")
    for at, part in enumerate(parts):
        if at and part[:1].isdigit():
            return "_".join(parts[:at]), part, "_".join(parts[at + 1 :])
    return text, None, ""
