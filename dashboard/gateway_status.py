"""What the gateways say of themselves, in DIR/status/gateway-*.json."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A gateway that lives writes its file every ten seconds.
BELIEVED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """The last word of one gateway."""

    routes: str  # the name of its routes file
    refused: tuple[str, ...]  # why the file as it is now is not in force; (): it is
    down: tuple[str, ...]  # targets that are down, with the reason
    trouble: tuple[str, ...] = ()  # events that were lost of late, or that wait, with the reason


def read(root: Path, now: float | None = None) -> list[GatewayStatus]:
    """The gateways that wrote lately. A file that goes while it is looked at has nothing to say."""
    moment = time.time() if now is None else now
    found = []
    for path in sorted((root / "status").glob("gateway-*.json")):
        try:
            told = json.loads(path.read_bytes())
            if abs(moment - told["at"]) <= BELIEVED_SECONDS:
                found.append(
                    GatewayStatus(
                        told["routes"],
                        tuple(told["refused"]),
                        tuple(told.get("down", ())),
                        tuple(told.get("trouble", ())),
                    )
                )
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"{path} cannot be read: {type(error).__name__}; remove it"
            found.append(GatewayStatus(path.name, (problem,), ()))
    return found
