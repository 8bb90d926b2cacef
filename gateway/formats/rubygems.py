"""RubyGems repositories, as gem and bundler read them."""

import re
from typing import Final

from gateway.formats.artifact import REPOSITORY, Artifact, Segments, known
from gateway.formats.platforms import named_in

_VERSION: Final = re.compile(r"[0-9]+(?:\.[0-9A-Za-z]+)*")
_PLATFORM: Final = re.compile(
    r"(?:java|jruby|ruby|mswin[0-9]*|mingw32"
    r"|(?:x86_64|x64|x86|i[3-6]86|arm64|aarch64|arm|armv[0-9]\w*|universal|ppc\w*|powerpc\w*|s390x?"
    r"|riscv64|loongarch64|mips\w*|sparc\w*|wasm32)-[a-z]\w*(?:-\w+)*)"
)


def classify(segments: Segments) -> Artifact:
    """A .gem is a download; specs, the compact index and the API are metadata."""
    file = segments[-1]
    if file.endswith(".gem"):
        return _gem(file.removesuffix(".gem"))
    match segments:
        case ("quick", *_) if file.endswith(".gemspec.rz"):
            name, version, _ = _parts(file.removesuffix(".gemspec.rz"))
            return Artifact(kind="metadata", name=name, version=version)
        case ("info", name):
            return Artifact(kind="metadata", name=name)
        case ("api", _, "gems" | "versions", name, *_):
            return Artifact(kind="metadata", name=name.removesuffix(".json"))
    return REPOSITORY


def _gem(stem: str) -> Artifact:
    name, version, gem_platform = _parts(stem)
    # Ruby's names for systems may have their own version behind them: darwin-22, mswin32_60.
    platform = named_in(re.sub(r"(darwin|mingw|mswin)[0-9_-].*", r"\1", gem_platform))
    facts = known(gem_platform=gem_platform, platform=platform)
    return Artifact(kind="download", name=name, version=version, facts=facts)


def _parts(stem: str) -> tuple[str, str | None, str]:
    """Name, version and platform. Names hold dashes and digits, so only a whole fit is one."""
    at = stem.find("-")
    while at > 0:
        version, _, platform = stem[at + 1 :].partition("-")
        if _VERSION.fullmatch(version) and (not platform or _PLATFORM.fullmatch(platform)):
            return stem[:at], version, platform
        at = stem.find("-", at + 1)
    return stem, None, ""
