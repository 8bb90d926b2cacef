"""Runtime, system, architecture, C library and CI, read from the words of any user agent.

Most package tools list them in one of a few spellings, so one reader serves them all:
`poetry/2.5.1 CPython/3.11.7 Linux/6.1.0`, `npm/11.19.1 node/v20.20.2 linux x64 ci/github-actions`.
"""

import re
from typing import Final

RUNTIMES: Final = {
    "cpython": "CPython",
    "pypy": "PyPy",
    "graalpy": "GraalPy",
    "jython": "Jython",
    "ironpython": "IronPython",
    "python": "Python",
    "node": "Node.js",
    "node.js": "Node.js",
    "bun": "Bun",
    "deno": "Deno",
    "go": "Go",
    "java": "Java",
    "ruby": "Ruby",
    "jruby": "JRuby",
    "php": "PHP",
}

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

VERSION: Final = re.compile(r"\d[0-9A-Za-z._-]{0,31}", re.ASCII)
_WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_!-]*")
_RUNTIME = re.compile(
    r"\b(" + "|".join(sorted(map(re.escape, RUNTIMES), key=len, reverse=True)) + r")"
    r"[/ ](?:go|v)?(\d[0-9A-Za-z._-]{0,31})",
    re.IGNORECASE | re.ASCII,
)
_DISTRIBUTION = re.compile(
    r"(?<![\w-])(" + "|".join(sorted(map(re.escape, _DISTRIBUTIONS), key=len, reverse=True)) + r")"
    r"[/ -](\d+(?:\.\d+)?)",
    re.IGNORECASE | re.ASCII,
)
# Gradle gives the Java vendor, version and build in its second pair of brackets.
_GRADLE_JAVA = re.compile(r"^gradle\w*/.*\([^;()]*;(\d[\w.]*);[^;()]*\)", re.IGNORECASE | re.ASCII)
_MACOS = re.compile(r"\b(?:macos|osx)[/ ](\d+(?:\.\d+)?)", re.IGNORECASE | re.ASCII)
_LIBC = re.compile(r"\b(glibc|musl)[/ ](\d+\.\d+)", re.IGNORECASE | re.ASCII)
_CI = re.compile(r"[ ;(]ci(?:/([a-z0-9-]{1,32}))?(?=$|[ ;),])", re.IGNORECASE | re.ASCII)
_CI_PROGRAMS = {
    "github-actions": re.compile(
        r"\bgithub[-_ ]?actions?\b|\bactions/[\w-]+", re.IGNORECASE | re.ASCII
    ),
    "gitlab": re.compile(r"\bgitlab[-_ ](?:ci|runner)", re.IGNORECASE | re.ASCII),
    "circleci": re.compile(r"\bcircle-?ci\b", re.IGNORECASE | re.ASCII),
    "jenkins": re.compile(r"\bjenkins\b", re.IGNORECASE | re.ASCII),
    "azure-pipelines": re.compile(
        r"\bazure[-_ ]?(?:pipelines|devops)|\bvsts\b", re.IGNORECASE | re.ASCII
    ),
    "buildkite": re.compile(r"\bbuildkite\b", re.IGNORECASE | re.ASCII),
    "teamcity": re.compile(r"\bteamcity\b", re.IGNORECASE | re.ASCII),
    "bitbucket-pipelines": re.compile(r"\bbitbucket[-_ ]pipelines\b", re.IGNORECASE | re.ASCII),
    "drone": re.compile(r"\bdrone-(?:runner|ci)", re.IGNORECASE | re.ASCII),
    "travis": re.compile(r"\btravis-ci\b", re.IGNORECASE | re.ASCII),
    "tekton": re.compile(r"\btekton\b", re.IGNORECASE | re.ASCII),
    "woodpecker": re.compile(r"\bwoodpecker-ci\b", re.IGNORECASE | re.ASCII),
}
# npm and its relatives name CI systems in spellings of their own.
_CI_NAMES = {
    "circle-ci": "circleci",
    "circle": "circleci",
    "gitlab-ci": "gitlab",
    "travis-ci": "travis",
    "github": "github-actions",
    "vsts": "azure-pipelines",
    "custom": "unknown",
    "1": "unknown",
    "true": "unknown",
}
_ANY_CI_PROGRAM = re.compile(
    "|".join(pattern.pattern for pattern in _CI_PROGRAMS.values()), re.IGNORECASE | re.ASCII
)


def clean_version(text: str | None) -> str | None:
    """Take the version out of a word: no leading v, and no build or packaging suffix.

    20.10.24+dfsg1 is Docker 20.10.24, whoever packaged it.
    """
    if not text:
        return None
    found = VERSION.match(text.removeprefix("v"))
    return found[0].removesuffix("-final0").rstrip(".-_") if found else None


def find_runtime(text: str) -> tuple[str | None, str | None]:
    """Find the first language runtime that is named with its version."""
    if found := _RUNTIME.search(text):
        return RUNTIMES[found[1].lower()], clean_version(found[2])
    if found := _GRADLE_JAVA.search(text):
        return "Java", clean_version(found[1])
    return None, None


def find_platform(text: str) -> tuple[str | None, str | None]:
    """Find operating system and architecture among the words."""
    words = [word.lower() for word in _WORDS.findall(text)]
    system = next((_OPERATING_SYSTEMS[word] for word in words if word in _OPERATING_SYSTEMS), None)
    machine = next((_ARCHITECTURES[word] for word in words if word in _ARCHITECTURES), None)
    if not (system and machine):
        # Triples hide both: x86_64-pc-linux-gnu.
        parts = [part for word in words for part in word.split("-")]
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


def find_libc(text: str) -> str | None:
    """Find the C library with its version."""
    found = _LIBC.search(text)
    return f"{found[1].lower()} {found[2]}" if found else None


def find_ci(text: str) -> str | None:
    """Name the CI system; "unknown" where the user agent says only that it is one."""
    told = _CI.search(text)
    if told:
        name = (told[1] or "unknown").lower().strip("-")
        return _CI_NAMES.get(name, name) or "unknown"
    if not _ANY_CI_PROGRAM.search(text):
        return None
    return next(name for name, pattern in _CI_PROGRAMS.items() if pattern.search(text))


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
