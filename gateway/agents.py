"""What a user agent says of the program and the machine, as far as a route may depend on it.

Only what routes ask for by name; the pipeline reads user agents far more closely.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

BROWSER: Final = "browser"  # a second name of every browser


class Agent(msgspec.Struct, frozen=True, gc=False):
    """A program's names in lower case, and its machine in the names below; "" is not known."""

    clients: tuple[str, ...] = ()
    os: str = ""
    arch: str = ""


# The names that a route may use, with the other spellings that mean the same.
OPERATING_SYSTEMS: Final[Mapping[str, tuple[str, ...]]] = {
    "windows": ("win32", "win64", "mingw", "msys", "cygwin"),
    "android": (),
    "ios": ("iphone", "ipad"),
    "macos": ("darwin", "macintosh", "mac os x", "osx", "mac"),
    "freebsd": (),
    "openbsd": (),
    "netbsd": (),
    "linux": ("gnu/linux", "linux-gnu"),
}
ARCHITECTURES: Final[Mapping[str, tuple[str, ...]]] = {
    "amd64": ("x86_64", "x86-64", "x64", "win64", "wow64"),
    "arm64": ("aarch64",),
    "386": ("i386", "i486", "i586", "i686", "x86"),
    "arm": ("armv7l", "armv7", "armv6l", "armv6", "armhf"),
    "riscv64": (),
    "ppc64le": (),
    "s390x": (),
    "loong64": ("loongarch64",),
}


def _spellings(names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {each: name for name, others in names.items() for each in (name, *others)}


def _any_of(spellings: Mapping[str, str]) -> re.Pattern[str]:
    longest_first = sorted(spellings, key=len, reverse=True)
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![a-z0-9])")


_OS_BY_SPELLING: Final = _spellings(OPERATING_SYSTEMS)
_ARCH_BY_SPELLING: Final = _spellings(ARCHITECTURES)
_OS: Final = _any_of(_OS_BY_SPELLING)
_ARCH: Final = _any_of(_ARCH_BY_SPELLING)
_PRODUCT: Final = re.compile(r"[^\s/;(){}]+")
_ROBOT: Final = re.compile(r"\(compatible; ([^\s/;()]+)")
# Browsers name those that they are compatible with, so the most particular mark comes first.
_BROWSERS: Final = (
    ("edg", "edge"),
    ("opr/", "opera"),
    ("firefox/", "firefox"),
    ("fxios/", "firefox"),
    ("chrome/", "chrome"),
    ("crios/", "chrome"),
    ("safari/", "safari"),
)


def operating_system(text: str) -> str:
    """The name that routes use for an operating system, however it is spelt; else the text."""
    return _OS_BY_SPELLING.get(text.lower(), text.lower())


def architecture(text: str) -> str:
    """The name that routes use for an architecture, however it is spelt; else the text."""
    return _ARCH_BY_SPELLING.get(text.lower(), text.lower())


@lru_cache(4096)
def read(user_agent: str) -> Agent:
    """Read a user agent. Total: what says nothing is known of nothing."""
    text = user_agent.lower()
    systems = {_OS_BY_SPELLING[found] for found in _OS.findall(text)}
    arch = _ARCH.search(text)
    return Agent(
        clients=_clients(text),
        # Android and the rest say that they are a Linux too, iPhones that they are like a Mac.
        os=next((name for name in OPERATING_SYSTEMS if name in systems), ""),
        arch=_ARCH_BY_SPELLING[arch[0]] if arch else "",
    )


def _clients(text: str) -> tuple[str, ...]:
    if "powershell/" in text:
        return ("powershell",)
    if text.startswith(("mozilla/", "opera/")):
        robot = _ROBOT.search(text)
        if robot is not None and robot[1] != "msie":
            return (robot[1],)
        named = next((name for mark, name in _BROWSERS if mark in text), None)
        return (named, BROWSER) if named else (BROWSER,)
    product = _PRODUCT.search(text)
    return (product[0],) if product else ()
