"""A Helm repository's index, in which every absolute URL of a chart leads to the gateway.

The index is not parsed but read line by line, so that nothing in it changes but the URLs. That is
safe rather than complete. An entry in a form that no tool writes, such as a URL folded over two
lines or behind an anchor, is left as it is: its chart still installs, past the gateway. A text in a
quoted description that looks like a list of URLs is rewritten as if it were one; it remains a text.
"""

import re
from hashlib import blake2b
from typing import Final

from gateway.formats.helm import ELSEWHERE

# Neither YAML nor JSON can hold it as it is, so it can mark where the URLs are.
_MARK: Final = "\0"
_MARKED: Final = re.compile(b"\0([^\0]*)\0")
_URL: Final = r"https?://[^\s\"'\\\0]+"

_KEY: Final = re.compile(r"(?P<before> *(?:- +)*)[\"']?urls[\"']? *: *(?P<rest>.*)")
_ITEM: Final = re.compile(
    rf"(?P<before> *)(?P<head>- +)(?P<quote>[\"']?)(?P<url>{_URL})(?P=quote)(?P<tail>\s*(?:\s#.*)?)"
)
_IN_BRACKETS: Final = re.compile(
    r"(?P<quote>[\"'])(?P<quoted>https?://[^\s\"'\\\0]+)(?P=quote)"
    r"|(?P<plain>(?<=[\[,\s])https?://[^\s\"'\\\0,\]]+)"
)
# `description: |` and its like, whose text may look like anything.
_BLOCK: Final = re.compile(r"(?P<before> *(?:- +)*).*(?:: +|- +)[|>][-+1-9]*\s*(?:#.*)?")
_JSON: Final = re.compile(r"(?P<key>\"urls\"\s*:\s*)\[(?P<items>[^\[\]]*)\]")


def parse_index(body: bytes, _url: str, _content_type: str) -> tuple[bytes, dict[str, str]]:
    """The index with its absolute URLs marked, and these URLs by their digests.

    Raises ValueError for what is no text.
    """
    text = body.decode("utf-8-sig")
    if _MARK in text:
        raise ValueError("an index is a text")
    marked = _marked_json(text) if text.lstrip().startswith("{") else _marked_yaml(text)
    encoded = marked.encode()
    urls = (found[1].decode() for found in _MARKED.finditer(encoded))
    return encoded, {_digest(url): url for url in urls}


def rendered_index(marked: bytes, upstream: str, folder: str, base: str) -> bytes:
    """The index as the gateway serves it under base; `folder` is where in the repository it lies.

    A URL below the upstream leads to the same path below base. Any other is replaced by its digest,
    so that the gateway can find it in the index again and sends nobody where no index leads.
    """

    def turned(found: re.Match[bytes]) -> bytes:
        url = found[1].decode()
        if url.startswith(f"{upstream}/"):
            return (base + url.removeprefix(f"{upstream}/")).encode()
        file = url.partition("?")[0].partition("#")[0].rpartition("/")[2]
        return f"{base}{folder}{ELSEWHERE}/{_digest(url)}/{file}".encode()

    return _MARKED.sub(turned, marked)


def _digest(url: str) -> str:
    return blake2b(url.encode(), digest_size=8).hexdigest()


def _marked_json(text: str) -> str:
    def marked(found: re.Match[str]) -> str:
        return f"{found['key']}[{_in_brackets(found['items'])}]"

    return _JSON.sub(marked, text)


def _in_brackets(items: str) -> str:
    return _IN_BRACKETS.sub(
        lambda found: (
            f"{found['quote']}{_MARK}{found['quoted']}{_MARK}{found['quote']}"
            if found["quoted"]
            else f"{_MARK}{found['plain']}{_MARK}"
        ),
        items,
    )


def _marked_yaml(text: str) -> str:
    lines = text.split("\n")
    block: int | None = None  # the column of the key whose block of text this is
    urls: int | None = None  # the column of the `urls` key whose items these are
    for at, line in enumerate(lines):
        bare = line.strip()
        if not bare or (block is None and bare.startswith("#")):
            continue
        column = len(line) - len(line.lstrip(" "))
        if block is not None and column > block:
            continue
        block = None
        if urls is not None and column >= urls and bare.startswith("- "):
            lines[at] = _marked_item(line)
            continue
        urls = None
        if (key := _KEY.fullmatch(line)) is not None:
            rest = key["rest"].strip()
            if not rest or rest.startswith("#"):
                urls = len(key["before"])
            elif rest.startswith("["):
                start = len(line) - len(key["rest"])
                lines[at] = line[:start] + _in_brackets(key["rest"])
        elif (text_block := _BLOCK.fullmatch(line)) is not None:
            block = len(text_block["before"])
    return "\n".join(lines)


def _marked_item(line: str) -> str:
    found = _ITEM.fullmatch(line)
    if found is None:
        return line
    quote = found["quote"]
    return (
        f"{found['before']}{found['head']}{quote}{_MARK}{found['url']}{_MARK}{quote}{found['tail']}"
    )
