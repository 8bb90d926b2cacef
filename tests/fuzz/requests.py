"""Everything that is read of a request: target, headers, body, templates, paths of repositories."""

import string
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import msgspec

from gateway import agents, bodies, intake, scrub, table
from gateway.decide import decide
from gateway.decision import Redirect, Refusal, Reply
from gateway.escapes import canonical, climbs
from gateway.fastpath import _FIRST_LINE, _plain_headers
from gateway.proxies import Proxies, parse_address
from gateway.queries import parse as parse_query
from gateway.routes import RepositoryRoute
from gateway.template_syntax import TemplateError, parse_path, parse_url
from gateway.templates import PathMatcher, Variable
from tests.fuzz.target import FIELD, Run, Target, ascii_text, fields, pure, texts
from tests.gateway.served import serving
from tests.gateway.test_decide import CASES, EVERYTHING, HOST, TARGETS, read, request_of
from tests.gateway.test_fastpath import Pair

PROXIES = (Proxies(0), Proxies(1), Proxies(("10.0.0.0/8",)))
FORMATS = get_args(RepositoryRoute.__annotations__["format"])
REPOSITORIES = table.build(
    [
        RepositoryRoute(
            domains=(f"{name}.example",),
            package=name,
            format=name,
            path="/",
            upstream="https://files.acme.example/below",
        )
        for name in FORMATS
    ]
)


def request(data: bytes) -> None:
    """From the lines of a request to an answer that sends nobody elsewhere."""
    head, body = fields(data, 2)
    first, *lines = head.split(b"\n")
    method, _, target = ascii_text(first).partition(" ")
    pairs = [line.decode("utf-8", "surrogateescape").partition(":") for line in lines]
    for proxies in PROXIES:
        try:
            facts, _ = intake.read(
                method,
                target,
                [(name.lower(), value.strip(" \t")) for name, _, value in pairs],
                body=body,
                peer="10.1.2.3",
                proxies=proxies,
            )
        except intake.BadTarget:
            continue
        assert facts.path.startswith("/")
        assert not set(facts.host) & set("/@\\ %?#")
        judge(decide(EVERYTHING, facts))
        judge(decide(EVERYTHING, msgspec.structs.replace(facts, host=HOST)))


def judge(decision: object, targets: Iterable[str] = TARGETS) -> None:
    """Fail for an answer that could harm its client, or could not be written down."""
    if isinstance(decision, Redirect):
        assert decision.location.isascii()
        assert decision.location.isprintable()
        assert " " not in decision.location
        assert "\\" not in decision.location
        assert not decision.location.startswith("//")
        assert urlsplit(decision.location).netloc in targets, decision.location
        assert urlsplit(decision.location).scheme in {"", "https", "http"}
    if isinstance(decision, Redirect | Reply):
        hits = decision.hits
    else:
        hits = () if isinstance(decision, Refusal) else getattr(decision, "hits", ())
    for hit in hits:
        assert hit.package_id
        msgspec.json.encode(hit)
    if isinstance(decision, Reply | Refusal):
        for name, value in decision.headers.items():
            assert name.isascii()
            assert not set(value) & set("\r\n\0")


def request_seeds() -> Iterator[bytes]:
    for file in CASES:
        asked = request_of(read(file))
        target = asked.path + (f"?{asked.query}" if asked.query else "")
        lines = [f"{asked.method} {target}", f"Host: {asked.host}"]
        lines += [f"{name}: {value}" for name, value in asked.headers.items()]
        yield "\n".join(lines).encode("utf-8", "replace") + FIELD + asked.body


def path_of_a_repository(data: bytes) -> None:
    """Every format's classifier has a word for every path."""
    path, query = fields(data, 2)
    for name in FORMATS:
        facts, _ = intake.read(
            "GET",
            f"/{ascii_text(path)}?{ascii_text(query)}",
            [("host", f"{name}.example")],
            body=b"",
            peer="",
            proxies=PROXIES[0],
        )
        judge(decide(REPOSITORIES, facts), {"files.acme.example", "", f"{name}.example"})


def repository_seeds() -> list[bytes]:
    return [
        b"pool/main/f/foo/foo_1%3a1.0-1_amd64.deb",
        b"dists/stable/main/binary-amd64/Packages.gz",
        b"Packages/f/foo-1.0-1.el9.x86_64.rpm",
        b"org/acme/tool/1.0-SNAPSHOT/tool-1.0-20260101.101010-1-sources.jar",
        b"to/ol/tool",
        b"config.json",
        b"github.com/!acme/tool/@v/v1.0.0+incompatible.zip",
        b"gems/tool-1.0-x86_64-linux.gem",
        b"nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar.xz",
        b"index.yaml",
        b"conda-forge/linux-64/tool-1.0-py311h_0.conda",
        b"p2/acme/tool~dev.json",
        b"v2/homebrew/core/tool/blobs/sha256:" + b"0" * 64,
        b"v1/providers/acme/tool/1.0/download/linux/amd64",
    ]


