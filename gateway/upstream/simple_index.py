"""Live pages of a Python package index: fetched as JSON or HTML, served as either."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from hashlib import algorithms_guaranteed
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import msgspec
from bs4.exceptions import ParserRejectedMarkup
from pypi_simple import (
    Link,
    RepositoryPage,
    UnexpectedRepoVersionWarning,
    UnsupportedRepoVersionError,
)

from gateway.decision import FromSimpleIndex
from gateway.protocols import simple_page
from gateway.protocols.python import with_suffix
from gateway.request import Request
from gateway.upstream.answer import Answer
from gateway.upstream.documents import Document, Documents, Source
from gateway.upstream.rendered import is_web_url, redirected_answer, rendered_answer
from gateway.upstream.trouble import Refused, Trouble, as_answer

_JSON_TYPE = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".egg", ".exe")
_SUFFIXES = ("", ".metadata", ".asc")


class SimpleIndexes:
    """Carries out `FromSimpleIndex`."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def answer(self, fetch: FromSimpleIndex, request: Request) -> Answer:
        """Serve a project's page, or send the client on to one of its files."""
        form = simple_page.wanted_format(request.headers.get("accept", ""), request.query)
        if form is None and not fetch.file:
            return as_answer(Trouble(406, "an index page is HTML or JSON (PEP 691)"), fetch.hits)
        source = Source(f"{fetch.index}{fetch.project}/", _ACCEPT, fetch.allow_private)
        try:
            if fetch.file:
                return redirected_answer(await self._file_url(source, fetch.file), fetch.hits)
            document = await self._documents.get(source, parse_page)
            form = form or "json"
            made = await self._documents.rendering(
                document, fetch.base, form, lambda body: _rendered(body, fetch.base, form or "json")
            )
        except Trouble as trouble:
            return as_answer(trouble, fetch.hits)
        return rendered_answer(made, simple_page.CONTENT_TYPES[form], request, fetch.hits)

    async def _file_url(self, source: Source, file: str) -> str:
        """Where a file is. A page seen before is enough: an index does not move its files."""
        held = self._documents.held(source)
        url = _find(held, file) if held is not None else None
        if url is None:
            url = _find(await self._documents.newest(source, parse_page), file)
        if url is None:
            raise Refused(404, "this project has no such file")
        return url


def _find(document: Document, file: str) -> str | None:
    for suffix in _SUFFIXES:
        if file.endswith(suffix):
            url = document.links.get(file.removesuffix(suffix))
            if url is not None:
                return with_suffix(url, suffix)
    return None


def _rendered(body: bytes, base: str, form: simple_page.Format) -> bytes:
    page, raw_files = _opened(body)
    told = {key: msgspec.json.decode(value) for key, value in page.items()}
    files = (simple_page.with_link(msgspec.json.decode(file), base) for file in raw_files)
    if form == "json":
        return _closed(told, files)
    known = {key: value for key, value in told.items() if value is not None}
    msgspec.convert(known, _Legible)
    return simple_page.rendered({**known, "files": map(_legible, files)}, form)


class _Meta(msgspec.Struct):
    tracks: list[str] = []


class _Legible(msgspec.Struct, rename="kebab"):
    """What HTML needs to be of a certain form in a page; JSON is passed on as it is."""

    meta: _Meta = msgspec.field(default_factory=_Meta)
    alternate_locations: list[str] = []
    project_status: dict[str, Any] = {}


class _LegibleFile(msgspec.Struct):
    """The same for a file."""

    hashes: dict[str, str] = {}


def _legible(file: dict[str, Any]) -> dict[str, Any]:
    msgspec.convert(file, _LegibleFile)
    return file


def _opened(body: bytes) -> tuple[dict[str, msgspec.Raw], list[msgspec.Raw]]:
    """A JSON page with its files apart, each still as bytes.

    A page can hold ten thousands of them. One at a time, they take little memory and never keep
    the event loop waiting for the interpreter's lock. Raises ValueError for what is no page.
    """
    page = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "files" not in page:
        raise ValueError("a PEP 691 page has a list of files")
    return page, msgspec.json.decode(page.pop("files"), type=list[msgspec.Raw])


