"""Live index pages: any upstream form in, any client form out, files found again."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pypi_simple import ProjectPage

from gateway.decision import FromSimpleIndex, Hit
from gateway.request import Request
from gateway.upstream.answer import Answer
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from gateway.upstream.simple_index import parse_page
from tests.gateway.upstreams import Clock, Upstream, body_of, fetcher, header, upstream
from tests.programs import free_port

JSON = "application/vnd.pypi.simple.v1+json"
# Nothing is refreshed behind an answer, so that each request tells what it costs.
PUNCTUAL = UpstreamConfig(revalidate_seconds=0)
BASE = "https://py.acme.example/packages/acme-tool/"
WHEEL = "acme_tool-1.0-py3-none-any.whl"

PAGE: dict[str, Any] = {
    "meta": {"api-version": "1.3", "_last-serial": 7},
    "name": "acme-tool",
    "versions": ["1.0"],
    "files": [
        {
            "filename": WHEEL,
            "url": "../../files/ab/acme_tool-1.0-py3-none-any.whl",
            "hashes": {"sha256": "ab" * 32},
            "requires-python": ">=3.9",
            "size": 4,
            "upload-time": "2026-01-02T03:04:05.000001Z",
            "yanked": "a <reason>",
            "core-metadata": {"sha256": "cd" * 32},
            "data-dist-info-metadata": {"sha256": "cd" * 32},
            "provenance": "https://index.example/integrity/acme-tool",
            "something-newer": [1],
        },
        {
            "filename": "acme-tool-0.9.tar.gz",
            "url": "https://files.example/a%2Bb.tar.gz?s=1#x",
            "hashes": {},
        },
    ],
    "alternate-locations": ["https://other.example/simple/acme-tool/"],
}
HTML = """<!DOCTYPE html><html>
<head><meta name="pypi:repository-version" content="1.99"></head><body>
<a href="../../files/ab/acme_tool-1.0-py3-none-any.whl#sha256={hash}"
 data-requires-python="&gt;=3.9"
 data-yanked="a &lt;reason&gt;" data-core-metadata="sha256={meta}" data-gpg-sig="true"
 data-provenance="https://index.example/integrity/acme-tool">acme_tool-1.0-py3-none-any.whl</a><br>
