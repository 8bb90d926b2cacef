"""Runtime, C library and versions, read from the words of any user agent.

Most package tools list them in one of a few spellings, so one reader serves them all:
`poetry/2.5.1 CPython/3.11.7 Linux/6.1.0`, `npm/11.19.1 node/v20.20.2 linux x64`.
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

VERSION: Final = re.compile(r"\d[0-9A-Za-z._-]{0,31}", re.ASCII)
_RUNTIME = re.compile(
    r"\b(" + "|".join(sorted(map(re.escape, RUNTIMES), key=len, reverse=True)) + r")"
    r"[/ ](?:go|v)?(\d[0-9A-Za-z._-]{0,31})",
    re.IGNORECASE | re.ASCII,
)
# Gradle gives the Java vendor, version and build in its second pair of brackets.
_GRADLE_JAVA = re.compile(r"^gradle\w*/.*\([^;()]*;(\d[\w.]*);[^;()]*\)", re.IGNORECASE | re.ASCII)
_LIBC = re.compile(r"\b(glibc|musl)[/ ](\d+\.\d+)", re.IGNORECASE | re.ASCII)


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


def find_libc(text: str) -> str | None:
    """Find the C library with its version."""
    found = _LIBC.search(text)
    return f"{found[1].lower()} {found[2]}" if found else None
