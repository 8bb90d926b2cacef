"""Image patterns: a star within a segment, {a,b} for either, a backslash to mean the sign itself.

library/*    acme/{web,worker}    acme/{tool-*,cli}    tools/*/stable
"""

import re
from typing import Final

_SPECIAL: Final = frozenset("*{},\\")


class GlobError(ValueError):
    """Why a text is no pattern that can be served."""


def compile_glob(pattern: str) -> re.Pattern[str]:
    """A pattern as an expression over a whole image name.

    A star is at least one character and never a slash, so that `library/*` takes no `library/`.
    """
    parts: list[str] = []
    depth = 0
    at = 0
    while at < len(pattern):
        character = pattern[at]
        match character:
            case "\\":
                at += 1
                if pattern[at : at + 1] not in _SPECIAL:
                    raise GlobError("has a backslash before a character that needs none")
                parts.append(re.escape(pattern[at]))
            case "*":
                if pattern[at + 1 : at + 2] == "*":
                    raise GlobError("has two stars; a star is one segment, so write */*")
                parts.append("[^/]+")
            case "{":
                depth += 1
                parts.append("(?:")
            case "," if depth:
                parts.append("|")
            case "}" if depth:
                depth -= 1
                parts.append(")")
            case "}":
                raise GlobError("closes a brace that was never opened")
            case "/" if depth:
                raise GlobError("has a slash within braces; write one route for each")
            case _:
                parts.append(re.escape(character))
        at += 1
    if depth:
        raise GlobError("has a brace without its partner")
    if any(not segment for segment in pattern.split("/")):
        raise GlobError("has an empty segment; a pattern is a name such as library/*")
    return re.compile("".join(parts))


def is_literal(pattern: str) -> bool:
    """Whether the pattern can match one name only."""
    return not _SPECIAL.intersection(pattern)
