"""Operating systems, distributions and architectures, under one name each."""

import re
from typing import Final

_OPERATING_SYSTEMS: Final = {
    "linux": "Linux",
    "linux-gnu": "Linux",
    "linux-musl": "Linux",
    "darwin": "macOS",
    "macos": "macOS",
    "macosx": "macOS",
    "osx": "macOS",
    "windows": "Windows",
    "win32": "Windows",
    "mingw32": "Windows",
    "cygwin": "Windows",
    "freebsd": "FreeBSD",
    "openbsd": "OpenBSD",
    "netbsd": "NetBSD",
    "sunos": "Solaris",
    "android": "Android",
    "ios": "iOS",
}

_ARCHITECTURES: Final = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "x64": "amd64",
    "win64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv8": "arm64",
    "arm64e": "arm64",
    "armv7l": "arm/v7",
    "armv7": "arm/v7",
    "armhf": "arm/v7",
    "armv6l": "arm/v6",
    "armv6": "arm/v6",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "ia32": "386",
    "386": "386",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
    "loong64": "loong64",
    "mips64le": "mips64le",
}

_DISTRIBUTIONS: Final = {
    "almalinux": "AlmaLinux",
    "alpine linux": "Alpine",
    "alpine": "Alpine",
    "amazon linux ami": "Amazon Linux",
    "amazon linux": "Amazon Linux",
    "arch linux": "Arch",
    "arch": "Arch",
    "centos linux": "CentOS",
    "centos stream": "CentOS",
    "centos": "CentOS",
    "debian gnu/linux": "Debian",
    "debian": "Debian",
    "fedora linux": "Fedora",
    "fedora": "Fedora",
    "gentoo": "Gentoo",
    "kali gnu/linux": "Kali",
    "linux mint": "Linux Mint",
    "linuxmint": "Linux Mint",
    "manjaro linux": "Manjaro",
    "nixos": "NixOS",
    "opensuse leap": "openSUSE Leap",
    "opensuse-leap": "openSUSE Leap",
    "opensuse tumbleweed": "openSUSE Tumbleweed",
    "oracle linux server": "Oracle Linux",
    "pop!_os": "Pop!_OS",
    "raspbian gnu/linux": "Raspbian",
    "raspbian": "Raspbian",
    "red hat enterprise linux": "RHEL",
    "red hat enterprise linux server": "RHEL",
    "rhel": "RHEL",
    "rocky linux": "Rocky",
    "sles": "SLES",
    "ubuntu": "Ubuntu",
    "void": "Void",
    "wolfi": "Wolfi",
}

_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_!-]*")
_MAC_OS_X = re.compile(r"\bmac os x\b", re.IGNORECASE | re.ASCII)
_DARWIN = re.compile(r"^darwin\d+$", re.ASCII)
_DISTRIBUTION = re.compile(
    r"(?<![\w-])(" + "|".join(sorted(map(re.escape, _DISTRIBUTIONS), key=len, reverse=True)) + r")"
    r"[/ -](\d+(?:\.\d+)?)",
    re.IGNORECASE | re.ASCII,
)
_MACOS = re.compile(r"\b(?:macos|osx|mac os x)[/ ](\d+(?:\.\d+)?)", re.IGNORECASE | re.ASCII)


def find_platform(text: str) -> tuple[str | None, str | None]:
    """Find operating system and architecture among the words."""
    words = [word.lower() for word in _WORDS.findall(_MAC_OS_X.sub("macos", text))]
    system = next((_OPERATING_SYSTEMS[word] for word in words if word in _OPERATING_SYSTEMS), None)
    machine = next((_ARCHITECTURES[word] for word in words if word in _ARCHITECTURES), None)
    if not (system and machine):
        # Triples hide both: x86_64-pc-linux-gnu, arm64-darwin22.
        parts = [_DARWIN.sub("darwin", part) for word in words for part in word.split("-")]
        system = system or next(
            (_OPERATING_SYSTEMS[p] for p in parts if p in _OPERATING_SYSTEMS), None
        )
        machine = machine or next((_ARCHITECTURES[p] for p in parts if p in _ARCHITECTURES), None)
    return system, machine


def find_os_version(text: str, system: str | None) -> str | None:
    """Find the version of a known system; for Linux, the distribution. Kernels do not count."""
    if system == "Linux":
        found = _DISTRIBUTION.search(text)
        return f"{_DISTRIBUTIONS[found[1].lower()]} {found[2]}" if found else None
    if system == "macOS":
        found = _MACOS.search(text)
        return found[1] if found else None
    return None


def operating_system(name: str) -> str | None:
    """Give the canonical name of an operating system."""
    return _OPERATING_SYSTEMS.get(name.lower())


def architecture(name: str) -> str | None:
    """Give Docker's name of an architecture."""
    return _ARCHITECTURES.get(name.lower())


def distribution(name: str, version: str | None) -> str | None:
    """Join a distribution and its version to two numbers: Alpine Linux, 3.18.4 -> Alpine 3.18.

    A distribution that we do not know is None, for the text is the visitor's to choose.
    """
    known = _DISTRIBUTIONS.get(name.lower())
    number = re.match(r"\d+(?:\.\d+)?", version or "", re.ASCII)
    return f"{known} {number[0]}" if known and number else known
