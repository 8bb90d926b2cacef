"""The gateway's settings, read once by `__main__` and handed to every process."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

_T = TypeVar("_T", bound=msgspec.Struct)

Rotation = Literal["day", "week", "month"]
LogFormat = Literal["text", "json"]

# The supervisor gives workers this long to finish what is in flight.
GRACE_SECONDS = 5.0


class GatewayConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting of the gateway. SETTINGS.md says what each is for."""

    routes: Path
    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    admin_host: str = "127.0.0.1"
    admin_port: int = 8081
    workers: int = 1
    trusted_proxies: int | tuple[str, ...] = 0  # hops, or networks; 0: believe the socket
    flush_seconds: float = 1.0
    hung_seconds: float = 30.0  # a process that is silent for so long is started anew; 0: never
    ip_data: Path = Path("data/ip")
    salts: Path = Path("data/salts")
    salt_rotation: Rotation = "day"
    tag_seconds: float = 10.0
    document_seconds: float = 30.0
    revalidate_seconds: float = 120.0
    patience_seconds: float = 3.0
    stale_seconds: float = 86_400.0
    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    cache: Path = Path("data/cache")
    cache_mb: int = 256
    manifest_memory_mb: int = 64
    document_memory_mb: int = 256
    telemetry_rate: int = 600  # requests with a body a minute from one address; 0: any number
    log_format: LogFormat = "text"


class SettingError(Exception):
    """A value that a setting cannot have; the message says what would be right."""


def read_trusted_proxies(value: str) -> int | tuple[str, ...]:
    """Read `--trusted-proxies`: a number of hops, or networks parted by commas or spaces."""
    words = value.replace(",", " ").split()
    if len(words) == 1 and words[0].isdecimal():
        return int(words[0])
    networks = []
    for word in words:
        try:
            networks.append(str(ip_network(word)))
        except ValueError as error:
            raise SettingError(
                f"{word!r} is neither a number of hops nor a network: {error}; "
                "right would be 0, 1, or 10.0.0.0/8,fd00::/8"
            ) from error
    if not networks:
        raise SettingError("it is empty; right would be 0, 1, or 10.0.0.0/8,fd00::/8")
    return tuple(networks)


def read_lake(value: str) -> Path:
    """Read `--data`: a folder."""
    if "://" in value:
        scheme = value.partition("://")[0]
        raise SettingError(
            f"{value!r} is not a folder, and {scheme}:// is not supported; "
            "right would be a local folder such as data/lake"
        )
    return Path(value)


def check_salts(salts: Path, data: Path) -> None:
    """Refuse salts inside the lake: whoever copies the lake must not get the key to its ids."""
    inner, outer = salts.resolve(), data.resolve()
    if inner == outer or outer in inner.parents:
        raise SettingError(
            f"{str(salts)!r} is inside the lake {str(data)!r}, so that a copy of the lake would "
            "hold the salts of its ids; right would be a folder outside of it, such as data/salts"
        )


def to_json(value: msgspec.Struct) -> str:
    """Write settings for another process's command line."""
    return msgspec.json.encode(value, enc_hook=_path_to_text).decode()


def from_json(text: str, kind: type[_T]) -> _T:
    """Read what `to_json` wrote."""
    return msgspec.json.decode(text, type=kind, dec_hook=_text_to_path)


def _path_to_text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError


def _text_to_path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError
