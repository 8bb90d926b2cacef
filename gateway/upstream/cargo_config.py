"""A cargo registry's config.json, in which `dl` leads to the gateway, and from there to crates."""

from typing import Final
from urllib.parse import quote

import msgspec

from gateway.formats.cargo import DOWNLOADS
from gateway.upstream.rendered import is_web_url

_DOWNLOAD: Final = "dl"
_CHECKSUM: Final = "{sha256-checksum}"
_MARKERS: Final = ("{crate}", "{version}", "{prefix}", "{lowerprefix}", _CHECKSUM)


def parse_config(body: bytes, _url: str, _content_type: str) -> tuple[bytes, dict[str, str]]:
    """The config as it is, and its `dl`. Raises ValueError where it has none."""
    config = msgspec.json.decode(body)
    download = config.get(_DOWNLOAD) if isinstance(config, dict) else None
    if not isinstance(download, str) or not is_web_url(download):
        raise ValueError("a registry's config.json has the URL of its downloads as dl")
    return body, {_DOWNLOAD: download}


def rendered_config(body: bytes, base: str) -> bytes:
    """The config with crates at the gateway; everything else as the registry told it."""
    config = msgspec.json.decode(body)
    here = f"{base}{DOWNLOADS}"
    # A registry that finds its crates by their checksums needs to be told them.
    if _CHECKSUM in config[_DOWNLOAD]:
        here += f"/{{crate}}/{{version}}/{_CHECKSUM}/download"
    return msgspec.json.encode({**config, _DOWNLOAD: here})


def crate_url(download: str, crate: str, version: str, checksum: str) -> str:
    """Where a registry has a crate, by its own `dl`, as cargo itself would work it out."""
    if not any(marker in download for marker in _MARKERS):
        download = f"{download}/{{crate}}/{{version}}/download"
    prefix = "/".join(map(_quoted, _folders(crate)))
    values = (_quoted(crate), _quoted(version), prefix, prefix.lower(), _quoted(checksum))
    for marker, value in zip(_MARKERS, values, strict=True):
        download = download.replace(marker, value)
    return download


def _quoted(text: str) -> str:
    return quote(text, safe="+")


def _folders(crate: str) -> tuple[str, ...]:
    match len(crate):
        case 1 | 2 as length:
            return (str(length),)
        case 3:
            return "3", crate[:1]
    return crate[:2], crate[2:4]
