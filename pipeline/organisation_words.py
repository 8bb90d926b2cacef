"""The words that tell legal forms and kinds of organisations, from data/reference/."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).parents[1] / "data" / "reference" / "organisation_words.toml"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name with one of these words is of this kind."""

    kind: str
    words: str


class OrganisationWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The file as it stands; what each part means is said there."""

    legal_forms: str
    leading_forms: str
    small_words: str
    ambiguous: str
    rules: tuple[Rule, ...]
    connections: dict[str, str]
    home_of_form: dict[str, frozenset[str]]


@cache
def organisation_words() -> OrganisationWords:
    """Read the file once."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), OrganisationWords)
