"""Names for versions: what `latest` means on a route, by a fixed version or by a rule."""

from collections.abc import Iterator, Mapping

import msgspec
from packaging.version import InvalidVersion, Version

from gateway.circumstances import Observed
from gateway.destinations import Alias
from gateway.escapes import canonical, decoded, literal

VARIABLE = "version"  # what an alias may stand for


class Rule(msgspec.Struct, frozen=True):
    """What one alias means, in canonical form."""

    version: str  # "": nothing is known, and the alias is sent on as it is
    redirect: str = ""  # where the version is looked up; "": it is fixed
    prefix: str = ""


def compile_aliases(
    aliases: Mapping[str, str | Alias], versions: tuple[str, ...]
) -> dict[str, Rule]:
    """The rules of a route that passed its checks, by canonical alias."""
    return {literal(alias): _rule(given, versions) for alias, given in aliases.items()}


def meant(rules: Mapping[str, Rule], alias: str, observed: Observed) -> str | None:
    """The canonical version that a canonical alias stands for; None for what is no alias."""
    rule = rules.get(alias)
    if rule is None:
        return None
    found = observed.versions.get(rule.redirect) if rule.redirect else None
    if found is not None:
        return literal(decoded(canonical(found)).removeprefix(rule.prefix)) or alias
    return rule.version or alias


def newest(versions: tuple[str, ...], line: str, *, prereleases: bool) -> str | None:
    """The newest version of a line such as "1.*"; None where it has none."""
    wanted = tuple(int(part) for part in line.removesuffix("*").split(".") if part)
    fitting = [
        (version, text)
        for text, version in _ordered(versions)
        if version.release[: len(wanted)] == wanted and (prereleases or not version.is_prerelease)
    ]
    return max(fitting, default=(None, None))[1]


def unordered(versions: tuple[str, ...]) -> list[str]:
    """Versions of which nobody can tell which is the newer."""
    read = {text for text, _ in _ordered(versions)}
    return [text for text in versions if text not in read]


def _rule(given: str | Alias, versions: tuple[str, ...]) -> Rule:
    if isinstance(given, str):
        return Rule(literal(given))
    if given.redirect:
        return Rule(literal(given.until_known), given.redirect, given.prefix)
    return Rule(literal(newest(versions, given.newest, prereleases=given.prereleases) or ""))


def _ordered(versions: tuple[str, ...]) -> Iterator[tuple[str, Version]]:
    for text in versions:
        try:
            yield text, Version(text)
        except InvalidVersion:
            continue
