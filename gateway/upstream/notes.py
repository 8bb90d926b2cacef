"""What the upstream side tells the counters: how upstreams answer, and what its caches saved."""

from collections.abc import Callable
from typing import Literal

# How a request to an upstream ended. "answered" is any status below 500.
UpstreamOutcome = Literal["answered", "server-error", "unreachable", "timed-out", "unusable"]
# A look into a cache: "stale" is what was served in place of an upstream in trouble.
CacheOutcome = Literal[
    "document-hit", "document-miss", "document-stale", "manifest-hit", "manifest-miss"
]
Note = UpstreamOutcome | CacheOutcome

TakeNote = Callable[[Note], None]


def forget(_note: Note) -> None:
    """Take no note."""