def body(data: bytes) -> None:
    """A body is events that can be written down, or a reason."""
    read_body = bodies.parse(data, max_bytes=65_536, max_events=100)
    if isinstance(read_body, Refusal):
        assert read_body.status in {400, 413}
        return
    assert len(read_body) <= 100
    for event in read_body:
        msgspec.json.encode(event)
        assert all(len(key) <= bodies.MAX_KEY for key in event.variables)
        assert event.time is None or 0 <= event.time < 2**63


def body_seeds() -> list[bytes]:
    return [
        b'{"a": 1, "b": {"c": [true, null, "x"]}}',
        b'{"$version": "1", "$time": "2026-01-01T00:00:00+01:00"}\n{"$time": 1767222000.5}',
        b'[{"$headers": [{"name": "Referer", "value": "https://a.example/"}]}, {}]',
        b'\xef\xbb\xbf{"\\ud800": "\\udc00", "$unique_id": 1e400, "$remote_address": "::1"}',
    ]


def template(data: bytes) -> None:
    """What is matched can be put together again, and what is made keeps to its host."""
    incoming, outgoing, path, query = texts(data, 4)
    try:
        parsed = parse_path(incoming)
        made = parse_url(outgoing)
    except TemplateError:
        return
    asked = parse_query(query)
    form = canonical(path)
    captures = PathMatcher(parsed).match(form, asked.values)
    if captures is not None:
        again = "".join(
            captures[part.name] if isinstance(part, Variable) else part for part in parsed.path
        )
        assert again == form
        assert set(captures) == parsed.variables
    url = made.expand(dict.fromkeys(made.variables, form or "x") | (captures or {}), asked.parts)
    if url is None:
        return
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert url.startswith(made.origin)
    assert url == made.origin or url[len(made.origin)] in "/?#"
    assert not climbs(url[len(made.origin) :].partition("?")[0].partition("#")[0])


def template_seeds() -> Iterator[bytes]:
    for four in (
        (b"/a/{x}-{y}.tgz?os={os}", b"https://h.example/{x}/{+y}?o={os}#f", b"/a/b-1.tgz", b"os=l"),
        (b"/{+p}-{v}/{v}", b"http://h.example:8080/{v}{?p,v}", b"/a/b-1/1", b""),
        (b"/x{/a,b}{.c}", b"https://h.example{/a,b}", b"/x/1/2.3", b"a[]=%zz&=&+"),
    ):
        yield FIELD.join(four)


def address(data: bytes) -> None:
    """Addresses in headers, and what is taken out of texts."""
    text, version = texts(data, 2)
    parsed = parse_address(text)
    chain = {"x-forwarded-for": text, "forwarded": version, "x-forwarded-host": text}
    for proxies in PROXIES:
        proxies.origin("10.1.2.3", chain)
    for clean in (scrub.free(text), scrub.name(text, version), scrub.user_agent(text, 1024)):
        msgspec.json.encode(clean.encode("utf-8", "replace"))
    scrub.referrer(text)
    if parsed is not None and set(text) <= set(string.hexdigits + ".:"):
        assert str(parsed) not in scrub.own(f"x {parsed} y", str(parsed))
    agents.read(text)


def address_seeds() -> list[bytes]:
    return [
        b"203.0.113.7, 10.0.0.1" + FIELD + b'for="[2001:db8::1]:80";proto=https;host=a',
        b"::ffff:203.0.113.7" + FIELD + b"1.2.3.4",
        b"https://user:pass@a.example:80/me@b.example/?token=1" + FIELD,
        b"Mozilla/5.0 (X11; Linux x86_64) Chrome/100.0.0.0" + FIELD,
    ]


@contextmanager
def both_ways() -> Iterator[Run]:
    """The quick way and the ordinary way give one answer and one event, on real sockets."""
    with tempfile.TemporaryDirectory(prefix="footfall-fuzz-") as home:
        pair = Pair(Path(home))
        with serving(pair.quick, pair.plain):

            def run(data: bytes) -> None:
                end = data.find(b"\r\n")
                # What is not plain takes the ordinary way by definition, and may be unfinished.
                if _FIRST_LINE.fullmatch(data, 0, end) is None or len(data) > 4096:
                    return
                try:
                    if _plain_headers(data[end + 2 :]) is None:
                        return
                except intake.BadTarget:
                    return
                pair.compare(data)

            yield run
            pair.close()


def both_ways_seeds() -> Iterator[bytes]:
    host = b"Host: get.acme.example\r\n"
    for target in (b"/tool/1/x", b"/kept/x", b"/answered?a=1", b"/a.png?x-pxid=abc", b"/simple/"):
        yield b"GET %s HTTP/1.1\r\n%sUser-Agent: pip/24 {}\r\n\r\n" % (target, host)
    yield b"GET //x/../%2e HTTP/1.1\r\nhost:all.acme.example\r\nReferer: \xff\r\nDNT: 1\r\n\r\n"
    yield b"GET /tool/1/x HTTP/1.1\r\n%sRange: bytes=5-\r\nCookie: a\r\n\r\n" % host


REQUESTS = (
    pure("request", request, request_seeds),
    Target("both-ways", both_ways, both_ways_seeds),
    pure("repository-path", path_of_a_repository, repository_seeds),
    pure("body", body, body_seeds),
    pure("template", template, template_seeds),
    pure("address", address, address_seeds),
)
