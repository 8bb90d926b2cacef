"""Pages of a Python package index: PEP 691 documents, their HTML form, and who wants which.

A page is kept as the JSON document of PEP 691, decoded but otherwise untouched, so that keys which
are newer than this program reach the client.
"""

import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import msgspec

from gateway.protocols.media import accepted
from gateway.routes import PythonFile

Format = Literal["json", "html", "text"]

CONTENT_TYPES: dict[Format, str] = {
    "json": "application/vnd.pypi.simple.v1+json",
    "html": "application/vnd.pypi.simple.v1+html; charset=utf-8",
    "text": "text/html; charset=utf-8",
}
# In the order in which equal wishes are granted: whoever takes anything gets HTML.
_OFFERS: dict[str, Format] = {
    "text/html": "text",
    "application/vnd.pypi.simple.v1+html": "html",
    "application/vnd.pypi.simple.v1+json": "json",
    "application/vnd.pypi.simple.latest+html": "html",
    "application/vnd.pypi.simple.latest+json": "json",
}

# Sizes are required from version 1.1 on.
_VERSION_WITH_SIZES = "1.1"
_VERSION_WITHOUT_SIZES = "1.0"

Page = dict[str, Any]


def wanted_format(accept: str, query: str = "") -> Format | None:
    """Which form a client wants; None: it takes none of ours. ?format= beats the Accept header."""
    asked = next((value for key, value in parse_qsl(query) if key == "format"), None)
    if asked is not None:
        return _OFFERS.get(asked)
    best = accepted(accept, tuple(_OFFERS))
    return _OFFERS[best] if best is not None else None


def project_list(names: Iterable[str]) -> Page:
    """The index's own page."""
    return {
        "meta": {"api-version": _VERSION_WITHOUT_SIZES},
        "projects": [{"name": name} for name in names],
    }


def project_page(project: str, versions: Iterable[str], files: Sequence[PythonFile]) -> Page:
    """A project's page from the files that a route lists; links lead where the route says."""
    described = [_described(file) for file in files]
    complete = all(file.size is not None for file in files)
    page: Page = {
        "meta": {"api-version": _VERSION_WITH_SIZES if complete else _VERSION_WITHOUT_SIZES},
        "name": project,
        "files": described,
    }
    if complete:
        page["versions"] = list(versions)
    return page


def file_name(file: PythonFile) -> str:
    """A listed file's name: as given, or the last segment of its URL."""
    return file.filename or unquote(urlsplit(file.url).path.rsplit("/", 1)[-1])


def _described(file: PythonFile) -> dict[str, Any]:
    described: dict[str, Any] = {
        "filename": file_name(file),
        "url": file.url,
        "hashes": dict(file.hashes),
    }
    if file.requires_python is not None:
        described["requires-python"] = file.requires_python
    if file.gpg_sig is not None:
        described["gpg-sig"] = file.gpg_sig
    if file.yanked is not False:
        described["yanked"] = file.yanked
    if file.core_metadata is not False:
        # The first name that clients learnt for it, and the one that replaced it.
        described["core-metadata"] = described["dist-info-metadata"] = file.core_metadata
    if file.size is not None:
        described["size"] = file.size
    if file.upload_time is not None:
        described["upload-time"] = file.upload_time
    return described


def with_links(page: Page, base: str) -> Page:
    """The page with every file's link replaced by one under base, which ends in a slash."""
    return {**page, "files": [with_link(file, base) for file in page["files"]]}


def with_link(file: dict[str, Any], base: str) -> dict[str, Any]:
    """One file of a page with its link replaced."""
    return {**file, "url": base + quote(str(file.get("filename", "")))}


def rendered(page: Page, form: Format) -> bytes:
    """The page's bytes in one of the forms."""
    if form == "json":
        return msgspec.json.encode(page)
    if "projects" in page:
        lines = [_link(f"{project['name']}/", project["name"]) for project in page["projects"]]
        title = "Simple index"
    else:
        lines = [_file_line(file) for file in page["files"]]
        title = f"Links for {page.get('name', '')}"
    return _html(title, page, lines)


def entity_tag(body: bytes) -> str:
    """A strong ETag over the content, equal on every worker and after every restart."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def _html(title: str, page: Page, lines: Iterable[str]) -> bytes:
    meta, status = page.get("meta", {}), page.get("project-status", {})
    metas = [("repository-version", meta.get("api-version", _VERSION_WITHOUT_SIZES))]
    metas += [("tracks", url) for url in meta.get("tracks", ())]
    metas += [("alternate-locations", url) for url in page.get("alternate-locations", ())]
    if "status" in status:
        metas.append(("project-status", status["status"]))
    if "reason" in status:
        metas.append(("project-status-reason", status["reason"]))
    head = "".join(
        f'<meta name="pypi:{name}" content="{escape(str(content))}">\n' for name, content in metas
    )
    body = "<br>\n".join(lines)
    text = (
        f"<!DOCTYPE html>\n<html>\n<head>\n{head}<title>{escape(title)}</title>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )
    return text.encode("utf-8", "replace")


def _link(url: str, text: str, attributes: Iterable[tuple[str, str]] = ()) -> str:
    extra = "".join(f' {name}="{escape(value)}"' for name, value in attributes)
    return f'<a href="{escape(url)}"{extra}>{escape(text)}</a>'


def _file_line(file: dict[str, Any]) -> str:
    attributes = []
    if isinstance(file.get("requires-python"), str):
        attributes.append(("data-requires-python", file["requires-python"]))
    if isinstance(file.get("gpg-sig"), bool):
        attributes.append(("data-gpg-sig", "true" if file["gpg-sig"] else "false"))
    yanked = file.get("yanked", False)
    if yanked is not False:
        attributes.append(("data-yanked", yanked if isinstance(yanked, str) else ""))
    metadata = file.get("core-metadata", file.get("dist-info-metadata", False))
    if metadata:
        told = _one_hash(metadata) if isinstance(metadata, dict) else ""
        attributes += [
            (name, told or "true") for name in ("data-dist-info-metadata", "data-core-metadata")
        ]
    if isinstance(file.get("provenance"), str):
        attributes.append(("data-provenance", file["provenance"]))
    fragment = _one_hash(file.get("hashes", {}))
    url = f"{file['url']}#{fragment}" if fragment else file["url"]
    return _link(url, file.get("filename", ""), attributes)


def _one_hash(hashes: dict[str, str]) -> str:
    """The one hash that HTML has room for: the one that every client checks, where there is one."""
    if not hashes:
        return ""
    algorithm = "sha256" if "sha256" in hashes else next(iter(hashes))
    return f"{algorithm}={hashes[algorithm]}"
