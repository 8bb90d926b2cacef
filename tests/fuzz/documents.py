"""Everything that is read of upstreams and of the operator: documents, manifests, routes."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from gateway import manifest, routefile, segments, table
from gateway.check import Placed
from gateway.decide import decide
from gateway.decision import FromPackageRegistry
from gateway.journal import _record
from gateway.problems import Problem
from gateway.request import Request
from gateway.toml_text import to_toml
from gateway.upstream.cargo_config import crate_url, parse_config, rendered_config
from gateway.upstream.challenge import parse_challenges
from gateway.upstream.helm_index import parse_index, rendered_index
from gateway.upstream.json_links import parse_links, rendered_links
from gateway.upstream.narinfo import parse_narinfo, rendered_narinfo
from gateway.upstream.packuments import _rendered as rendered_packument
from gateway.upstream.packuments import parse_packument
from gateway.upstream.platforms import children_of
from gateway.upstream.rendered import redirected_answer
from gateway.upstream.simple_index import _rendered as rendered_page
from gateway.upstream.simple_index import parse_page
from gateway.upstream.trouble import Refused
from tests.fuzz.requests import judge
from tests.fuzz.target import Run, pure, texts
from tests.gateway.test_decide import CASES, read
from tests.programs import ROOT

UPSTREAM = "https://files.acme.example/below"
BASE = "https://get.acme.example/"
Parse = Callable[[bytes, str, str], tuple[bytes, dict[str, str]]]


def challenge(data: bytes) -> None:
    """A header of challenges is read whatever it holds."""
    for each in parse_challenges(texts(data, 1)[0]):
        assert each.scheme
        assert all(each.parameters)


def document(parse: Parse, *renders: Callable[[bytes], bytes]) -> Run:
    """A document is read and rendered, or is none; ValueError and RecursionError are answered."""

    def run(data: bytes) -> None:
        try:
            parsed, links = parse(data, f"{UPSTREAM}/tool/", "")
        except (ValueError, RecursionError):
            return
        for url in links.values():
            location = dict(redirected_answer(url, ()).headers)["Location"]
            assert location.startswith(("https://", "http://"))
            assert location.isascii()
            assert location.isprintable()
            assert " " not in location
        for render in renders:
            try:
                rendered = render(parsed)
            except (ValueError, RecursionError, Refused):
                continue
            assert b"\0" not in rendered or b"\0" in data

    return run


def _page(media_type: str) -> Run:
    return document(
        lambda body, url, _: parse_page(body, url, media_type),
        lambda body: rendered_page(body, BASE, "json"),
        lambda body: rendered_page(body, BASE, "html"),
    )


def _packument(part: str) -> Callable[[bytes], bytes]:
    fetch = msgspec.convert(
        {"registry": f"{UPSTREAM}/", "name": "@a/b", "base": BASE, "part": part, "reference": "1"},
        FromPackageRegistry,
    )
    return lambda body: rendered_packument(body, fetch)


def cargo(data: bytes) -> None:
    """A registry's config, and the URL of a crate by it."""
    document(parse_config, lambda body: rendered_config(body, BASE))(data)
    try:
        _, links = parse_config(data, "", "")
    except (ValueError, RecursionError):
        return
    crate_url(links["dl"], "tool", "1.0", "0" * 64)


def image_index(data: bytes) -> None:
    """The children of an index that can be kept."""
    msgspec.json.encode(children_of(data))


def routes(data: bytes) -> None:
    """A routes file is served as it would be after being written out, or has its problems told."""
    _serve_or_tell(*routefile.read_toml(_file(data), "f"))


def scarf_manifest(data: bytes) -> None:
    """A manifest likewise."""
    _serve_or_tell(*manifest.read(_file(data), "f"))


def _file(data: bytes) -> str:
    # A file that is no UTF-8 is refused before it is read.
    return data.decode("utf-8", "replace")


def _serve_or_tell(placed: list[Placed], problems: list[Problem]) -> None:
    assert all(str(problem) for problem in problems)
    if any(problem.fatal for problem in problems):
        return
    read_in = [each.route for each in placed]
    built = table.build(read_in)
    for host in [*built.hosts, "any.example"][:4]:
        for path in ("/", "/a/b-1.0.zip", "/v2/a/manifests/x", "/simple/a/"):
            decision = decide(built, Request("GET", host, path))
            judge(decision, _Anywhere())
    written, faults = routefile.read_toml(to_toml(read_in), "written")
    assert not [fault for fault in faults if fault.fatal], faults
    assert [each.route for each in written] == read_in


class _Anywhere(frozenset[str]):
    """The operator may send clients wherever they like."""

    __slots__ = ()

    def __contains__(self, _: object) -> bool:
        return True


