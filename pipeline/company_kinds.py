"""What kind of organisation a name or an IP database's word means, where no table knows it."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from pipeline.company_names import legal_form
from pipeline.organisation_words import organisation_words

_REMEMBERED_WORDS = 65_536


class _Rule(NamedTuple):
    """A kind, with its patterns for one word and its patterns for several."""

    kind: str
    word: re.Pattern[str]
    phrase: re.Pattern[str] | None


def kind_by_connection(connection_type: str | None) -> str | None:
    """Read an IP database's own word for the kind of network."""
    if not connection_type:
        return None
    return organisation_words().connections.get(connection_type.lower())


def kind_by_words(key: str, name: str, country: str | None) -> str | None:
    """Read the kind from the words of a name; the key is the name in plain lower-case words."""
    words = key.replace("&", " ").split()
    fitting = frozenset[int]().union(*map(_rules_of_word, words))
    for i, rule in enumerate(_rules()):
        if i in fitting or (rule.phrase and rule.phrase.search(key)):
            return rule.kind
    home = organisation_words().home_of_form.get(legal_form(name) or "", frozenset())
    if country in home and not any(map(_ambiguous().word.fullmatch, words)):
        return "business"
    return None


@lru_cache(maxsize=_REMEMBERED_WORDS)
def _rules_of_word(word: str) -> frozenset[int]:
    """Say which rules one word fits. Names are many and their words few: three times as fast."""
    return frozenset(i for i, rule in enumerate(_rules()) if rule.word.fullmatch(word))


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(_rule(rule.kind, rule.words) for rule in organisation_words().rules)


@cache
def _ambiguous() -> _Rule:
    return _rule("unknown", organisation_words().ambiguous)


def _rule(kind: str, patterns: str) -> _Rule:
    phrases = [pattern for pattern in patterns.split() if "~" in pattern]
    words = [pattern for pattern in patterns.split() if "~" not in pattern]
    return _Rule(
        kind,
        re.compile("|".join(words) or r"(?!)"),
        re.compile(r"\b(?:" + "|".join(phrases).replace("~", " ") + r")\b") if phrases else None,
    )
