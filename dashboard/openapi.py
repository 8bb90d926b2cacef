"""The API's description in OpenAPI 3.1, made from the very words that requests are decided by.

API.md says the same to a reader, and more.
"""

from typing import Any, Final

from dashboard.api_request import (
    EVENT_PARAMETERS,
    LIST_PARAMETERS,
    PAGE_DEFAULT,
    PAGE_LIMIT,
)
from dashboard.export_columns import COLUMNS
from dashboard.export_formats import MEDIA_TYPES
from pipeline.schema import TRAFFIC

Json = dict[str, Any]

# Of the description, not of the lake's tables.
VERSION: Final = "2"

_DAY: Final[Json] = {"type": "string", "format": "date"}
_NAME: Final[Json] = {"type": "string", "minLength": 1}

# One entry for every word that a query may hold; `document` fails on a word without one.
_PARAMETERS: Final[dict[str, tuple[str, Json]]] = {
    "start_date": ("The first day, UTC.", _DAY),
    "end_date": ("The last day, UTC; not before the first.", _DAY),
    "counted": (
        "Only rows that count as one install.",
        {"type": "string", "enum": ["true", "false"], "default": "false"},
    ),
    "columns": (
        "The names that Scarf's exports have, or all columns of the curated table.",
        {"type": "string", "enum": list(COLUMNS), "default": "scarf"},
    ),
    "traffic": (
        "Only these kinds of traffic.",
        {"type": "array", "items": {"type": "string", "enum": list(TRAFFIC)}},
    ),
    "package": ("Only these packages, by id or name.", {"type": "array", "items": _NAME}),
    "type": ("Only packages of this route type.", {"type": "string"}),
    "after": ("The id after which the page begins.", {"type": "string"}),
    "per_page": (
        "How many packages a page holds.",
        {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT, "default": PAGE_DEFAULT},
    ),
}
_REQUIRED: Final = frozenset({"start_date", "end_date"})

_PLACES: Final = {
    "owner": "Any name: a lake has one owner.",
    "package": "A package's id or name; a slash in it may also stand as it is.",
    "pixel": "A pixel's id or name.",
    "domain": "A company's domain.",
}

_EVENTS: Final = {
    "/v2/packages/{owner}/events": "Every event",
    "/v2/packages/{owner}/{package}/events": "The events of one package",
    "/v2/tracking-pixels/{owner}/events": "Views",
    "/v2/tracking-pixels/{owner}/{pixel}/events": "The views of one pixel",
    "/v2/companies/{owner}/{domain}/events": "Events from one company",
}

_REFUSALS: Final = {
    400: "A parameter is missing, unknown, repeated or has a bad value, or this is no HTTP.",
    401: "No token, or a wrong one.",
    404: "Nothing is at this address.",
    405: "Another method than `Allow` lists.",
    406: "`Accept` fits no format.",
    413: "The address, the headers or the body are too long.",
    429: "Too many requests a minute, or exports at once; `Retry-After` has the seconds.",
    500: "The data cannot be read; the API's log names the file.",
}
_EVERYWHERE: Final = (400, 404, 405, 413, 500)


def document() -> Json:
    """Describe every address, parameter, format and status that the API has."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Footfall",
            "version": VERSION,
            "summary": "Events and packages of one lake",
        },
        "security": [{"token": []}],
        "paths": {
            **{path: {"get": _events(path, title)} for path, title in _EVENTS.items()},
            "/v2/packages/{owner}": _with_head(_packages()),
            "/healthz": _with_head(_open("The process is alive", _schema("Health"))),
            "/openapi.json": _with_head(_open("This description", {"type": "object"})),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
    }


def _events(path: str, title: str) -> Json:
    formats: Json = {media_type: {} for media_type in MEDIA_TYPES.values()}
    return {
        "summary": title,
        "parameters": [*_places(path), *_query(EVENT_PARAMETERS)],
        "responses": {
            "200": {"description": "The file, in the format of `Accept`.", "content": formats},
            **_refusals(401, 406, 429),
        },
    }


def _packages() -> Json:
    return {
        "summary": "The packages that the lake knows",
        "parameters": [*_places("{owner}"), *_query(LIST_PARAMETERS)],
        "responses": {
            "200": _json("A page of packages.", _schema("Packages")),
            **_refusals(401, 429),
        },
    }


def _open(title: str, schema: Json) -> Json:
    """Describe an address that needs no token."""
    return {
        "summary": title,
        "security": [],
        "responses": {"200": _json(title + ".", schema), **_refusals(429)},
    }


def _with_head(get: Json) -> Json:
    bare = {status: {"description": of["description"]} for status, of in get["responses"].items()}
    return {"get": get, "head": {**get, "responses": bare}}


def _places(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "description": meaning, "schema": _NAME}
        for name, meaning in _PLACES.items()
        if "{" + name + "}" in path
    ]


def _query(names: tuple[str, ...]) -> list[Json]:
    return [
        {
            "name": name,
            "in": "query",
            "required": name in _REQUIRED,
            "description": _PARAMETERS[name][0],
            "schema": _PARAMETERS[name][1],
        }
        for name in names
    ]


def _refusals(*more: int) -> Json:
    return {
        str(status): _json(_REFUSALS[status], _schema("Refusal"))
        for status in sorted({*_EVERYWHERE, *more})
    }


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _record(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


_TEXT: Final[Json] = {"type": "string"}
_TIME: Final[Json] = {"type": "string", "format": "date-time"}
_SCHEMAS: Final[Json] = {
    "Health": _record(status={"const": "ok"}),
    "Refusal": _record(code=_TEXT, message=_NAME),
    "Package": _record(
        id=_TEXT, name=_TEXT, type=_TEXT, owner=_TEXT, created_at=_TIME, updated_at=_TIME
    ),
    "Packages": _record(
        results={"type": "array", "items": _schema("Package"), "maxItems": PAGE_LIMIT},
        _links={"type": "object", "properties": {"next": _TEXT}},
    ),
}