def journal(data: bytes) -> None:
    """Whatever stands in a segment, the whole records after it are read."""
    good = _record(_EVENT)
    with tempfile.NamedTemporaryFile(suffix=".sealed") as file:
        path = Path(file.name)
        path.write_bytes(data)
        before = segments.read(path)
        path.write_bytes(data + b"\n" + good)
        after = segments.read(path)
    assert after.events[: len(before.events)] == before.events
    assert after.events[-1] == _EVENT
    assert after.torn == 0
    assert len(after.events) == len(after.times)


_EVENT = json.dumps(
    {
        "v": 1, "event_id": "00000000-0000-7000-8000-000000000000", "event_time": 1,
        "event_type": "download", "route_type": "file", "package_id": "p", "package": "p",
        "host": "h", "artifact": "", "version": None, "reference": None, "method": "GET",
        "status": 307, "range_start": None, "user_agent": "", "referrer": None, "variables": "{}",
        "country": None, "region": None, "city": None, "latitude": None, "longitude": None,
        "asn": None, "as_org": None, "company": None, "company_domain": None,
        "connection_type": None, "origin_id": 1, "endpoint_id": 1,
    }
).encode()  # fmt: skip


def _of_cases(kind: str) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        if kind == "routes":
            yield (ROOT / "data" / "routes.toml").read_bytes()
        for file in CASES:
            text = getattr(read(file), kind)
            if text:
                yield text.encode()

    return seeds


_HTML = b"""<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1">
</head><body><a href="../x/tool-1.0.tar.gz#sha256=00" data-requires-python="&gt;=3" data-yanked="no"
data-core-metadata="sha256=11" data-gpg-sig="true">tool-1.0.tar.gz</a></body></html>"""
_PAGE = b"""{"meta": {"api-version": "1.1"}, "name": "tool", "versions": ["1.0"], "files": [
{"filename": "tool-1.0.tar.gz", "url": "x/tool-1.0.tar.gz", "hashes": {"sha256": "00"}, "size": 1,
"yanked": "no", "core-metadata": {"sha256": "11"}, "requires-python": ">=3", "provenance": "p"}]}"""
_NPM = b"""{"name": "@a/b", "dist-tags": {"latest": "1"}, "versions": {"1": {"dist":
{"tarball": "https://files.acme.example/below/@a/b/-/b-1.tgz", "shasum": "00"}}}}"""
_HELM = b"""apiVersion: v1
entries:
  tool:
  - name: tool
    description: |
      urls:
      - https://a.example/no.tgz
    urls:
    - "https://files.acme.example/below/tool-1.0.tgz" # one
    - https://b.example/tool-1.0.tgz
  other:
  - urls: [https://b.example/o.tgz, 'c.tgz']
"""
_HELM_JSON = b"""{"entries": {"t": [{"urls": ["https://b.example/o.tgz"]}]}}"""
_NARINFO = b"StorePath: /nix/store/%s-tool-1.0\nURL: nar/x.nar.xz\nNarSize: 1\n" % (b"0" * 32)
_CARGO = b'{"dl": "https://files.acme.example/{crate}/{sha256-checksum}", "api": null}'
_LINKS = b"""{"metadata-url": "/p2/%package%.json", "providers.v1": "/below/v1/",
"packages": {"a": [{"dist": {"url": "https://files.acme.example/below/a.zip"}}]}}"""
_INDEX = b"""{"manifests": [{"digest": "sha256:0", "platform": {"os": "linux", "architecture":
"arm64", "variant": "v8"}}, {"digest": "x", "annotations": {"vnd.docker.reference.type": ""}}]}"""
_BEARER = b'Bearer realm="https://t.example/token?a=\\"b",service=s , scope="a b", Basic realm=x'

DOCUMENTS = (
    pure("challenge", challenge, lambda: [_BEARER]),
    pure("simple-html", _page("text/html"), lambda: [_HTML]),
    pure("simple-json", _page("application/vnd.pypi.simple.v1+json"), lambda: [_PAGE]),
    pure(
        "packument",
        document(parse_packument, *map(_packument, ("packument", "version", "dist-tags"))),
        lambda: [_NPM],
    ),
    pure(
        "helm-index",
        document(parse_index, lambda body: rendered_index(body, UPSTREAM, "", BASE)),
        lambda: [_HELM, _HELM_JSON],
    ),
    pure("cargo-config", cargo, lambda: [_CARGO]),
    pure(
        "json-links",
        document(parse_links, lambda body: rendered_links(body, UPSTREAM, "p.json", BASE)),
        lambda: [_LINKS],
    ),
    pure("narinfo", document(parse_narinfo, rendered_narinfo), lambda: [_NARINFO]),
    pure("image-index", image_index, lambda: [_INDEX]),
    pure("routes", routes, _of_cases("routes")),
    pure("scarf-manifest", scarf_manifest, _of_cases("manifest")),
    pure("journal", journal, lambda: [_record(_EVENT), _record(_EVENT)[:-3] + b"\n"]),
)
