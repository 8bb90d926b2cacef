"""A Python index as pip, uv and poetry ask for it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypi_simple import PYPI_SIMPLE_ENDPOINT, ProjectPage

from gateway.decision import FromSimpleIndex, Redirect, Refusal, Reply
from gateway.protocols import python
from gateway.request import Request
from gateway.routes import PythonFile, PythonRoute

PIP = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1,"
    " text/html; q=0.01"
)
JSON = "application/vnd.pypi.simple.v1+json"

WHEEL = PythonFile(
    url="https://files.example/x/acme_tool-1.2.0-py3-none-any.whl?sig=1",
    filename="acme_tool-1.2.0-py3-none-any.whl",
    hashes={"sha256": "ab" * 32},
    requires_python=">=3.9,<4",
    core_metadata={"sha256": "cd" * 32},
    gpg_sig=True,
    size=12,
    upload_time="2026-01-02T03:04:05Z",
)
SDIST = PythonFile(
    url="https://files.example/x/acme-tool-1.10.tar.gz", yanked="broken <on> 3.9", size=3
)


def route(**fields: object) -> Any:
    return PythonRoute(**{"domains": ("py.acme.example",), **fields})


LISTED = route(package="Acme.Tool", package_id="p1", files=(WHEEL, SDIST))
LIVE = route(package="live", index="http://127.0.0.1:9/simple")
INDEX = python.build([LISTED, LIVE])
OTHERS = route(pass_through=True, index="https://index.example/root/simple")
WHOLE = python.build([LISTED, OTHERS, LIVE])


def ask(path: str, method: str = "GET", query: str = "", index: Any = INDEX, **headers: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(
        method, "py.acme.example", path, query, headers, b"", "https", "py.acme.example:8443"
    )
    return python.decide(index, request)


def test_the_index_lists_what_is_configured_and_no_more() -> None:
    page = json.loads(ask("/simple/", accept=PIP).body)
    assert page["projects"] == [{"name": "acme-tool"}, {"name": "live"}]
    html = ask("/simple/", accept="text/html")
    assert b'<a href="acme-tool/">acme-tool</a>' in html.body
    assert html.hits == ()


def test_a_listed_project_as_json() -> None:
    reply = ask("/simple/acme-tool/", accept=PIP)
    assert isinstance(reply, Reply)
    assert (reply.status, reply.content_type) == (200, JSON)
    page = json.loads(reply.body)
    assert page["name"] == "acme-tool"
    assert page["meta"]["api-version"] == "1.1"
    assert page["versions"] == ["1.2.0", "1.10"]
    wheel, sdist = page["files"]
    base = "https://py.acme.example:8443/packages/acme-tool/"
    assert wheel == {
        "filename": "acme_tool-1.2.0-py3-none-any.whl",
        "url": f"{base}acme_tool-1.2.0-py3-none-any.whl",
        "hashes": {"sha256": "ab" * 32},
        "requires-python": ">=3.9,<4",
        "core-metadata": {"sha256": "cd" * 32},
        "dist-info-metadata": {"sha256": "cd" * 32},
        "gpg-sig": True,
        "size": 12,
        "upload-time": "2026-01-02T03:04:05Z",
    }
    assert (sdist["filename"], sdist["yanked"]) == ("acme-tool-1.10.tar.gz", "broken <on> 3.9")
    (hit,) = reply.hits
    assert (hit.event_type, hit.package_id, hit.package) == ("metadata", "p1", "Acme.Tool")


def test_a_listed_project_as_html_reads_back_the_same() -> None:
    reply = ask("/simple/acme-tool/", accept="text/html;q=0.5")
    assert reply.content_type == "text/html; charset=utf-8"
    page = ProjectPage.from_html("acme-tool", reply.body)
    wheel, sdist = page.packages
    assert wheel.url == (
        "https://py.acme.example:8443/packages/acme-tool/acme_tool-1.2.0-py3-none-any.whl"
    )
    assert wheel.digests == {"sha256": "ab" * 32}
    assert wheel.metadata_digests == {"sha256": "cd" * 32}
    assert (wheel.requires_python, wheel.has_sig, wheel.is_yanked) == (">=3.9,<4", True, False)
    assert (sdist.is_yanked, sdist.yanked_reason) == (True, "broken <on> 3.9")
    assert page.repository_version == "1.1"


@pytest.mark.parametrize(
    ("accept", "query", "content_type"),
    [
        pytest.param(PIP, "", JSON, id="pip"),
        pytest.param("", "", "text/html; charset=utf-8", id="none"),
        pytest.param("*/*", "", "text/html; charset=utf-8", id="curl"),
        pytest.param("text/html, */*;q=0.1", "", "text/html; charset=utf-8", id="browser"),
        pytest.param(f"{JSON};q=0, text/html", "", "text/html; charset=utf-8", id="not JSON"),
        pytest.param("application/vnd.pypi.simple.latest+json", "", JSON, id="latest"),
        pytest.param("text/html", f"format={JSON.replace('+', '%2B')}", JSON, id="format key"),
    ],
)
def test_the_form_is_the_clients_choice(accept: str, query: str, content_type: str) -> None:
    assert ask("/simple/acme-tool/", query=query, accept=accept).content_type == content_type


def test_a_client_that_takes_neither_is_told_so() -> None:
    assert ask("/simple/acme-tool/", accept="image/png").status == 406


def test_a_page_that_is_known_costs_a_304() -> None:
    first = ask("/simple/acme-tool/", accept=PIP)
    etag = first.headers["ETag"]
    again = ask("/simple/acme-tool/", accept=PIP, if_none_match=f'"x", W/{etag}')
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    other_form = ask("/simple/acme-tool/", accept="text/html", if_none_match=etag)
    assert other_form.status == 200
    assert first.cache_control == "no-cache"  # no-store would keep clients from asking


@pytest.mark.parametrize(
    ("path", "location"),
    [
        pytest.param("/simple", "/simple/", id="index without slash"),
        pytest.param("/simple/acme-tool", "/simple/acme-tool/", id="project without slash"),
        pytest.param("/simple/Acme_Tool/", "/simple/acme-tool/", id="not normalized"),
        pytest.param("/simple/ACME..tool", "/simple/acme-tool/", id="both"),
        pytest.param("/Acme.Tool/", "/acme-tool/", id="without simple"),
    ],
)
def test_names_are_normalized_by_a_redirect_that_is_forgotten(path: str, location: str) -> None:
    redirect = ask(path, query="a=1")
    assert isinstance(redirect, Redirect)  # which is a 307
    assert redirect.location == f"{location}?a=1"


def test_the_index_is_also_there_without_simple() -> None:
    assert ask("/acme-tool/", accept=PIP).body == ask("/simple/acme-tool/", accept=PIP).body
    for path in ("/acme-tool", "/other/", "/", "/acme-tool/x"):
        assert ask(path) is None, path


@pytest.mark.parametrize("path", ["/simple/other/", "/simple/other", "/simple/acme-tool/x"])
def test_other_names_are_not_served(path: str) -> None:
    refusal = ask(path)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 404


@pytest.mark.parametrize(
    ("path", "project"),
    [
        pytest.param("/simple/six/", "six", id="page"),
        pytest.param("/simple/six", "six", id="without slash"),
        pytest.param("/simple/Zope.Interface/", "zope-interface", id="normalized at once"),
        pytest.param("/six/", "six", id="without simple"),
    ],
)
def test_other_projects_are_passed_through_and_not_recorded(path: str, project: str) -> None:
    redirect = ask(path, index=WHOLE, accept=PIP, query="format=x")
    assert isinstance(redirect, Redirect)
    assert redirect.location == f"https://index.example/root/simple/{project}/?format=x"
    assert redirect.hits == ()


def test_our_own_projects_are_never_passed_through() -> None:
    assert isinstance(ask("/simple/acme-tool/", index=WHOLE, accept=PIP), Reply)
    assert isinstance(ask("/simple/live/", index=WHOLE, accept=PIP), FromSimpleIndex)
    assert ask("/packages/acme-tool/other-1.0.tar.gz", index=WHOLE).status == 404
    names = json.loads(ask("/simple/", index=WHOLE, accept=PIP).body)["projects"]
    assert names == [{"name": "acme-tool"}, {"name": "live"}]


def test_what_is_no_project_is_not_passed_through() -> None:
    for path in ("/simple/a..", "/simple/%2e%2e/", "/simple/a%20b/", "/simple/six/x"):
        assert ask(path, index=WHOLE, accept=PIP).status == 404, path
    for accept in ("text/html", "*/*", ""):
        assert ask("/six/", index=WHOLE, accept=accept) is None, "it may be a page of a web site"
    assert ask("/a%2fb/", index=WHOLE, accept=PIP) is None
    assert ask("/simple/six/", "POST", index=WHOLE).status == 405


def test_the_public_index_has_the_others_where_none_is_named() -> None:
    index = python.build([route(pass_through=True)])
    assert ask("/simple/six/", index=index).location == f"{PYPI_SIMPLE_ENDPOINT}six/"


@pytest.mark.parametrize(
    ("name", "url", "event_type", "version"),
    [
        pytest.param(
            "acme_tool-1.2.0-py3-none-any.whl",
            "https://files.example/x/acme_tool-1.2.0-py3-none-any.whl?sig=1",
            "download",
            "1.2.0",
            id="wheel",
        ),
        pytest.param(
            "acme_tool-1.2.0-py3-none-any.whl.metadata",
            "https://files.example/x/acme_tool-1.2.0-py3-none-any.whl.metadata?sig=1",
            "metadata",
            "1.2.0",
            id="metadata",
        ),
        pytest.param(
            "acme-tool-1.10.tar.gz.asc",
            "https://files.example/x/acme-tool-1.10.tar.gz.asc",
            "metadata",
            "1.10",
            id="signature",
        ),
    ],
)
def test_a_listed_file_is_redirected_to(
    name: str, url: str, event_type: str, version: str | None
) -> None:
    redirect = ask(f"/packages/acme-tool/{name}")
    assert (redirect.location, redirect.cache_control) == (url, "no-store")
    (hit,) = redirect.hits
    assert (hit.event_type, hit.version, hit.artifact) == (event_type, version, name)


def test_files_that_are_not_listed() -> None:
    assert ask("/packages/acme-tool/other-1.0.tar.gz").status == 404
    assert ask("/packages/other/other-1.0.tar.gz") is None
    assert ask("/packages/acme-tool/") is None


def test_a_live_project_is_fetched() -> None:
    page = ask("/simple/live/")
    assert isinstance(page, FromSimpleIndex)
    assert (page.index, page.project, page.file) == ("http://127.0.0.1:9/simple/", "live", "")
    assert page.base == "https://py.acme.example:8443/packages/live/"
    file = ask("/packages/live/live-2.0-py3-none-any.whl")
    assert isinstance(file, FromSimpleIndex)
    assert file.file == "live-2.0-py3-none-any.whl"
    assert (file.hits[0].event_type, file.hits[0].version) == ("download", "2.0")


def test_without_an_index_the_public_one_is_live() -> None:
    index = python.build([route(package="sampleproject")])
    assert ask("/simple/sampleproject/", index=index).index == PYPI_SIMPLE_ENDPOINT


@pytest.mark.parametrize("path", ["/simple/", "/simple/acme-tool/", "/packages/live/x-1.tar.gz"])
def test_the_index_is_only_read(path: str) -> None:
    refusal = ask(path, "POST")
    assert (refusal.status, refusal.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("acme_tool-1.2.0-py3-none-any.whl", "1.2.0"),
        ("acme_tool-1!2.0rc1+local.1-1-cp312-cp312-manylinux_2_17_x86_64.whl", "1!2.0rc1+local.1"),
        ("acme-tool-1.10.tar.gz", "1.10"),
        ("acme-tool-1.10.zip", "1.10"),
        ("acme_tool-1.0.linux-x86_64.tar.gz", "1.0.linux"),
        ("acme_tool-0.9-py2.7.egg", "0.9"),
        ("acme_tool-2004d-py3-none-any.whl", "2004d"),
        ("acme_tool-1.0.tar.bz2", "1.0"),
        ("readme.txt", None),
        ("acme-tool.tar.gz", None),
        (".whl", None),
    ],
)
def test_versions_in_file_names(name: str, version: str | None) -> None:
    assert python.file_version(name) == version


names = st.text() | st.sampled_from(["simple", "packages", "acme-tool", "live", "Acme_Tool", ""])


@given(
    path=st.lists(names).map("/".join).map("/".__add__),
    method=st.sampled_from(["GET", "HEAD", "PUT"]),
    query=st.text(),
    accept=st.text()
    | st.lists(st.sampled_from(["text/html", "*/*", "q=nan", ";q=", ","])).map("".join),
)
def test_decide_is_total(path: str, method: str, query: str, accept: str) -> None:
    for index in (INDEX, WHOLE):
        decision = ask(path, method, query, index, accept=accept)
        if isinstance(decision, Redirect) and not decision.hits:
            others = "https://index.example/root/simple/"
            is_passed = index is WHOLE and decision.location.startswith(others)
            assert is_passed or decision.location.startswith("/")
            assert not decision.location.startswith("//")
