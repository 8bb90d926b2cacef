"""What a fuzzing target is: a function over bytes that returns, or raises for a defect."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

Run = Callable[[bytes], None]

# Between the fields of an input. Readable enough for seeds, and rare enough in everything else.
FIELD = b"\x1f\x1f"


class Target(NamedTuple):
    """One parser, what it promises, and inputs to begin with."""

    name: str
    open: Callable[[], AbstractContextManager[Run]]
    seeds: Callable[[], Iterable[bytes]]


def pure(name: str, run: Run, seeds: Callable[[], Iterable[bytes]]) -> Target:
    """Make a target that needs nothing around it."""
    return Target(name, lambda: nullcontext(run), seeds)


def fields(data: bytes, count: int) -> list[bytes]:
    """Divide an input; what is missing is empty."""
    parts = data.split(FIELD, count - 1)
    return parts + [b""] * (count - len(parts))


def texts(data: bytes, count: int) -> list[str]:
    """Divide an input into texts as a web server makes them of bytes."""
    return [part.decode("utf-8", "surrogateescape") for part in fields(data, count)]


def ascii_text(data: bytes) -> str:
    """A target or a header's name, of which no other than ASCII is accepted."""
    return data.decode("ascii", "replace").replace("\ufffd", "~")
