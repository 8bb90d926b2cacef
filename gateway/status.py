"""Tells the dashboard what an operator must know, in a small file that is replaced whole.

The processes share nothing but files, so that this is one: DIR/status/gateway-<id>.json. It names
no client and quotes no address. A reader believes it for a minute after it was written.
"""

import platform
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec

from gateway import scrub
from gateway.config import GatewayConfig

FOLDER: Final = "status"
AGAIN_SECONDS: Final = 10.0  # what has not changed is written again, so that it stays believed
_REASONS: Final = 20
_LONGEST: Final = 500


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway has to say."""

    routes: str  # the file's name
    refused: tuple[str, ...] = ()  # why the file as it is now is not in force; (): it is
    down: tuple[str, ...] = ()  # targets that are down, with the reason
    trouble: tuple[str, ...] = ()  # events that were lost of late, or that wait, with the reason


class _Written(Status, frozen=True, kw_only=True):
    v: int = 1
    at: float  # seconds since the epoch


class StatusFile:
    """The file of one gateway."""

    def __init__(self, config: GatewayConfig, clock: Callable[[], float] = time.time) -> None:
        # The same after a restart, so that no stale file stays behind.
        name = f"{platform.node()} {config.routes.resolve()} {config.port}"
        identity = blake2b(name.encode(), digest_size=6).hexdigest()
        self.path = config.data / FOLDER / f"gateway-{identity}.json"
        self._clock = clock
        self._told: Status | None = None
        self._at = float("-inf")

    def tell(self, status: Status) -> None:
        """Write the status where it is news, or the last one has become old. Raises OSError."""
        now = self._clock()
        if status == self._told and 0 <= now - self._at < AGAIN_SECONDS:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Always the same, so that what a killed process was writing does not stay.
        draft = self.path.with_suffix(".tmp")
        fields = msgspec.structs.asdict(status)
        draft.write_bytes(msgspec.json.encode(_Written(**fields, at=now)))
        draft.replace(self.path)
        self._told, self._at = status, now

    def remove(self) -> None:
        """Take the file away, when the gateway stops in order."""
        with suppress(OSError):  # it grows stale by itself
            self.path.unlink(missing_ok=True)


def reasons(text: str) -> tuple[str, ...]:
    """Lines for a reader of the lake, who is not to find an address or a secret in them."""
    lines = text.splitlines()
    shown = [scrub.free(line[:_LONGEST]) for line in lines[:_REASONS]]
    left = len(lines) - len(shown)
    return (*shown, f"and {left} more") if left else tuple(shown)
