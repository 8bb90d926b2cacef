"""Python packages: the simple index as pip, uv and poetry read it."""

import re
from collections.abc import Callable, Sequence
from string import punctuation
from urllib.parse import quote, unquote

import msgspec
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from gateway.decision import Decision, FromSimpleIndex, Hit, Redirect, Refusal, Reply
from gateway.events import EventType
from gateway.protocols import simple_page
from gateway.protocols.media import has_it_already
from gateway.request import Request
from gateway.routes import PythonRoute
from gateway.template_syntax import parse_origin

SIMPLE = "/simple/"
FILES = "/packages/"

# Stored by clients and asked about each time, so that an unchanged page costs a 304.
_REVALIDATE = "no-cache"

# What begins the media types that only programs which read index pages ask for.
_INDEX_PAGE = "application/vnd.pypi.simple."
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

_METADATA = ".metadata"
_SIGNATURE = ".asc"


class _Project(msgspec.Struct, frozen=True):
    """One project; with its page ready made where the route lists the files."""

    name: str  # normalized
    route: PythonRoute
    page: simple_page.Page | None
    urls: dict[str, str]  # file name to upstream URL, where the route lists the files


class PythonIndex(msgspec.Struct, frozen=True):
    """One host's Python index."""

    projects: dict[str, _Project]
    root: dict[simple_page.Format, bytes]  # the list of projects in each of its forms
    others: str  # the index that knows every other project, with a trailing slash; "": none


def build(routes: Sequence[PythonRoute]) -> PythonIndex:
    """Prepare one host's projects."""
    projects: dict[str, _Project] = {}
    for route in routes:
        if not route.pass_through:
            name = canonicalize_name(route.package)
            projects.setdefault(name, _project(name, route))
    names = simple_page.project_list(sorted(projects))
    root = {form: simple_page.rendered(names, form) for form in simple_page.CONTENT_TYPES}
    others = next((_upstream(route) for route in routes if route.pass_through), "")
    return PythonIndex(projects, root, others)


def _upstream(route: PythonRoute) -> str:
    """The simple root of a route's index, with a trailing slash."""
    return "".join(parse_origin(route.index or PYPI_SIMPLE_ENDPOINT)) + "/"


def _project(name: str, route: PythonRoute) -> _Project:
    if not route.files:
        return _Project(name, route, None, {})
    # Only what is no ASCII is encoded; the rest is as the operator wrote it, signatures and all.
    urls = {simple_page.file_name(file): quote(file.url, safe=punctuation) for file in route.files}
    versions = {version for file_name in urls if (version := file_version(file_name))}
    page = simple_page.project_page(name, sorted(versions, key=_order), route.files)
    return _Project(name, route, page, urls)


def _order(version: str) -> tuple[bool, Version, str]:
    try:
        return True, Version(version), version
    except InvalidVersion:
        return False, Version("0"), version


def decide(index: PythonIndex, request: Request) -> Decision | None:
    """Answer the index, its pages and its files for the projects listed.

    pip has no order among its indexes and uv stops at the first that knows a name, so a name that
    is not listed is 404 and its installs go where they always went; unless the operator asked for
    it to be passed through.
    """
    if not index.projects and not index.others:
        return None
    path = unquote(request.path, errors="replace")
    if path == "/simple":
        return _moved(SIMPLE, request)
    if path == SIMPLE:
        return _wrong_method(request) or _page_reply(index.root.__getitem__, request)
    if path.startswith(FILES):
        return _file(index, request, path.removeprefix(FILES))
    if path.startswith(SIMPLE):
        return _wrong_method(request) or _under_simple(index, request, path.removeprefix(SIMPLE))
    return _without_simple(index, request, path.removeprefix("/"))


def _under_simple(index: PythonIndex, request: Request, rest: str) -> Decision:
    asked, slash, more = rest.partition("/")
    project = index.projects.get(_normalized(asked))
    if project is None and index.others and not more and _NAME.fullmatch(asked):
        return _passed_through(index, asked, request)
    if project is None or more:
        return Refusal(status=404, reason="this index has no such project")
    if not slash or asked != project.name:
        return _moved(f"{SIMPLE}{project.name}/", request)
    return _project_page(project, request)


def _without_simple(index: PythonIndex, request: Request, rest: str) -> Decision | None:
    """The page of a project where the index was given to the client without /simple."""
    asked, slash, more = rest.partition("/")
    if not slash or more or request.method not in {"GET", "HEAD"}:
        return None
    project = index.projects.get(_normalized(asked))
    if project is None:
        # Any path of one segment may be a file's or a web page's; what asks for index pages tells.
        is_installer = _INDEX_PAGE in request.headers.get("accept", "")
        if index.others and is_installer and _NAME.fullmatch(asked):
            return _passed_through(index, asked, request)
        return None
    if asked != project.name:
        return _moved(f"/{project.name}/", request)
    return _project_page(project, request)


