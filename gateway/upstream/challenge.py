"""WWW-Authenticate: what a registry wants to see before it answers."""

import re

import msgspec

# A scheme is a word that no equals sign follows; a parameter is name=token or name="quoted".
_PIECE = re.compile(
    r'(?P<name>[\w!#$%&\'*+.^`|~-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s,"]+))'
    r"|(?P<scheme>[\w!#$%&'*+.^`|~-]+)"
)


class Challenge(msgspec.Struct, frozen=True):
    """One scheme of a challenge, with its parameters; names in lower case."""

    scheme: str
    parameters: dict[str, str]


def parse_challenges(header: str) -> list[Challenge]:
    """The challenges of a header, in order. Total: what cannot be read is passed over."""
    challenges: list[Challenge] = []
    for piece in _PIECE.finditer(header):
        if piece["scheme"] is not None:
            challenges.append(Challenge(piece["scheme"].lower(), {}))
        elif challenges:
            value = piece["token"]
            if value is None:
                value = re.sub(r"\\(.)", r"\1", piece["quoted"])
            challenges[-1].parameters.setdefault(piece["name"].lower(), value)
    return challenges


def find_challenge(header: str, scheme: str) -> Challenge | None:
    """The first challenge of a scheme."""
    return next((found for found in parse_challenges(header) if found.scheme == scheme), None)
