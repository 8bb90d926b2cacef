"""Takes e-mail addresses, IP addresses and secrets out of what clients have written.

There are three rules, because four numbers with dots are a version as often as an address:

- `free` is for text that nobody has promised anything about: variables and referrers. Whatever
  looks like an e-mail, an address or a secret is replaced.
- `name` is for what the route says is a name: package, artifact, version, reference. Four numbers
  stay where they are glued to a name (`tool-1.2.3.4.tar.gz`), and hashes stay. Four numbers alone
  between slashes stay only where they are the version that the route found.
- `user_agent` is `name` where a slash glues too (`Chrome/120.0.0.0`).

E-mails, IPv6 addresses and secrets with a known beginning go by every rule. What no rule can know
is whether `203.0.113.7` is a version or the client: so the composer, who knows the client's
address, takes that one out of every field with `own`.
"""

import re
import string
import unicodedata
from collections.abc import Callable
from functools import lru_cache, partial
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote, urlsplit

EMAIL, ADDRESS, SECRET = "[email]", "[ip]", "[secret]"

REFERRER_READ = 4096  # what is longer is cut before it is looked at

_CACHED = 4096
_REFERRER_LIMIT = 1024

_OCTET = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
_QUAD = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_PORT = r"(?::\d{1,5}(?!\d))?"
# Five numbers in a row, or four of which one is above 255, are no address.
_ANY_QUAD = re.compile(rf"(?<!\d)(?<!\d\.){_QUAD}(?!\d|\.\d){_PORT}")
# Dashes, as in the names that access providers give to their customers' addresses.
_DASHED_QUAD = re.compile(rf"(?<!\d)(?<!\d-){_OCTET}(?:-{_OCTET}){{3}}(?!\d|-\d)")
_LONE_QUAD = re.compile(rf"(?<![\w.+~-]){_QUAD}(?![\w.+~-]){_PORT}")
# Two slashes are those of a URL, in which no version stands.
_LONE_QUAD_OF_AGENT = re.compile(rf"(?:(?<=//)|(?<![\w.+~/-])){_QUAD}(?![\w.+~-]){_PORT}")
_COLONS = re.compile(
    r"(?<![\w:.])\[?(?P<address>[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:\.\d{1,3}){0,3})(?![\w:.])"
    rf"(?:%\w+)?(?:\]{_PORT})?",
    re.IGNORECASE,
)

# Every repetition is bounded, so that a long text costs no more than its length.
_LOCAL = r"[\w.!#$%&'*+=?^`{|}~-]{1,64}"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL}){{0,126}}\.[a-z][a-z0-9-]{{0,61}}[a-z0-9]"
_ANY_EMAIL = re.compile(rf"{_LOCAL}@{_DOMAIN}", re.IGNORECASE)
# name@1.2.3-rc.one and name@v2.tar.gz are versions, name@main.zip is a file.
_NAME_EMAIL = re.compile(
    rf"{_LOCAL}@(?!v?\d)(?![\w.-]{{1,200}}\.(?:zip|t?gz|xz|bz2|zst|whl|jar|json|js|md)\b){_DOMAIN}",
    re.IGNORECASE,
)

_KNOWN_SECRET = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|(?:gh[pousr]_|github_pat_|glpat-|npm_|pypi-|dckr_pat_|hf_|xox[abprs]-|sk-|[sr]k_live_|AIza"
    r"|ya29\.)[\w-]{20,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|-----BEGIN [\s\S]*",
    re.ASCII,
)
_USER_INFO = re.compile(r"(?<=://)[^/\s?#@]{1,256}@")
_TOKEN = re.compile(r"\bsha(?:256|384|512):[0-9a-f]{64,128}\b|[A-Za-z0-9_+=~-]{20,}")
# Of a token's characters: a digit, an upper case letter, a lower case one, or none that counts.
_KINDS = str.maketrans(
    string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "0" * 10 + "A" * 26 + "a" * 26,
    "_+=~-",
)
_TURNS = ("0A", "0a", "A0", "Aa", "a0", "aA")
# How often lower case, upper case and digits take turns in random text. Words and versions stay
# below.
_RANDOM_TURNS = 0.3

_SECRET_KEY = re.compile(
    r"(?:^|[._-])(?:pass(?:word|wd|phrase)?|secret|token|auth(?:orization)?"
    r"|api[._-]?key|access[._-]?key|private[._-]?key|credentials?|session(?:[._-]?id)?|cookie|bearer|signature|sig)$",
    re.IGNORECASE,
)
_LONGEST_KEY = 64
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What `is_plain` looks at. Nothing that any rule changes fits into short words without any of @, %
# and colons, but for four numbers in a row and what begins as a JWT or a private key.
_SHORT_WORDS = re.compile(
    r"(?:[A-Za-z0-9_+=~-]{0,19}+[ !-$&-*,./;<>?\[-^`{|}]++)*+[A-Za-z0-9_+=~-]{0,19}+"
)
_ANY_WORDS = re.compile(r"[ !-$&-9;-?A-~]*")
_WORD = re.compile(r"[A-Za-z0-9_+=~-]+")
_LONG_WORD = 20
_QUADS = re.compile(r"[.-](?<=\d.)\d+[.-]\d+[.-]\d")
_COLONS_APART = re.compile(r":[^:]*:")


@lru_cache(_CACHED)
def free(text: str) -> str:
    """Replace everything in free text that looks like an e-mail, an address or a secret."""
    return text if is_plain(text) else _scrubbed(text, _free)


@lru_cache(_CACHED)
def name(text: str, version: str | None = None) -> str:
    """Replace what cannot be part of a name. The version is what the route found, if any."""
    return text if is_plain(text) else _scrubbed(text, partial(_name, version=version))


