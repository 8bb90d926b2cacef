"""What the dashboard and the process that runs Explore's queries say to each other, in bytes.

Each message is its length and a body; an answer also says in one byte of what kind it is.
"""

import struct
from typing import BinaryIO, Final, Literal, get_args

import msgspec

# The largest answer: what the dashboard takes into its own memory.
MAX_BYTES: Final = 64 * 1024 * 1024

# ready: send a question. no-room: the process should not be asked again.
Kind = Literal["ready", "rows", "refused", "no-room"]

_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_LENGTH: Final = struct.Struct(">Q")
HEAD: Final = struct.Struct(">BQ")


class Question(msgspec.Struct, frozen=True):
    """One statement to run, and how many rows of its answer are wanted."""

    root: str
    sql: str
    rows: int


class BadMessageError(Exception):
    """The process has sent what is no answer."""


def encode(question: Question) -> bytes:
    """Write a question."""
    body = msgspec.msgpack.encode(question)
    return _LENGTH.pack(len(body)) + body


def read_question(source: BinaryIO) -> Question | None:
    """Read the next question; None at the end."""
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = source.read(length)
    return msgspec.msgpack.decode(body, type=Question) if len(body) == length else None


def write(sink: BinaryIO, kind: Kind, body: bytes) -> None:
    """Write an answer, all of it."""
    rest = memoryview(HEAD.pack(_KINDS.index(kind), len(body)) + body)
    while rest:
        rest = rest[sink.write(rest) :]


def kind_and_length(head: bytes) -> tuple[Kind, int]:
    """Read how an answer begins. Raises BadMessageError."""
    index, length = HEAD.unpack(head)
    if index >= len(_KINDS) or length > MAX_BYTES:
        raise BadMessageError
    return _KINDS[index], length
