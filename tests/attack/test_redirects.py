"""No request chooses the host that it is sent to, writes a header, or writes a line into a log."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.attack.target import Gateway, gateway

EVIL = "evil.example"
# As they stand in a path or a query, ASCII, and percent-encoded where no server takes them bare.
PAYLOADS = [
    f"//{EVIL}",
    f"///{EVIL}",
    f"/%2f{EVIL}",
    f"%2f%2f{EVIL}",
    f"%2F%2F{EVIL}%2F%2E%2E",
    f"/\\{EVIL}",
    f"\\\\{EVIL}",
    f"%5c%5c{EVIL}",
    f"/%5C{EVIL}",
    f"@{EVIL}",
    f"%40{EVIL}",
    f".{EVIL}",
    f"%2e{EVIL}",
    f":{EVIL}",
    f":80@{EVIL}/",
    f"https://{EVIL}/",
    f"https:{EVIL}",
    f"https%3a%2f%2f{EVIL}",
    f"javascript:alert(1)//{EVIL}",
    f"data:text/html,{EVIL}",
    f"%0d%0aLocation:%20https://{EVIL}/",
    f"%0aSet-Cookie:%20{EVIL}",
    f"%0d%0a%0d%0a<script>{EVIL}",
    f"%E5%98%8A%E5%98%8DLocation:{EVIL}",  # letters whose last bytes are CR and LF
    f"%e3%80%82{EVIL}",  # a full stop in another script
    f"%ef%bc%8e{EVIL}",
    f"%ef%bc%8f%ef%bc%8f{EVIL}",  # a slash in full width
    f"%e2%84%80{EVIL}",
    f"%00{EVIL}",
    f"%09//{EVIL}",
    f"\t//{EVIL}",
    f"..%2f..%2f{EVIL}",
    f"../../{EVIL}",
    f"%2e%2e/%2e%2e/{EVIL}",
    f"..;/{EVIL}",
    f"?//{EVIL}",
    f"#//{EVIL}",
    f"%3f@{EVIL}",
    f"%23@{EVIL}",
    f"%252f%252f{EVIL}",
    f"{{+path}}{EVIL}",
    f"$%7bjndi:ldap://{EVIL}/a%7d",
    f"%1b[31m{EVIL}%1b[0m",
    f"%ff%fe{EVIL}",
    f"%ed%a0%80{EVIL}",
]
FRAMES = [
    "/tool/{}/x",
    "/tool/1.0/{}",
    "/tool{}",
    "/tree/{}",
    "/tree{}",
    "/find?name={}",
    "/find?name=a&{}",
    "/re/{}/x",
    "/re/1.0/{}",
    "/v2/sent/{}/manifests/1.0",
    "/v2/sent/x/manifests/{}",
    "/v2/sent/x/manifests/1.0?ns={}",
    "/v2/acme/tool/blobs/{}",
    "/simple/{}",
    "/simple/Acme{}",
    "/packages/acme/{}",
    "/{}",
    "{}",
    "/a.png?x-pxid=abc&page={}",
]
HOSTS = {"files.acme.example", "cr.acme.example"}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("redirects")) as target:
        yield target


@pytest.mark.parametrize("host", ["get.acme.example", "all.acme.example"])
@pytest.mark.parametrize("frame", FRAMES)
def test_a_redirect_keeps_to_its_host(target: Gateway, host: str, frame: str) -> None:
    redirects = 0
    for payload in PAYLOADS:
        line = f"GET {frame.format(payload)} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        answer = target.send(line.encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 (200|307|4\d\d) ", head), (payload, answer)
        names = {each.partition(b":")[0].lower() for each in head.split(b"\r\n")[1:]}
        assert b"set-cookie" not in names, payload
        assert re.search(rb"[^\r\n\x20-\x7e]", head) is None, payload
        assert b"<script>" not in body, payload
        for location in re.findall(rb"(?im)^location: *(.*?)\r?$", head):
            redirects += 1
            sent_to = location.decode("ascii")
            assert sent_to.startswith("https://") or re.match(r"/(?![/\\])", sent_to), payload
            # A browser ends the host at a backslash, urlsplit does not: both readings must do.
            for reading in (sent_to, sent_to.replace("\\", "/")):
                parts = urlsplit(reading)
                assert parts.netloc in {*HOSTS, ""}, payload
                assert parts.scheme in {"https", ""}, payload
    assert redirects or "v2/acme" in frame or host == "get.acme.example"


@pytest.mark.parametrize("name", ["Referer", "User-Agent", "Cookie", "X-Any", "Accept"])
def test_no_header_comes_back_as_one(target: Gateway, name: str) -> None:
    for value in (b"\x1b[31mevil", b"evil\x0b\x0c\x85evil", "\u2028evil\u560a".encode(), b"\xff"):
        request = b"GET /tool/1.0/x HTTP/1.1\r\nHost: get.acme.example\r\n"
        answer = target.send(request + name.encode() + b": " + value + b"\r\n\r\n")
        assert b"evil" not in answer


def test_nothing_that_a_client_sent_is_in_the_log(target: Gateway) -> None:
    for data in (b"\x1b[31m" + EVIL.encode(), b"GET /\x1b]0;" + EVIL.encode() + b"\x07 HTTP/1.1"):
        target.send(data + b"\r\n\r\n")
        target.send(b"POST /beat HTTP/1.1\r\nHost: " + data + b"\r\nContent-Length: x\r\n\r\n")
    target.ask("/v2/acme/tool/manifests/" + EVIL)  # whose registry answers nobody
    log = target.log
    assert EVIL not in log
    assert re.search(r"[^\n\x20-\x7e]", log) is None


def test_secrets_of_clients_are_in_no_log_and_in_no_table(target: Gateway) -> None:
    secret = "ghp_c4n4ryC4N4RYc4n4ryC4N4RYc4n4ry12"
    for path in (
        "/tool/1.0/x",
        "/v2/acme/tool/manifests/1.0",
        "/vouched",
        "/simple/acme/",
        "/none",
    ):
        for header in (f"Bearer {secret}", f"Basic {secret}", secret):
            for name in ("Authorization", "Cookie", "X-Api-Key", "Proxy-Authorization"):
                target.ask(path, {name: header})
                target.ask(path, {name: header}, method="POST", body=b"{}")
        target.ask(f"{path}?token={secret}&a={secret}&password=hunter22", {"User-Agent": secret})
    target.ask("/tool/1.0/x", {"Referer": f"https://me:{secret}@acme.example/?t={secret}"})
    target.stop()
    assert secret not in target.log
    assert "hunter22" not in target.log
    for column in target.raw().select("user_agent", "referrer", "variables").iter_columns():
        assert not column.drop_nulls().str.contains(f"{secret}|hunter22").any(), column.name
