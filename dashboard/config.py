"""The settings of the two servers in this room, read once in `__main__` and never changed."""

from pathlib import Path

import msgspec


class ServeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the dashboard needs to know."""

    data: Path  # the lake; it may not exist yet
    host: str
    port: int
    api: str  # base URL of the API, for the commands that a page shows


class ApiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the API needs to know."""

    data: Path
    host: str
    port: int
    tokens: Path  # who may ask; without the file, nobody may
    rate: int = 600  # requests that one client may send a minute; 0: as many as it likes