<a href="https://files.example/a%2Bb.tar.gz?s=1">acme-tool-0.9.tar.gz</a><br>
<a href="javascript:alert(1)">acme-tool-0.8.tar.gz</a>
</body></html>""".format(hash="ab" * 32, meta="cd" * 32).encode()


class Index:
    """An upstream index with one page."""

    def __init__(self) -> None:
        self.body, self.content_type = json.dumps(PAGE).encode(), JSON
        self.etag = '"1"'
        self.status = 200
        self.seconds = 0.0
        self.packed = False

    async def __call__(self, asked: web.Request) -> web.Response:
        await asyncio.sleep(self.seconds)
        if self.status != 200:
            return web.Response(status=self.status)
        if asked.path == "/simple/moved/":
            return web.Response(status=301, headers={"Location": "/simple/acme-tool/"})
        if asked.path != "/simple/acme-tool/":
            return web.Response(status=404)
        headers = {"Content-Type": self.content_type, "ETag": self.etag}
        if asked.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304, headers=headers)
        body = self.body
        if self.packed:
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        return web.Response(body=body, headers=headers)


def with_index(
    story: Callable[[Index, Upstream, Fetcher, Clock], Awaitable[None]],
    config: UpstreamConfig | None = None,
) -> None:
    async def run() -> None:
        index, clock = Index(), Clock()
        async with upstream(index) as told, fetcher(config or PUNCTUAL, clock) as gateway:
            await story(index, told, gateway, clock)

    asyncio.run(run())


def ask(url: str, project: str = "acme-tool", file: str = "") -> FromSimpleIndex:
    hit = Hit(event_type="metadata", route_type="python", package_id="p", package="p")
    return FromSimpleIndex(
        index=f"{url}/simple/", project=project, base=BASE, file=file, hits=(hit,)
    )


def request(accept: str = JSON, method: str = "GET", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "py.acme.example", "/", "", {"accept": accept, **named})


async def page_of(answer: Answer) -> dict[str, Any]:
    page = json.loads(await body_of(answer))
    assert isinstance(page, dict)
    return page


def test_json_keeps_everything_but_the_links() -> None:
    async def story(_: Index, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        answer = await gateway.fetch(ask(told.url), request())
        assert (answer.status, header(answer, "Content-Type")) == (200, JSON)
        wheel, sdist = PAGE["files"]
        assert await page_of(answer) == {
            **PAGE,
            "files": [
                {**wheel, "url": f"{BASE}{WHEEL}"},
                {**sdist, "url": f"{BASE}acme-tool-0.9.tar.gz"},
            ],
        }
        assert told.asked[0].headers["accept"].startswith(JSON)
        assert len(answer.hits) == 1

    with_index(story)


@pytest.mark.parametrize("form", ["json", "html"])
def test_html_tells_the_same_from_either_form(form: str) -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        if form == "html":
            index.body, index.content_type = HTML, "text/html; charset=utf-8"
        answer = await gateway.fetch(ask(told.url), request("text/html"))
        assert header(answer, "Content-Type") == "text/html; charset=utf-8"
        wheel = ProjectPage.from_html("acme-tool", await body_of(answer)).packages[0]
        assert (wheel.filename, wheel.url) == (WHEEL, f"{BASE}{WHEEL}")
        assert (wheel.digests, wheel.metadata_digests) == (
            {"sha256": "ab" * 32},
            {"sha256": "cd" * 32},
        )
        assert (wheel.requires_python, wheel.yanked_reason) == (">=3.9", "a <reason>")
        assert wheel.provenance_url == "https://index.example/integrity/acme-tool"

    with_index(story)


def test_json_from_html_is_a_page_that_clients_accept() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        index.body, index.content_type = HTML, "text/html"
        page = await page_of(await gateway.fetch(ask(told.url), request()))
        read = ProjectPage.from_json_data(page)
        assert (read.project, read.repository_version) == ("acme-tool", "1.0")
        assert page["files"][0]["gpg-sig"] is True
        assert page["files"][0]["core-metadata"] == {"sha256": "cd" * 32}

    with_index(story)


OLD_HTML = b"""<html><body><h1>Index of /simple/acme-tool/</h1><a href="../">../</a>
<a href="acme_tool-1.0-py3-none-any.whl" data-dist-info-metadata="true">acme_tool-1.0-py3..&gt;</a>
<a href="/f/acme%2Btool-0.9.tar.gz?s=1#egg=acme-tool" data-yanked> acme-tool </a>
<a href="acme-tool-0.9.tar.gz.asc">acme-tool-0.9.tar.gz.asc</a></body></html>"""


def test_a_list_of_a_folder_is_a_page() -> None:
    url = "https://index.example/simple/acme-tool/"
    body, links = parse_page(OLD_HTML, url, "text/html; charset=utf-8")
    assert links == {
        WHEEL: f"{url}{WHEEL}",
        "acme+tool-0.9.tar.gz": "https://index.example/f/acme%2Btool-0.9.tar.gz?s=1",
        "acme-tool-0.9.tar.gz.asc": f"{url}acme-tool-0.9.tar.gz.asc",
    }
    wheel, sdist, _signature = json.loads(body)["files"]
    assert wheel["core-metadata"] is True, "also by the first of its names"
    assert (sdist["hashes"], sdist["yanked"]) == ({}, True)


def test_a_name_that_is_a_way_is_no_file() -> None:
    files = [{"filename": name, "url": "x"} for name in ("", ".", "..", "a/b", "a-1.tar.gz")]
    body, links = parse_page(json.dumps({"files": files}).encode(), "https://i.example/p/", JSON)
    assert list(links) == ["a-1.tar.gz"]
    assert len(json.loads(body)["files"]) == 1


def test_html_keeps_what_json_says_of_the_project() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        status = {"status": "archived", "reason": "done <here>"}
        index.body = json.dumps({**PAGE, "project-status": status}).encode()
        text = (await body_of(await gateway.fetch(ask(told.url), request("text/html")))).decode()
        assert '<meta name="pypi:project-status" content="archived">' in text
        assert '<meta name="pypi:project-status-reason" content="done &lt;here&gt;">' in text
        page = ProjectPage.from_html("acme-tool", text)
        assert page.alternate_locations == PAGE["alternate-locations"]
        assert page.repository_version == "1.3"

    with_index(story)


@pytest.mark.parametrize(
    ("file", "where"),
    [
        pytest.param(WHEEL, "{url}/files/ab/acme_tool-1.0-py3-none-any.whl", id="wheel"),
        pytest.param(
            f"{WHEEL}.metadata",
            "{url}/files/ab/acme_tool-1.0-py3-none-any.whl.metadata",
            id="metadata",
        ),
        pytest.param(
            "acme-tool-0.9.tar.gz", "https://files.example/a%2Bb.tar.gz?s=1", id="signed, as it is"
        ),
        pytest.param(
            "acme-tool-0.9.tar.gz.asc", "https://files.example/a%2Bb.tar.gz.asc?s=1", id="signature"
        ),
    ],
)
def test_files_are_redirected_to_where_the_page_has_them(file: str, where: str) -> None:
    async def story(_: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        for _round in range(2):
            answer = await gateway.fetch(ask(told.url, file=file), request())
            assert answer.status == 307
            assert header(answer, "Location") == where.format(url=told.url)
            assert header(answer, "Cache-Control") == "no-store"
            clock.now += 3600
        assert len(told.asked) == 1, "a page seen before is enough"

    with_index(story)


@pytest.mark.parametrize("file", ["other-1.0.tar.gz", "acme-tool-0.8.tar.gz", ".metadata"])
def test_files_that_the_page_does_not_have(file: str) -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        index.body, index.content_type = HTML, "text/html"
        assert (await gateway.fetch(ask(told.url, file=file), request())).status == 404

    with_index(story)


def test_a_new_file_is_found_on_the_next_page() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told.url), request())
        new = {"filename": "acme-tool-2.0.tar.gz", "url": "https://files.example/2", "hashes": {}}
        index.body = json.dumps({**PAGE, "files": [*PAGE["files"], new]}).encode()
        index.etag = '"2"'
        clock.now += 31
        answer = await gateway.fetch(ask(told.url, file="acme-tool-2.0.tar.gz"), request())
        assert header(answer, "Location") == "https://files.example/2"

    with_index(story)


def test_the_upstream_is_asked_with_its_etag_and_clients_get_304() -> None:
    async def story(_: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        first = await gateway.fetch(ask(told.url), request())
        etag = header(first, "ETag")
        assert etag is not None
        clock.now += 29
        again = await gateway.fetch(ask(told.url), request(if_none_match=etag))
        assert (again.status, again.body, len(told.asked)) == (304, b"", 1)
        clock.now += 2
        again = await gateway.fetch(ask(told.url), request(if_none_match=etag))
        assert (again.status, len(told.asked)) == (304, 2)
        assert told.asked[1].headers["if-none-match"] == '"1"'
        html = await gateway.fetch(ask(told.url), request("text/html", if_none_match=etag))
        assert html.status == 200

    with_index(story)


def test_head_has_the_length_and_no_body() -> None:
    async def story(_: Index, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        whole = await body_of(await gateway.fetch(ask(told.url), request()))
        head = await gateway.fetch(ask(told.url), request(method="HEAD"))
        assert (head.body, header(head, "Content-Length")) == (b"", str(len(whole)))

    with_index(story)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_page_is_served_while_its_index_is_unwell_but_not_for_ever(status: int) -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told.url), request())
        index.status = status
        clock.now += 3600
        assert (await gateway.fetch(ask(told.url), request())).status == 200
        clock.now += 86_400
        assert (await gateway.fetch(ask(told.url), request())).status in {429, 502}

    with_index(story)


def test_a_project_that_is_gone_is_404_at_once() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told.url), request())
        index.status = 404
        clock.now += 31
        for _round in range(2):
            answer = await gateway.fetch(ask(told.url), request())
            assert answer.status == 404
            assert (await page_of(answer))["error"] == "127.0.0.1 has nothing of this name"

    with_index(story)


def test_many_clients_at_once_are_one_request() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        index.seconds = 0.05
        answers = await asyncio.gather(
            *[gateway.fetch(ask(told.url), request()) for _ in range(100)]
        )
        assert {answer.status for answer in answers} == {200}
        assert len(told.asked) == 1

    with_index(story)


def test_redirects_of_pages_are_followed() -> None:
    async def story(_: Index, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        answer = await gateway.fetch(ask(told.url, "moved", WHEEL), request())
        assert header(answer, "Location") == f"{told.url}/files/ab/acme_tool-1.0-py3-none-any.whl"

    with_index(story)


def test_packed_pages_are_unpacked_within_the_limit() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        index.packed = True
        assert (await gateway.fetch(ask(told.url), request())).status == 200
        index.body, index.etag = b" " * 10_000_000, '"2"'
        other = await gateway.fetch(ask(told.url.replace("127.0.0.1", "localhost")), request())
        assert other.status == 502
        assert b"more than 1000000 bytes" in await body_of(other)

    with_index(story, UpstreamConfig(document_bytes=1_000_000))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"{", JSON, id="no JSON"),
        pytest.param(b"[]", JSON, id="no page"),
        pytest.param(b'{"files": {}}', JSON, id="no list of files"),
        pytest.param(b"[" * 100_000, JSON, id="deep"),
        pytest.param(b'{"files": [], "meta": "\xff"}', JSON, id="no UTF-8 beside the files"),
        pytest.param(
            b'{"files": [], "meta": %s%s}' % (b"[" * 5_000, b"]" * 5_000), JSON, id="deep beside"
        ),
        pytest.param(b"[" * 1_000_000, JSON, id="deep and large"),
        pytest.param(
            b'<meta name="pypi:repository-version" content="99.0">', "text/html", id="far future"
        ),
    ],
)
def test_what_is_no_page_is_502(body: bytes, content_type: str) -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        index.body, index.content_type = body, content_type
        answer = await gateway.fetch(ask(told.url), request())
        assert answer.status == 502
        assert b"a page that cannot be read" in await body_of(answer)

    with_index(story)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b'{"files": [{"filename": "f", "url": "f", "hashes": "x"}]}', id="hashes"),
        pytest.param(b'{"files": [], "meta": []}', id="meta"),
        pytest.param(b'{"files": [], "meta": {"tracks": 1}}', id="tracks"),
        pytest.param(b'{"files": [], "alternate-locations": 1}', id="locations"),
        pytest.param(b'{"files": [], "project-status": 1}', id="status"),
    ],
)
def test_what_html_cannot_say_is_502_for_html_alone(odd: bytes) -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        index.body, index.content_type = odd, JSON
        assert (await gateway.fetch(ask(told.url), request())).status == 200
        assert (await gateway.fetch(ask(told.url), request("text/html"))).status == 502

    with_index(story)


def test_null_is_nothing_to_html() -> None:
    async def story(index: Index, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        index.body, index.content_type = b'{"files": [], "meta": null, "tracks": null}', JSON
        assert (await gateway.fetch(ask(told.url), request("text/html"))).status == 200

    with_index(story)


def test_an_index_that_is_not_there_is_502() -> None:
    async def run() -> None:
        async with fetcher() as gateway:
            url = f"http://127.0.0.1:{free_port()}"
            for file in ("", WHEEL):
                assert (await gateway.fetch(ask(url, file=file), request())).status == 502

    asyncio.run(run())


@given(
    st.text() | st.recursive(st.none() | st.booleans() | st.text(), st.lists),
    st.sampled_from(["application/json", "text/html", ""]),
)
def test_parsing_a_page_gives_a_page_or_a_value_error(files: Any, content_type: str) -> None:
    page = {"files": [{"filename": "f", "url": files}, {"filename": files}, files], "yanked": files}
    try:
        body, links = parse_page(json.dumps(page).encode(), "https://i.example/p/", content_type)
    except ValueError:
        return
    assert isinstance(json.loads(body)["files"], list)
    assert all(url.startswith("http") for url in links.values())
