"""What a client may not smuggle onto the disk, and what must come through unharmed."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import scrub
from gateway.scrub import _free, _name, _scrubbed

FREE = [
    ("plain word", "linux", "linux"),
    ("version", "1.2.3", "1.2.3"),
    ("platform", "linux/amd64", "linux/amd64"),
    ("target triple", "x86_64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"),
    ("file name", "tool_1.2.3_linux_amd64.tar.gz", "tool_1.2.3_linux_amd64.tar.gz"),
    ("media type", "application/vnd.oci.image.index.v1+json", None),
    ("digest with its algorithm", "sha256:" + "a1" * 32, None),
    ("time of day", "12:34:56", "12:34:56"),
    ("date and time", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
    ("Perl module", "Foo::Bar", "Foo::Bar"),
    ("five numbers", "1.2.3.4.5", "1.2.3.4.5"),
    ("numbers above 255", "120.0.6099.109", "120.0.6099.109"),
    ("e-mail", "canary@example.com", "[email]"),
    ("e-mail in words", "from canary@example.com.", "from [email]."),
    ("e-mail, encoded", "canary%40example.com", "[email]"),
    ("e-mail, encoded twice", "canary%2540example.com", "[email]"),
    ("IPv4", "127.77.88.99", "[ip]"),
    ("IPv4 with port", "127.77.88.99:8080", "[ip]"),
    ("IPv4 glued to letters", "x127.77.88.99y", "x[ip]y"),
    ("IPv4 with zeros", "127.077.088.099", "[ip]"),
    ("IPv4 in dashes", "host-127-77-88-99.isp.example", "host-[ip].isp.example"),
    ("IPv4, encoded", "%31%32%37.77.88.99", "[ip]"),
    ("IPv4 in full-width digits", "\uff11\uff12\uff17.77.88.99", "[ip]"),
    ("IPv6", "2001:db8::7", "[ip]"),
    ("IPv6 in brackets with port", "[2001:db8::7]:443", "[ip]"),
    ("IPv6 with zone", "fe80::1%eth0", "[ip]"),
    ("IPv4 in IPv6", "::ffff:127.77.88.99", "[ip]"),
    ("IPv6 written out", "2001:0db8:0000:0000:0000:0000:0000:0007", "[ip]"),
    ("IPv6 glued to IPv4", "127.77.88.99::1", "[ip][ip]"),
    ("JWT, short", "eyJhbGciOiI.eyJzdWIiOiI", "[secret]"),
    ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[secret]"),
    ("code host token", "ghp_" + "aB3dE5" * 6, "[secret]"),
    ("cloud key", "AKIAIOSFODNN7EXAMPLE", "[secret]"),
    ("hex key", "9f86d081884c7d659a2feaa0c55ad015", "[secret]"),
    ("base62 key", "q3ZrT8uWx0Lm5Yk2Vb7Nd9Pj", "[secret]"),
    ("UUID", "5b0e2b44-4f0a-4b44-9f0e-5d2f6c1d8a10", "[secret]"),
    ("user info in a URL", "https://me:pw@acme.example/x", "https://[secret]@acme.example/x"),
    ("private key", "-----BEGIN PRIVATE KEY-----\nabc", "[secret]"),
    ("control characters", "a\r\nb\x00c", "a b c"),
]


@pytest.mark.parametrize(
    ("text", "clean"), [case[1:] for case in FREE], ids=[case[0] for case in FREE]
)
def test_free_text(text: str, clean: str | None) -> None:
    assert scrub.free(text) == (text if clean is None else clean)


NAME = [
    ("four-part version in a file name", "tool-1.2.3.4.tar.gz", None, "tool-1.2.3.4.tar.gz"),
    ("four-part version", "1.2.3.4", "1.2.3.4", "1.2.3.4"),
    ("version in a path, found by the route", "a/1.2.3.4/x.tgz", "1.2.3.4", "a/1.2.3.4/x.tgz"),
    ("four numbers that no route calls a version", "a/127.77.88.99/x", None, "a/[ip]/x"),
    ("four numbers at the end of a path", "a/127.77.88.99", "1.0", "a/[ip]"),
    ("v before a version", "v1.2.3.4", None, "v1.2.3.4"),
    ("digest", "sha256:" + "0f" * 32, None, "sha256:" + "0f" * 32),
    ("commit", "3b18e512dba79e4c8300dd08aeb37f8e728b8dad", None, None),
    ("scoped package", "@acme/tool", None, "@acme/tool"),
    ("package and version", "tool@1.2.3-rc.one", None, "tool@1.2.3-rc.one"),
    ("package and version as a file", "tool@v2.1.tar.gz", None, "tool@v2.1.tar.gz"),
    ("Debian epoch", "1:2.3-4", None, "1:2.3-4"),
    ("e-mail", "canary@example.com", None, "[email]"),
    ("e-mail, encoded", "canary%40example.com", None, "[email]"),
    ("IPv6", "a/2001:db8::7/x", None, "a/[ip]/x"),
    ("IPv6, encoded", "a/2001%3Adb8%3A%3A7/x", None, "a/[ip]/x"),
    ("code host token", "x/ghp_" + "aB3dE5" * 6, None, "x/[secret]"),
    ("escapes that hide nothing", "a%20b%2Bc", None, "a%20b%2Bc"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "version", "clean"), [case[1:] for case in NAME], ids=[case[0] for case in NAME]
)
def test_names(text: str, version: str | None, clean: str | None) -> None:
    assert scrub.name(text, version) == (text if clean is None else clean)


AGENTS = [
    "curl/8.6.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36",
    "docker/20.10.24+dfsg1 go/go1.19.8 arch/amd64 UpstreamClient(Docker-Client/20.10 \\(linux\\))",
    'pip/26.3 {"ci":null,"cpu":"x86_64","distro":{"id":"bookworm"},"python":"3.11.7"}',
    "yarn/1.22.22 npm/? node/v20.20.2 linux x64",
    "got (https://github.com/sindresorhus/got)",
]  # fmt: skip


@pytest.mark.parametrize("agent", AGENTS)
def test_real_user_agents_come_through_unharmed(agent: str) -> None:
    assert scrub.user_agent(agent, 1024) == agent


def test_a_user_agent_loses_what_names_someone() -> None:
    sent = "bot/1.0 (+canary@example.com; 127.77.88.99; 2001:db8::7)"
    assert scrub.user_agent(sent, 1024) == "bot/1.0 ([email]; [ip]; [ip])"
    assert (
        scrub.user_agent("bot/1.0.0.1 (+http://203.0.113.7/)", 99) == "bot/1.0.0.1 (+http://[ip]/)"
    )
    assert len(scrub.user_agent("x" * 9999, 1024)) == 1024


REFERRERS = [
    ("page", "https://acme.example/docs/install", "https://acme.example/docs/install"),
    ("query and fragment", "https://acme.example/a?q=me@example.com#x", "https://acme.example/a"),
    ("user info", "https://me:pw@acme.example/a", "https://acme.example/a"),
    ("port", "http://localhost:3000/a", "http://localhost:3000/a"),
    ("upper case", "HTTPS://ACME.example/A", "https://acme.example/A"),
    ("e-mail in the path", "https://a.example/u/canary@example.com", "https://a.example/u/[email]"),
    ("address as host", "http://127.77.88.99/a", "http://[ip]/a"),
    ("IPv6 as host", "http://[2001:db8::7]:80/a", "http://[ip]/a"),
    ("app", "android-app://com.example/", None),
    ("nonsense", "nonsense", None),
    ("broken port", "http://a:b/", None),
    ("broken brackets", "http://[::1/", None),
    ("empty", "", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "kept"), [case[1:] for case in REFERRERS], ids=[case[0] for case in REFERRERS]
)
def test_referrers(sent: str, kept: str | None) -> None:
    assert scrub.referrer(sent) == kept


@pytest.mark.parametrize(
    "key", ["password", "api_key", "API-KEY", "x.token", "user_secret", "auth"]
)
def test_keys_that_announce_a_secret(key: str) -> None:
    assert scrub.key_names_a_secret(key)


@pytest.mark.parametrize("key", ["version", "author", "tokenizer", "keyboard", "platform"])
def test_keys_that_do_not(key: str) -> None:
    assert not scrub.key_names_a_secret(key)


def test_the_clients_own_address_goes_even_where_it_could_be_a_version() -> None:
    assert scrub.own("tool-127.77.88.99.tgz", "127.77.88.99") == "tool-[ip].tgz"
    assert scrub.own("tool-1%32%37.77.88.99.tgz", "127.77.88.99") == "tool-[ip].tgz"
    assert scrub.own("1.2.3.45", "1.2.3.4") == "1.2.3.45"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("host-203-0-113-7.tgz", "203.0.113.7"),
        ("a-::FFFF:CB00:7107.tgz", "203.0.113.7"),
        ("a-2001:DB8::7.tgz", "2001:db8::7"),
        ("a2001:0db8:0000:0000:0000:0000:0000:0007z", "2001:db8::7"),
        ("a-2001%3Adb8%3A%3A7.tgz", "2001:db8::7"),
    ],
)
def test_the_clients_own_address_goes_in_every_spelling(text: str, address: str) -> None:
    clean = scrub.own(text, address)
    assert "[ip]" in clean
    assert "7." not in clean


# What the rules look for, and what looks like it.
PIECES = [
    "tool", "1.2.3", "1.2.3.4", "127.77.88.99", "127-77-88-99", "-", "--", "_", ".", "/", "@", ":",
    "::1", "+", "=", "~", " ", "%40", "%2e", "\u00fc", "\uff11", "\n", "v",
    "x86_64-unknown-linux-gnu", "eyJabcdefgh", "ghp_", "sk-", "ya29.", "AKIA",
    "aB3dE5fG7hJ9kL1mN3pQ", "0123456789ABCDEF", "a" * 19, "-----BEGIN KEY",
    "me@a.example", "sha256:", "[", "]", "x",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=6).map("".join)


@given(TEXTS)
def test_a_plain_text_is_one_that_no_rule_changes(text: str) -> None:
    """The quick test spares most texts the scrub, and none that needs it."""
    free, name = _scrubbed(text, _free), _scrubbed(text, partial(_name, version="1.2.3.4"))
    if scrub.is_plain(text):
        assert free == name == text
    assert (scrub.free(text), scrub.name(text, "1.2.3.4")) == (free, name)


@given(st.lists(TEXTS, max_size=4))
def test_texts_that_are_plain_together_are_plain_alone(texts: list[str]) -> None:
    if scrub.is_plain(" ".join(texts)):
        assert all(map(scrub.is_plain, texts))


@pytest.mark.parametrize(
    "text",
    ["tool-1.2.3.tar.gz", "tool-1.0-x86_64-unknown-linux-musl.tar.gz", "get.acme.example", "v1.2",
     "Tool Setup (1.2.3).exe", "linux/amd64", ""],
)  # fmt: skip
def test_usual_names_are_plain(text: str) -> None:
    assert scrub.is_plain(text)


@given(
    st.lists(TEXTS, min_size=1, max_size=3),
    st.ip_addresses(),
    st.sampled_from(["{}", "a-{}b", "%2e{}"]),
)
def test_no_text_that_an_address_is_taken_out_of_is_passed_over(
    texts: list[str], address: object, frame: str
) -> None:
    texts[0] += frame.replace("{}", str(address))
    if any(scrub.own(text, str(address)) != text for text in texts):
        assert scrub.may_hold(scrub.addressed(texts), str(address))


def test_a_key_of_any_length_may_name_a_secret() -> None:
    assert scrub.key_names_a_secret("x" * 5000 + "_token")
    assert not scrub.key_names_a_secret("x" * 5000 + "token")
    assert not scrub.key_names_a_secret("token" * 1000)


@given(st.ip_addresses(), st.sampled_from(["{}", "a {} b", "a={}", "[{}]", "({})", "x/{}/y"]))
def test_no_address_survives_in_free_text(address: object, frame: str) -> None:
    assert str(address) not in scrub.free(frame.format(address))


@given(st.emails(), st.sampled_from(["{}", "to {} now", "mailto:{}", "x/{}/y", "<{}>"]))
def test_no_usual_email_survives(email: str, frame: str) -> None:
    local, _, domain = email.rpartition("@")
    # A slash parts words here, as it does in paths: of a/b@c.example, b@c.example goes.
    if len(local) <= 64 and domain.isascii() and not local.endswith("/"):
        assert email.rpartition("/")[2] not in scrub.free(frame.format(email))


@given(st.text(max_size=300))
def test_scrubbing_is_total_and_leaves_no_control_characters(text: str) -> None:
    for clean in (scrub.free(text), scrub.name(text), scrub.user_agent(text, 100)):
        assert not any(ord(character) < 32 for character in clean)
    scrub.referrer(text)