def _closed(page: Mapping[str, Any], files: Iterable[dict[str, Any]]) -> bytes:
    encoded = [msgspec.Raw(msgspec.json.encode(file)) for file in files]
    return msgspec.json.encode({**page, "files": encoded})


def parse_page(body: bytes, url: str, content_type: str) -> tuple[bytes, dict[str, str]]:
    """A page as a PEP 691 document with absolute links, and its files' URLs by their names.

    Raises ValueError for what is no page.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    page: Mapping[str, Any]
    files: Iterable[Any]
    if media_type.endswith("json"):
        page, raw_files = _opened(body)
        files = map(msgspec.json.decode, raw_files)
    else:
        page, files = _from_html(_read_html(body, url), _last_segment(url))
    links: dict[str, str] = {}
    return _closed(page, _kept(files, url, links)), links


def _kept(files: Iterable[Any], url: str, links: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The files with every link made absolute, and what is no file left out; fills in links."""
    for file in files:
        if not isinstance(file, dict):
            continue
        name, where = file.get("filename"), file.get("url")
        if isinstance(name, str) and isinstance(where, str) and _is_file_name(name):
            absolute = _absolute(file, url)
            if is_web_url(absolute["url"]):
                links[name] = urldefrag(absolute["url"])[0]
            yield absolute


def _is_file_name(name: str) -> bool:
    """Whether it can be the last segment of a link; the way up in a folder's list cannot."""
    return "/" not in name and name not in {"", ".", ".."}


def _absolute(file: dict[str, Any], url: str) -> dict[str, Any]:
    absolute = {**file, "url": urljoin(url, file["url"])}
    if isinstance(file.get("provenance"), str):
        absolute["provenance"] = urljoin(url, file["provenance"])
    return absolute


def _read_html(body: bytes, url: str) -> RepositoryPage:
    try:
        with warnings.catch_warnings():
            # A newer minor version has only more in it.
            warnings.simplefilter("ignore", UnexpectedRepoVersionWarning)
            return RepositoryPage.from_html(body, base_url=url)
    except (UnsupportedRepoVersionError, ParserRejectedMarkup) as error:
        raise ValueError("the page is of another time, or no HTML") from error


def _last_segment(url: str) -> str:
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]


def _from_html(
    page: RepositoryPage, project: str
) -> tuple[simple_page.Page, Iterable[dict[str, Any]]]:
    meta: dict[str, Any] = {"api-version": "1.0"}
    if page.tracks:
        meta["tracks"] = page.tracks
    converted: simple_page.Page = {"meta": meta, "name": project}
    if page.alternate_locations:
        converted["alternate-locations"] = page.alternate_locations
    return converted, map(_from_link, page.links)


def _file_name(url: str, text: str) -> str:
    """A link's file as clients name it: by its URL, since lists of folders shorten their texts."""
    last = unquote(_last_segment(url))
    return last if last.endswith(_DISTRIBUTIONS) else text


def _from_link(link: Link) -> dict[str, Any]:
    url, fragment = urldefrag(link.url)
    algorithm, _, digest = fragment.partition("=")
    file: dict[str, Any] = {
        "filename": _file_name(url, link.text),
        "url": url,
        # A fragment may be something else, such as #egg=name.
        "hashes": {algorithm: digest} if algorithm in algorithms_guaranteed else {},
    }
    requires_python = link.get_str_attrib("data-requires-python")
    if requires_python is not None:
        file["requires-python"] = requires_python
    signed = link.get_str_attrib("data-gpg-sig")
    if signed is not None:
        file["gpg-sig"] = signed.lower() == "true"
    yanked = link.get_str_attrib("data-yanked")
    if yanked is not None:
        file["yanked"] = yanked or True
    # Indexes that are older than the name of today's standard tell it by the first one alone.
    metadata = link.get_str_attrib("data-core-metadata")
    if metadata is None:
        metadata = link.get_str_attrib("data-dist-info-metadata")
    if metadata is not None:
        name, _, value = metadata.partition("=")
        file["core-metadata"] = {name: value} if value else metadata.lower() == "true"
        file["dist-info-metadata"] = file["core-metadata"]
    provenance = link.get_str_attrib("data-provenance")
    if provenance is not None:
        file["provenance"] = provenance
    return file
