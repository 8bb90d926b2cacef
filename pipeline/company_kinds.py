"""What kind of organisation a name or an IP database's word means, where no table knows it."""

import re
from functools import cache

from pipeline.company_names import legal_form
from pipeline.organisation_words import organisation_words


def kind_by_connection(connection_type: str | None) -> str | None:
    """Read an IP database's own word for the kind of network."""
    if not connection_type:
        return None
    return organisation_words().connections.get(connection_type.lower())


def kind_by_words(key: str, name: str, country: str | None) -> str | None:
    """Read the kind from the words of a name; the key is the name in plain lower-case words."""
    for kind, pattern in _rules():
        if pattern.search(key):
            return kind
    home = organisation_words().home_of_form.get(legal_form(name) or "", frozenset())
    return "business" if country in home and not _ambiguous().search(key) else None


@cache
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((rule.kind, _pattern(rule.words)) for rule in organisation_words().rules)


@cache
def _ambiguous() -> re.Pattern[str]:
    return _pattern(organisation_words().ambiguous)


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(words.split()).replace("~", " ") + r")\b")
