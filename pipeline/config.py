"""What an operator may set for the pipeline. Read once, in `__main__`; frozen from then on."""

from pathlib import Path

import msgspec


class PipelineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one pipeline process."""

    data: Path
    raw_retention_days: int = 7  # how long curated raw files stay in archive/
    interval: float = 2.0  # seconds between two looks at raw/ while watching
    lock_wait: float = 60.0  # seconds to wait for another pipeline that is at work on the lake