def _passed_through(index: PythonIndex, asked: str, request: Request) -> Redirect:
    """Send the client to the other index's page. Links there are read as that index's own.

    What somebody installs beside the projects of this domain is not the operator's to know.
    """
    return _moved(f"{index.others}{_normalized(asked)}/", request)


def _file(index: PythonIndex, request: Request, rest: str) -> Decision | None:
    asked, _, file_name = rest.partition("/")
    project = index.projects.get(_normalized(asked))
    if project is None or not file_name or "/" in file_name:
        return None
    refusal = _wrong_method(request)
    if refusal is not None:
        return refusal
    hit = _file_hit(project, file_name)
    if project.page is None:
        return _live(project, request, hit, file_name)
    for suffix in ("", _METADATA, _SIGNATURE):
        if file_name.endswith(suffix):
            url = project.urls.get(file_name.removesuffix(suffix))
            if url is not None:
                return Redirect(location=with_suffix(url, suffix), hits=(hit,))
    return Refusal(status=404, reason="this project has no such file")


def with_suffix(url: str, suffix: str) -> str:
    """A file's URL with a suffix on its path, before any query or fragment."""
    path_end = min((place for mark in "?#" if (place := url.find(mark)) >= 0), default=len(url))
    return url[:path_end] + suffix + url[path_end:]


def _project_page(project: _Project, request: Request) -> Decision:
    hit = _hit(project, "metadata", project.name, None)
    if project.page is None:
        return _live(project, request, hit)
    page = simple_page.with_links(project.page, _base(project, request))
    return _page_reply(lambda form: simple_page.rendered(page, form), request, (hit,))


def _live(project: _Project, request: Request, hit: Hit, file_name: str = "") -> FromSimpleIndex:
    return FromSimpleIndex(
        index=_upstream(project.route),
        project=project.name,
        base=_base(project, request),
        file=file_name,
        allow_private=project.route.allow_private,
        hits=(hit,),
    )


def _base(project: _Project, request: Request) -> str:
    # Absolute, because not every client joins a relative link of a JSON page to the page's URL.
    return f"{request.scheme}://{request.authority or request.host}{FILES}{project.name}/"


def _page_reply(
    render: Callable[[simple_page.Format], bytes], request: Request, hits: tuple[Hit, ...] = ()
) -> Reply | Refusal:
    form = simple_page.wanted_format(request.headers.get("accept", ""), request.query)
    if form is None:
        return Refusal(status=406, reason="an index page is HTML or JSON (PEP 691)")
    body = render(form)
    etag = simple_page.entity_tag(body)
    headers = {"ETag": etag, "Vary": "Accept"}
    known = has_it_already(request.headers.get("if-none-match", ""), etag)
    return Reply(
        status=304 if known else 200,
        body=b"" if known else body,
        content_type=simple_page.CONTENT_TYPES[form],
        headers=headers,
        hits=hits,
        cache_control=_REVALIDATE,
    )


def _file_hit(project: _Project, file_name: str) -> Hit:
    plain = file_name
    event_type: EventType = "download"
    for suffix in (_METADATA, _SIGNATURE):
        if file_name.endswith(suffix):
            plain, event_type = file_name.removesuffix(suffix), "metadata"
    return _hit(project, event_type, file_name, file_version(plain))


def _hit(project: _Project, event_type: EventType, artifact: str, version: str | None) -> Hit:
    return Hit(
        event_type=event_type,
        route_type="python",
        package_id=project.route.package_id or project.route.package,
        package=project.route.package,
        artifact=artifact,
        version=version,
        reference=artifact if version is not None else None,
    )


# What is older than the standards follows no rule but this: a dash and a digit begin the version.
_OLD_NAME = re.compile(
    r"-(v?[0-9][^-]*)(?:-.*)?\.(?:whl|tar\.(?:gz|bz2|xz|Z)|tgz|zip|egg|exe|msi|rpm)"
)


def file_version(file_name: str) -> str | None:
    """The version in a distribution file's name; None where none can be made out."""
    try:
        if file_name.endswith(".whl"):
            return str(parse_wheel_filename(file_name)[1])
        if file_name.endswith((".tar.gz", ".zip")):
            return str(parse_sdist_filename(file_name)[1])
    except (InvalidWheelFilename, InvalidSdistFilename):
        pass  # tolerated: the rule below reads it if anything can
    found = _OLD_NAME.search(file_name)
    return found[1] if found else None


def _normalized(name: str) -> str:
    return canonicalize_name(name)


def _moved(location: str, request: Request) -> Redirect:
    return Redirect(location=f"{location}?{request.query}" if request.query else location)


def _wrong_method(request: Request) -> Refusal | None:
    if request.method in {"GET", "HEAD"}:
        return None
    return Refusal(status=405, reason="this index is only read", headers={"Allow": "GET, HEAD"})
