"""What is wrong with a routes file, said to the person who wrote it."""

import difflib
from collections.abc import Iterable, Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing to put right, with its place."""

    place: str  # such as: data/routes.toml:12: route 3 (file "/tool/{version}")
    message: str
    fatal: bool = True  # False: the file can be served, but hardly as meant

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class RoutesError(Exception):
    """A routes file that cannot be served, with every problem that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """What the writer may have meant, else what there is to choose from."""
    names = sorted(right)
    close = difflib.get_close_matches(wrong, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"it can be {', '.join(map(repr, names))}"
