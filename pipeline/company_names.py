"""Organisation names as registries spell them, made comparable and made readable."""

import re
import unicodedata
from functools import cache
from typing import Final

from pipeline.organisation_words import organisation_words

_CONNECTORS: Final = frozenset({"&", "+", "and", "de", "und", "z"})
_HANDLE_AND_NAME: Final = re.compile(
    r"""
    ^[A-Z0-9][A-Z0-9_.-]*\s+-\s+        # GOOGLE - Google LLC
    | ^(?:[A-Z0-9]+[-_])+AS\w*\s+       # DE-FOO-AS Foo GmbH
    | ^AS[0-9]+\s+                      # AS64500 Foo GmbH
    """,
    re.VERBOSE,
)
_HANDLE: Final = re.compile(
    r"[A-Z0-9]+(?:[-_][A-Z0-9]+)+"
)  # DE-FOO-AS, AMAZON-02, with nothing else
_COUNTRY_BEFORE: Final = re.compile(r"^(?:AS|[A-Z]{2})[-_](?=[A-Z0-9]{3,})")
_NOISE_BEHIND: Final = re.compile(r"(?:[-_](?:AS[A-Z]?\d*|ASN\d*|NET|BLOCK|AP|\d+|[A-Z]{2}))+$")
_COUNTRY_BEHIND: Final = re.compile(r",\s*[A-Z]{2}$")  # Foo GmbH, DE
_NOT_WORDS: Final = re.compile(r"[^a-z0-9&]+")


def key_of(name: str) -> str:
    """Reduce a name to plain lower-case words, so that spellings of one owner begin alike."""
    plain = unicodedata.normalize("NFKD", _without_handle(name)).encode("ascii", "ignore").decode()
    words = _NOT_WORDS.sub(" ", plain.lower()).split()
    while len(words) > 1 and words[0] in _leading_forms():
        words.pop(0)
    return " ".join(words)


def legal_form(name: str) -> str | None:
    """Name the legal form at the end of a name, such as gmbh, without dots and slashes."""
    words = name.split()
    form = _form(words[-1]) if len(words) > 1 else ""
    return form if form in _legal_forms() else None


def readable(name: str) -> str:
    """Clean a name for people: without registry handle and legal form, in sensible case."""
    words = _without_handle(name).replace('"', "").split()
    while len(words) > 1 and _form(words[0]) in _leading_forms():
        words.pop(0)
    while len(words) > 1 and _closes(words[-1]):
        words.pop()
    cleaned = " ".join(words).strip(" ,;.-")
    return _in_case(cleaned) if cleaned else name.strip()


def _without_handle(name: str) -> str:
    name = _COUNTRY_BEHIND.sub("", " ".join(name.split()))
    rest = _HANDLE_AND_NAME.sub("", name)
    if rest:
        name = rest
    if _HANDLE.fullmatch(name):
        name = _NOISE_BEHIND.sub("", _COUNTRY_BEFORE.sub("", name)) or name
        name = name.replace("-", " ").replace("_", " ")
    return name


def _closes(word: str) -> bool:
    return _form(word) in _legal_forms() or word.lower() in _CONNECTORS


def _form(word: str) -> str:
    return word.lower().strip(",;()").replace(".", "").replace("/", "")


def _in_case(name: str) -> str:
    """Take a shouted name down, but leave abbreviations and names with a case of their own."""
    if name != name.upper():
        return name
    words = name.split()
    return " ".join(
        word.lower()
        if i and word.lower() in _small_words()
        else word
        if len(word) <= 3 or not set(word) & set("AEIOUY")  # noqa: PLR2004 IBM, SAP, KPMG
        else "-".join(part.capitalize() for part in word.split("-"))
        for i, word in enumerate(words)
    )


@cache
def _legal_forms() -> frozenset[str]:
    return frozenset(organisation_words().legal_forms.split())


@cache
def _leading_forms() -> frozenset[str]:
    return frozenset(organisation_words().leading_forms.split())


@cache
def _small_words() -> frozenset[str]:
    return frozenset(organisation_words().small_words.split())
