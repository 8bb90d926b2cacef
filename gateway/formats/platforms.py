"""Platforms in one spelling, os/arch or os/arch/variant, from the many of the ecosystems."""

import re
from typing import Final

_ARCHES: Final = {
    "amd64": "amd64",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "x64": "amd64",
    "arm64": "arm64",
    "aarch64": "arm64",
    "aarch_64": "arm64",
    "386": "386",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "x86": "386",
    "x86_32": "386",
    "armhf": "arm/v7",
    "armv7": "arm/v7",
    "armv7l": "arm/v7",
    "armv7hl": "arm/v7",
    "armv6": "arm/v6",
    "armv6l": "arm/v6",
    "armel": "arm/v5",
    "arm": "arm",
    "arm32": "arm",
    "ppc64le": "ppc64le",
    "ppc64el": "ppc64le",
    "ppcle_64": "ppc64le",
    "ppc64": "ppc64",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loong64": "loong64",
    "loongarch64": "loong64",
    "mips64el": "mips64le",
    "mipsel": "mipsle",
    "wasm32": "wasm",
}
_SYSTEMS: Final = {
    "linux": "linux",
    "linux32": "linux",
    "linux64": "linux",
    "darwin": "darwin",
    "macos": "darwin",
    "macosx": "darwin",
    "osx": "darwin",
    "mac": "darwin",
    "apple": "darwin",
    "windows": "windows",
    "win": "windows",
    "win32": "windows",
    "win64": "windows",
    "mingw": "windows",
    "mingw32": "windows",
    "mingw64": "windows",
    "mswin": "windows",
    "mswin32": "windows",
    "mswin64": "windows",
    "freebsd": "freebsd",
    "openbsd": "openbsd",
    "netbsd": "netbsd",
    "solaris": "solaris",
    "android": "android",
}
_IMPLIED: Final = {"win32": "386", "win64": "amd64", "linux32": "386", "linux64": "amd64"}
# Found before a name is cut at the same signs that some of these contain.
_WORD: Final = re.compile(
    r"(?<![a-z0-9])(?:x86[_-]64|x86_32|aarch_64|ppcle_64|[a-z]+[0-9]*[a-z]*[0-9]*[a-z]*|386)(?![a-z0-9])"
)


def platform(system: str, arch: str) -> str:
    """The one spelling of a system and an architecture; "" where either is not known."""
    known_system = _SYSTEMS.get(system.lower(), "")
    known_arch = _ARCHES.get(arch.lower(), "")
    return f"{known_system}/{known_arch}" if known_system and known_arch else ""


def named_in(text: str) -> str:
    """The platform that a file's name speaks of, such as tool_1.2.3_Linux_x86_64.tar.gz; "": none.

    Both words must be there: a name that says only `linux` leaves the architecture open.
    """
    system = arch = ""
    for word in _WORD.findall(text.lower()):
        system = system or _SYSTEMS.get(word, "")
        arch = arch or _ARCHES.get(word, "") or _IMPLIED.get(word, "")
    return f"{system}/{arch}" if system and arch else ""
