"""Regular expressions over paths: RE2, whose time is linear in the path whatever the pattern."""

import re
from typing import Any

import re2

_META = frozenset(".^$*+?{}[]|()\\")


class RegexError(ValueError):
    """Why a text is no regular expression that can be served."""


def compile_regex(pattern: str) -> Any:
    """Compile a pattern with named groups, (?<name>...) or (?P<name>...)."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args else "unknown"
        raise RegexError(f"is no regular expression that RE2 takes: {reason}") from error


def literal_prefix(pattern: str) -> str:
    """Text that every match begins with; the empty one where that is not plain to see."""
    if _may_have_top_level_choice(pattern):
        return ""
    prefix: list[str] = []
    rest = pattern.removeprefix("^")
    while rest:
        if rest[0] == "\\" and len(rest) > 1 and not rest[1].isalnum():
            prefix.append(rest[1])
            rest = rest[2:]
        elif rest[0] not in _META:
            prefix.append(rest[0])
            rest = rest[1:]
        else:
            break
    # The last character may be absent: ab? and ab* and ab{0,1}.
    if rest[:1] in {"?", "*", "{", "+"}:
        prefix = prefix[:-1]
    return "".join(prefix)


def _may_have_top_level_choice(pattern: str) -> bool:
    """Whether a | could stand outside of every group."""
    if r"\Q" in pattern:  # quotes what follows, brackets too
        return True
    bare = re.sub(r"\\.", "", pattern)
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "", bare)
    depth = 0
    for character in bare:
        if character == "|" and depth == 0:
            return True
        depth += {"(": 1, ")": -1}.get(character, 0)
    return False
