"""What an operator may set for the pipeline. Read once, in `__main__`; frozen from then on."""

from pathlib import Path
from typing import Final

import msgspec

# About what a row costs while it is curated: a million took 0.7 GB, the interpreter with it.
_BYTES_OF_ROW: Final = 1024


class PipelineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one pipeline process."""

    data: Path
    raw_retention_days: int = 7  # how long raw rows stay in archive/ and quarantine/
    interval: float = 2.0  # seconds between two looks at raw/ while watching
    lock_wait: float = 60.0  # seconds to wait for another pipeline that is at work on the lake
    memory_mb: int = 2048  # about how much memory a pass may use, whatever a day's size

    @property
    def rows_at_once(self) -> int:
        """How many rows a pass may hold at a time."""
        return max(50_000, self.memory_mb * 1024 * 1024 // _BYTES_OF_ROW)
