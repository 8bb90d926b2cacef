"""What an index says of one of its manifests."""

import msgspec


class Child(msgspec.Struct, frozen=True):
    """One manifest that an index names."""

    digest: str
    platform: str  # os/arch or os/arch/variant
