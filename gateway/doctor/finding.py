"""What an examination finds: one line each."""

from collections.abc import Iterable
from typing import Literal

import msgspec

Level = Literal["ok", "warning", "broken"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    subject: str  # such as "port 8080"
    level: Level
    text: str
    remedy: str = ""  # what to do; "" where all is well

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.level:8} {self.subject}: {self.text}{remedy}"


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(subject, "ok", text)


def warning(subject: str, text: str, remedy: str) -> Finding:
    """It works, but hardly as meant."""
    return Finding(subject, "warning", text, remedy)


def broken(subject: str, text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(subject, "broken", text, remedy)


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether nothing is broken."""
    return all(finding.level != "broken" for finding in findings)
