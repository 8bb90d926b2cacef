"""Documents of repositories, served with their links at the gateway."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from gateway.decision import FromRepository, Hit, RepositoryDocument
from gateway.request import Request
from gateway.upstream.answer import Answer
from gateway.upstream.cargo_config import crate_url, rendered_config
from gateway.upstream.config import UpstreamConfig
from gateway.upstream.fetcher import Fetcher
from gateway.upstream.helm_index import parse_index, rendered_index
from gateway.upstream.json_links import rendered_links
from gateway.upstream.narinfo import parse_narinfo, rendered_narinfo
from tests.gateway.upstreams import Clock, Upstream, body_of, fetcher, header, upstream

BASE = "https://get.acme.example/r/"
UP = "https://up.acme.example/repo"


class TestHelmIndex:
    def turned(self, text: str, folder: str = "") -> str:
        marked, _ = parse_index(text.encode(), "", "")
        return rendered_index(marked, UP, folder, BASE).decode()

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            pytest.param("    urls:\n    - {}\n", "    urls:\n    - {}\n", id="as helm writes it"),
            pytest.param("    urls:\n      - {}\n", "    urls:\n      - {}\n", id="indented"),
            pytest.param("  - urls:\n    - {}\n", "  - urls:\n    - {}\n", id="first key"),
            pytest.param("  urls:\r\n  - {}\r\n", "  urls:\r\n  - {}\r\n", id="windows"),
            pytest.param('  urls:\n  - "{}"\n', '  urls:\n  - "{}"\n', id="double quotes"),
            pytest.param("  urls:\n  - '{}'\n", "  urls:\n  - '{}'\n", id="single quotes"),
            pytest.param(
                "  urls:\n  # c\n  - {} # d\n", "  urls:\n  # c\n  - {} # d\n", id="notes"
            ),
            pytest.param('  "urls": # c\n\n  - {}\n', '  "urls": # c\n\n  - {}\n', id="quoted key"),
            pytest.param("  urls: [{}]\n", "  urls: [{}]\n", id="brackets"),
            pytest.param(
                '  urls: [ "{}" , a ]\n', '  urls: [ "{}" , a ]\n', id="quoted in brackets"
            ),
            pytest.param('{{"urls":["{}"]}}', '{{"urls":["{}"]}}', id="json"),
            pytest.param(
                '{{\n"urls" : [\n"{}"\n]}}', '{{\n"urls" : [\n"{}"\n]}}', id="json in lines"
            ),
        ],
    )
    def test_a_url_below_the_upstream_leads_to_the_gateway(self, entry: str, expected: str) -> None:
        url = "charts/tool-1.2.3.tgz"
        assert self.turned(entry.format(f"{UP}/{url}")) == expected.format(f"{BASE}{url}")

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("urls:\n- charts/tool-1.2.3.tgz\n", id="relative"),
            pytest.param(f"home: {UP}/x\nsources:\n- {UP}/y\n", id="other keys"),
            pytest.param(f"description: |\n  urls:\n  - {UP}/a.tgz\nhome: x\n", id="block of text"),
            pytest.param(f"- description: >-\n\n    urls:\n    - {UP}/a.tgz\n", id="folded text"),
            pytest.param(f"urls:\nhome: x\n- {UP}/a.tgz\n", id="list of another key"),
            pytest.param(f"urls: &a\n- {UP}/a.tgz\n", id="anchor"),
            pytest.param("urls:\n- oci://cr.acme.example/tool\n", id="another scheme"),
            pytest.param(f"urls: {UP}/a.tgz\n", id="no list"),
            pytest.param("", id="empty"),
        ],
    )
    def test_everything_else_stays(self, text: str) -> None:
        assert self.turned(text) == text

    def test_a_chart_elsewhere_is_found_again_by_its_digest(self) -> None:
        url = "https://files.acme.example/v1/tool-1.2.3.tgz?sig=a/b"
        text = f"urls:\n- {url}\n"
        _, links = parse_index(text.encode(), "", "")
        ((digest, found),) = links.items()
        assert found == url
        expected = f"urls:\n- {BASE}stable/elsewhere/{digest}/tool-1.2.3.tgz\n"
        assert self.turned(text, "stable/") == expected

    def test_the_upstream_s_name_in_another_s_is_elsewhere(self) -> None:
        assert "/elsewhere/" in self.turned(f"urls:\n- {UP}sitory/tool-1.tgz\n")

    @pytest.mark.parametrize("body", [b"\xff\xfe", b"urls:\n- a\0b"], ids=["no text", "a null"])
    def test_what_is_no_index(self, body: bytes) -> None:
        with pytest.raises(ValueError, match=r"text|codec"):
            parse_index(body, "", "")

    lines = st.sampled_from(
        [
            "urls:",
            "  urls:",
            "- urls:",
            "  - a",
            "- |",
            "x: >",
            "{",
            "urls: [",
            "]",
            "",
            "\r",
            "# c",
        ]
    ) | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)

    @given(st.lists(lines).map("\n".join))
    def test_an_index_without_absolute_urls_is_served_as_it_is(self, text: str) -> None:
        if "://" not in text:
            assert self.turned(text) == text.removeprefix("\ufeff")


class TestCargoConfig:
    @pytest.mark.parametrize(
        ("dl", "here", "there"),
        [
            pytest.param(
                "https://dl.acme.example/crates",
                f"{BASE}crates",
                "https://dl.acme.example/crates/Acme/1.2.3+b/download",
                id="no markers",
            ),
            pytest.param(
                "https://dl.acme.example/{crate}/{crate}-{version}.crate",
                f"{BASE}crates",
                "https://dl.acme.example/Acme/Acme-1.2.3+b.crate",
                id="name and version",
            ),
            pytest.param(
                "https://dl.acme.example/{prefix}/{lowerprefix}/{crate}?v={version}",
                f"{BASE}crates",
                "https://dl.acme.example/Ac/me/ac/me/Acme?v=1.2.3+b",
                id="folders",
            ),
            pytest.param(
                "https://dl.acme.example/{sha256-checksum}",
                f"{BASE}crates/{{crate}}/{{version}}/{{sha256-checksum}}/download",
                "https://dl.acme.example/0a1b",
                id="checksum",
            ),
        ],
    )
    def test_downloads_come_here_and_go_there(self, dl: str, here: str, there: str) -> None:
        config = {"dl": dl, "api": "https://api.acme.example", "auth-required": False}
        assert json.loads(rendered_config(json.dumps(config).encode(), BASE)) == {
            **config,
            "dl": here,
        }
        assert crate_url(dl, "Acme", "1.2.3+b", "0a1b") == there

    @pytest.mark.parametrize(
        ("crate", "folders"), [("a", "1"), ("ab", "2"), ("Abc", "3/A"), ("abcd", "ab/cd")]
    )
    def test_folders_of_short_names(self, crate: str, folders: str) -> None:
        assert crate_url("https://h/{prefix}", crate, "1", "") == f"https://h/{folders}"

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_no_name_leaves_the_registry_s_host(self, crate: str, version: str) -> None:
        url = crate_url("https://h.example/{prefix}/{crate}/{version}", crate, version, "")
        assert url.startswith("https://h.example/")
        assert url.isascii()
        assert url.isprintable()


class TestJsonLinks:
    @pytest.mark.parametrize(
        ("document", "expected"),
        [
            pytest.param(
                {"metadata-url": "/repo/p2/%package%.json", "search": f"{UP}/s?q=%query%"},
                {"metadata-url": f"{BASE}p2/%package%.json", "search": f"{BASE}s?q=%query%"},
                id="composer's root",
            ),
            pytest.param(
                {"packages": {"a/b": [{"dist": {"url": f"{UP}/dist/a.zip", "shasum": "/x"}}]}},
                {"packages": {"a/b": [{"dist": {"url": f"{BASE}dist/a.zip", "shasum": "/x"}}]}},
                id="composer's archives",
            ),
            pytest.param(
                {"providers.v1": "/repo/v1/providers/", "modules.v1": "modules/"},
                {"providers.v1": f"{BASE}v1/providers/", "modules.v1": "modules/"},
                id="terraform's discovery",
            ),
            pytest.param(
                {"a": "/elsewhere/x", "b": "//h/repo/x", "c": f"{UP}x", "d": 1, "e": [None, True]},
                {"a": "/elsewhere/x", "b": "//h/repo/x", "c": f"{UP}x", "d": 1, "e": [None, True]},
                id="others",
            ),
        ],
    )
    def test_links_below_the_upstream_are_turned(self, document: object, expected: object) -> None:
        body = json.dumps(document).encode()
        assert json.loads(rendered_links(body, UP, "packages.json", BASE)) == expected


class TestNarinfo:
    NARINFO = (
        "StorePath: /nix/store/00bgd045z0d4icpbc2yyz4gx48ak44la-gtk+3-3.24.41-dev\n"
        "URL: {}\nCompression: xz\nNarHash: sha256:0a1b\nReferences: a-URL: nar/x\nSig: k:s==\n"
    )

    @pytest.mark.parametrize(
        ("url", "here"),
        [
            ("nar/0a1b.nar.xz", "named/gtk%2B3-3.24.41-dev/nar/0a1b.nar.xz"),
            ("nar/0a1b.nar?hash=c", "named/gtk%2B3-3.24.41-dev/nar/0a1b.nar?hash=c"),
            ("https://nar.acme.example/a.nar", "https://nar.acme.example/a.nar"),
            ("/nar/a.nar", "/nar/a.nar"),
        ],
    )
    def test_a_relative_url_gets_its_name(self, url: str, here: str) -> None:
        body, _ = parse_narinfo(self.NARINFO.format(url).encode(), "", "")
        assert rendered_narinfo(body).decode() == self.NARINFO.format(here)

    def test_what_is_no_narinfo(self) -> None:
        with pytest.raises(ValueError, match="StorePath"):
            parse_narinfo(b"<html>", "", "")


class Repository:
    """An upstream with one document at every path."""

    def __init__(self, body: str) -> None:
        self.status = 200
        self.body = body
        self.etag = '"1"'

    async def __call__(self, asked: web.Request) -> web.Response:
        if self.status == 200 and asked.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        return web.Response(status=self.status, text=self.body, headers={"ETag": self.etag})


Story = Callable[[Repository, Upstream, Fetcher, Clock], Awaitable[None]]


def with_repository(body: str, story: Story) -> None:
    async def run() -> None:
        repository, clock = Repository(body), Clock()
        async with upstream(repository) as told, fetcher(UpstreamConfig(), clock) as gateway:
            await story(repository, told, gateway, clock)

    asyncio.run(run())


def ask(told: Upstream, document: RepositoryDocument, path: str, *link: str) -> FromRepository:
    hit = Hit(event_type="metadata", route_type="repository", package_id="p", package="p")
    return FromRepository(
        upstream=told.url, path=path, document=document, base=BASE, link=link, hits=(hit,)
    )


def get(**headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("GET", "get.acme.example", "/", "", named)


CARGO = '{"dl": "https://dl.acme.example/crates"}'


def shown(answer: Answer) -> tuple[int, str | None]:
    return answer.status, header(answer, "Location")


def test_a_crate_is_where_the_registry_says() -> None:
    async def story(_: Repository, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        config = await gateway.fetch(ask(told, "cargo-config", "config.json"), get())
        assert (config.status, header(config, "Content-Type")) == (200, "application/json")
        assert json.loads(await body_of(config)) == {"dl": f"{BASE}crates"}
        etag = header(config, "ETag") or ""
        same = ask(told, "cargo-config", "config.json")
        assert (await gateway.fetch(same, get(if_none_match=etag))).status == 304

        crate = ask(told, "cargo-config", "config.json", "acme", "1.0", "")
        answer = await gateway.fetch(crate, get())
        assert shown(answer) == (307, "https://dl.acme.example/crates/acme/1.0/download")
        assert answer.hits == crate.hits
        assert len(told.asked) == 1
        clock.now += 60
        assert (await gateway.fetch(crate, get())).status == 307
        for _moment in range(1000):  # it may be asked about behind the answer
            if len(told.asked) == 2:
                break
            await asyncio.sleep(0.01)
        assert told.asked[1].headers["if-none-match"] == '"1"'

    with_repository(CARGO, story)


def test_while_the_upstream_is_down_what_was_seen_is_served() -> None:
    async def story(repository: Repository, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        crate = ask(told, "cargo-config", "config.json", "acme", "1.0", "")
        await gateway.fetch(crate, get())
        repository.status = 503
        clock.now += 3600
        assert (await gateway.fetch(crate, get())).status == 307
        clock.now += 100_000
        assert (await gateway.fetch(crate, get())).status == 502, "too old to be believed"

    with_repository(CARGO, story)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, CARGO),
        (401, CARGO),
        (200, "<html>"),
        (200, '{"api": "x"}'),
        (200, '{"dl": "ftp://h"}'),
    ],
    ids=["down", "private", "no json", "no dl", "no web address"],
)
def test_a_document_that_cannot_be_had_is_the_client_s_to_fetch(status: int, body: str) -> None:
    async def story(repository: Repository, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        repository.status = status
        config = await gateway.fetch(ask(told, "cargo-config", "config.json"), get())
        assert shown(config) == (307, f"{told.url}/config.json")
        crate = ask(told, "cargo-config", "config.json", "acme", "1.0", "")
        assert (await gateway.fetch(crate, get())).status == 502

    with_repository(body, story)


def test_a_document_that_is_not_there_is_404() -> None:
    async def story(repository: Repository, told: Upstream, gateway: Fetcher, _: Clock) -> None:
        repository.status = 404
        answer = await gateway.fetch(ask(told, "json-links", "p2/acme/tool~dev.json"), get())
        assert shown(answer) == (404, None)

    with_repository("{}", story)


def test_a_chart_elsewhere_and_its_provenance() -> None:
    async def story(_: Repository, told: Upstream, gateway: Fetcher, __: Clock) -> None:
        index = await gateway.fetch(ask(told, "helm-index", "stable/index.yaml"), get())
        assert header(index, "Content-Type") == "application/yaml"
        link = (await body_of(index)).decode().split("- ")[1].strip()
        assert link.startswith(f"{BASE}stable/elsewhere/")
        *_rest, digest, file = link.split("/")
        for suffix, location in (
            ("", "https://files.acme.example/tool-1.0.tgz?a=b"),
            (".prov", "https://files.acme.example/tool-1.0.tgz.prov?a=b"),
        ):
            chart = ask(told, "helm-index", "stable/index.yaml", digest, f"{file}{suffix}")
            assert shown(await gateway.fetch(chart, get())) == (307, location)
        unknown = ask(told, "helm-index", "stable/index.yaml", "0" * 16, file)
        assert (await gateway.fetch(unknown, get())).status == 404
        assert len(told.asked) == 1

    with_repository("urls:\n- https://files.acme.example/tool-1.0.tgz?a=b\n", story)


def test_a_chart_that_another_worker_told_of_is_found() -> None:
    index = "urls:\n- https://files.acme.example/tool-1.0.tgz\n"

    async def story(repository: Repository, told: Upstream, gateway: Fetcher, clock: Clock) -> None:
        await gateway.fetch(ask(told, "helm-index", "stable/index.yaml"), get())
        repository.body, repository.etag = index.replace("1.0", "2.0"), '"2"'
        clock.now += 2
        async with fetcher(UpstreamConfig()) as other:
            told_there = await other.fetch(ask(told, "helm-index", "stable/index.yaml"), get())
        *_rest, digest, file = (await body_of(told_there)).decode().strip().split("/")
        chart = ask(told, "helm-index", "stable/index.yaml", digest, file)
        location = "https://files.acme.example/tool-2.0.tgz"
        assert shown(await gateway.fetch(chart, get())) == (307, location)

    with_repository(index, story)