@lru_cache(_CACHED)
def user_agent(text: str, limit: int) -> str:
    """Scrub and cut a user agent; the versions of its products stay."""

    def rule(plain: str) -> str:
        return _LONE_QUAD_OF_AGENT.sub(ADDRESS, _by_any_rule(plain))

    return _scrubbed(text[: 2 * limit], rule)[:limit]


@lru_cache(_CACHED)
def referrer(text: str) -> str | None:
    """Keep scheme, host and path of a web page; whatever is no web page is no referrer."""
    try:
        parts = urlsplit(text.strip()[:REFERRER_READ])
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host:
        return None
    authority = f"[{host}]" if ":" in host else host
    if port is not None:
        authority += f":{port}"
    return free(f"{parts.scheme}://{authority}{parts.path}")[:_REFERRER_LIMIT]


def is_plain(text: str) -> bool:
    """Say of most texts, for a fraction of a scrub's cost, that none of the rules changes them.

    What is so of texts joined by spaces is so of each.
    """
    if _QUADS.search(text) or "eyJ" in text or "-----" in text:
        return False
    if _SHORT_WORDS.fullmatch(text):
        return True
    # Many files have the name of a machine in theirs, which is long and no secret.
    return (
        _ANY_WORDS.fullmatch(text) is not None
        and _KNOWN_SECRET.search(text) is None
        and not any(_is_random(word) for word in _WORD.findall(text) if len(word) >= _LONG_WORD)
    )


def key_names_a_secret(key: str) -> bool:
    """Say whether a variable's key announces a secret, whatever its value looks like."""
    # No such word is as long, so its end is enough; keys are few, and come again.
    return _ends_in_a_secret(key[-_LONGEST_KEY:])


@lru_cache(_CACHED)
def _ends_in_a_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def own(text: str, address: str) -> str:
    """Take the client's own address out of a text, also where it could be a version.

    The address is in its usual spelling; it goes in the others too, and whatever it is glued to.
    """
    if "%" in text:
        plain = _decoded(text)
        if may_hold(plain, address) and (clean := _own(address).sub(ADDRESS, plain)) != plain:
            return clean
    return _own(address).sub(ADDRESS, text) if may_hold(text, address) else text


def addressed(texts: list[str]) -> str:
    """Join texts for `may_hold`, in all forms that `own` reads; "" where none holds any address."""
    together = "\n".join(texts)
    if "%" in together:
        together = "\n".join((together, *map(_decoded, texts)))
    might = _QUADS.search(together) or _COLONS_APART.search(together)
    return together if might else ""


def _scrubbed(text: str, rule: Callable[[str], str]) -> str:
    """Apply a rule to what a text says, however encoded, and keep the encoding where it can."""
    text = _CONTROL.sub(" ", text)
    plain = _decoded(text)
    if plain != text and (clean := rule(plain)) != plain:
        return clean
    return rule(text)


def may_hold(text: str, address: str) -> bool:
    """Say whether `own` could find an address in a text; False is certain."""
    if ":" in address:
        return text.count(":") > 1
    return address in text or address.replace(".", "-") in text or "::ffff:" in text.lower()


@lru_cache(_CACHED)
def _own(address: str) -> re.Pattern[str]:
    """What finds one address, however it is written."""
    parsed = ip_address(address)
    spelled = {address, parsed.exploded}
    if isinstance(parsed, IPv4Address):
        spelled.add(address.replace(".", "-"))
        spelled.add(IPv6Address(b"\0" * 10 + b"\xff\xff" + parsed.packed).compressed)
    either = "|".join(map(re.escape, sorted(spelled, key=len, reverse=True)))
    end = r"(?!\d)" if isinstance(parsed, IPv4Address) else "(?![0-9a-f])"
    return re.compile(rf"(?<!\d)(?:{either}){end}", re.IGNORECASE)


def _decoded(text: str) -> str:
    for _ in range(3):
        if "%" not in text:
            break
        text = unquote(text)
    # Full-width digits and the like read as the plain ones.
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _free(text: str) -> str:
    text = _USER_INFO.sub(f"{SECRET}@", text) if "@" in text else text
    text = _ANY_EMAIL.sub(EMAIL, text) if "@" in text else text
    text = _without_ipv6(_KNOWN_SECRET.sub(SECRET, text))
    # Once more for IPv6, since what was glued to an IPv4 address stands alone only now.
    text = _without_ipv6(_DASHED_QUAD.sub(ADDRESS, _ANY_QUAD.sub(ADDRESS, text)))
    return _TOKEN.sub(lambda token: SECRET if _is_random(token[0]) else token[0], text)


def _name(text: str, version: str | None) -> str:
    return _LONE_QUAD.sub(
        lambda quad: quad[0] if quad[0] == version else ADDRESS, _by_any_rule(text)
    )


def _by_any_rule(text: str) -> str:
    text = _NAME_EMAIL.sub(EMAIL, text) if "@" in text else text
    return _without_ipv6(_KNOWN_SECRET.sub(SECRET, text))


def _without_ipv6(text: str) -> str:
    return _COLONS.sub(_marked_if_ipv6, text) if text.count(":") > 1 else text


def _marked_if_ipv6(match: re.Match[str]) -> str:
    try:
        IPv6Address(match["address"])
    except AddressValueError:
        return match[0]
    return ADDRESS


def _is_random(token: str) -> bool:
    """Tell keys and tokens from words and versions, by how often kinds of characters change."""
    if ":" in token:  # a digest says which algorithm made it
        return False
    kinds = token.translate(_KINDS)
    turns = sum(map(kinds.count, _TURNS))
    return "0" in kinds and turns >= _RANDOM_TURNS * len(kinds)
