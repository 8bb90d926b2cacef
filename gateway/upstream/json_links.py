"""A JSON document of a repository, in which every link below the upstream leads to the gateway."""

from typing import Any
from urllib.parse import urljoin

import msgspec


def parse_links(body: bytes, _url: str, _content_type: str) -> tuple[bytes, dict[str, str]]:
    """The document as it is. Raises ValueError for what is no JSON object."""
    if not isinstance(msgspec.json.decode(body), dict):
        raise ValueError("a repository's document is an object")  # noqa: TRY004 - callers know one
    return body, {}


def rendered_links(body: bytes, upstream: str, path: str, base: str) -> bytes:
    """The document with absolute links below the upstream turned, wherever they stand.

    A link from the root of the host is turned where it stands at the top, as in Composer's
    `metadata-url` and Terraform's service discovery; deeper down, a slash begins other things.
    """
    below = f"{upstream}/"

    def turned(value: Any) -> Any:
        match value:
            case str() if value.startswith(below):
                return base + value.removeprefix(below)
            case dict():
                return {key: turned(each) for key, each in value.items()}
            case list():
                return [turned(each) for each in value]
        return value

    def from_root(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("/") and not value.startswith("//"):
            absolute = urljoin(below + path, value)
            return absolute if absolute.startswith(below) else value
        return value

    document = msgspec.json.decode(body)
    return msgspec.json.encode({key: turned(from_root(each)) for key, each in document.items()})
