"""Requests that a route would take if it were the only one, made to see which one really does.

Made up from the route's own text, with names that nobody writes a route for. A route whose text is
too clever to be sampled has none.
"""

import re
from collections.abc import Iterator
from itertools import islice, product
from typing import Final

from gateway.globs import compile_glob
from gateway.regexes import RegexError, compile_regex
from gateway.request import Request
from gateway.routes import (
    CatchAllRoute,
    DockerRoute,
    FileRoute,
    NpmRoute,
    PythonRoute,
    RegexRoute,
    RepositoryRoute,
    Route,
    TelemetryRoute,
)
from gateway.template_syntax import parse_path
from gateway.templates import PathTemplate, Variable

_ONE: Final = "zq7footfall"
_SEVERAL: Final = (_ONE, f"{_ONE}/zq8", f"{_ONE}/zq8/zq9/zq10.zq11")
_IMAGES: Final = 64  # of one pattern, at most

# One element of a regular expression that holds no group, with how often it may come.
_PIECE: Final = re.compile(
    r"(?P<one>\\.|\[\^?\]?[^\]]*\]|[^\\\[])(?P<times>[*+?]\??|\{\d+(?:,\d*)?\}\??)?", re.DOTALL
)
_GROUP: Final = re.compile(r"\((?:\?(?:P?<[^>]*>|:))?([^()]*)\)(?:[*+?]\??|\{[^}]*\})?")


def samples(route: Route, host: str) -> Iterator[Request]:
    """Requests that tell whether the route is reached on this host."""
    match route:
        case FileRoute():
            for path, query in _of_template(parse_path(route.incoming_path)):
                yield Request("GET", host, path, query)
        case RegexRoute():
            for path in _of_regex(route.pattern):
                yield Request("GET", host, path)
        case RepositoryRoute():
            for below in _SEVERAL:
                yield Request("GET", host, route.path + below)
        case DockerRoute():
            credentials = {"authorization": "Basic eDp5"} if route.private else {}
            for image in _of_glob(route.pattern) if route.pattern else [route.image]:
                path = f"/v2/{image}/manifests/zq7footfall"
                yield Request("GET", host, path, headers=credentials)
        case PythonRoute(package=package) if package:
            yield Request("GET", host, f"/simple/{package.lower()}/")
        case NpmRoute(package=package) if package:
            yield Request("GET", host, f"/{package}")
        case TelemetryRoute():
            yield Request("POST", host, route.path, body=b"{}")
        case CatchAllRoute():
            for below in ("", *_SEVERAL):
                yield Request("GET", host, f"/{below}")


def _of_template(template: PathTemplate) -> Iterator[tuple[str, str]]:
    for several in _SEVERAL:
        path = "".join(_filled(part, several) for part in template.path)
        query = "&".join(
            f"{key}={''.join(_filled(part, several) for part in value)}"
            for key, value in template.query
        )
        yield path, query


def _filled(part: str | Variable, several: str) -> str:
    if isinstance(part, str):
        return part
    return several if part.reserved else _ONE


def _of_glob(pattern: str) -> Iterator[str]:
    """Names that an image pattern matches, each of its choices in turn."""
    if "\\" in pattern:
        return
    choices = [
        piece[1:-1].split(",") if piece.startswith("{") else [piece]
        for piece in re.split(r"(\{[^{}]*\})", pattern)
    ]
    expression = compile_glob(pattern)
    for pieces in islice(product(*choices), _IMAGES):
        name = "".join(pieces).replace("*", _ONE)
        if expression.fullmatch(name):
            yield name


def _of_regex(pattern: str) -> Iterator[str]:
    """Paths that an expression matches; it is asked itself, since not every one is understood."""
    expression = compile_regex(pattern)
    for several in _SEVERAL:
        text = pattern.removeprefix("^").removesuffix("$")
        while (group := _GROUP.search(text)) is not None:
            text = text[: group.start()] + group[1].partition("|")[0] + text[group.end() :]
        path = "".join(_filled_piece(piece, several) for piece in _PIECE.finditer(text))
        if path.startswith("/") and path.isascii() and expression.fullmatch(path):
            yield path


def _filled_piece(piece: re.Match[str], several: str) -> str:
    one, times = piece["one"], piece["times"] or ""
    if len(one) == 1 and one != ".":
        return one * max(1, int(times.strip("{}?*+").partition(",")[0] or 1))
    length = int(times.strip("{}?*+").partition(",")[0] or 1)
    try:
        expression = compile_regex(one + times)
    except RegexError:
        return ""
    tried = (several, _ONE, "zq", *(sign * length for sign in ("z", "7", "Z", ".", "-", one[-1])))
    return next((text for text in tried if expression.fullmatch(text)), "")
