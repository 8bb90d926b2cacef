"""Browsers and the systems they run on, from user agents that start with Mozilla or Opera."""

import re
from typing import Final

from pipeline.agents.agent import Agent
from pipeline.agents.systems import find_platform

_VERSION = r"/(\d{1,4}(?:\.\d{1,4})?)"
# Every browser claims to be an older one as well, so the most particular comes first.
_BROWSERS: Final = tuple(
    (name, re.compile(pattern + _VERSION, re.ASCII))
    for name, pattern in (
        ("Edge", r"\b(?:Edg|EdgA|EdgiOS|Edge)"),
        ("Opera", r"\b(?:OPR|OPT|OPiOS|Opera)"),
        ("Samsung Internet", r"\bSamsungBrowser"),
        ("Vivaldi", r"\bVivaldi"),
        ("Yandex Browser", r"\bYaBrowser"),
        ("DuckDuckGo", r"\b(?:DuckDuckGo|Ddg)"),
        ("Electron", r"\bElectron"),
        ("Firefox", r"\b(?:Firefox|FxiOS)"),
        ("Chrome", r"\b(?:Chrome|CriOS|Chromium)"),
        ("Safari", r"\bVersion(?=/[\d.]+ (?:Mobile/\w+ )?Safari/)"),
    )
)
_WINDOWS: Final = {"6.0": "Vista", "6.1": "7", "6.2": "8", "6.3": "8.1"}
_APPLE_TOUCH = re.compile(r"\((?:iPhone|iPad|iPod)\b[^)]*? OS (\d+)[_.](\d+)", re.ASCII)
_MAC = re.compile(r"\bMac OS X (\d+)[_.](\d+)", re.ASCII)
_ANDROID = re.compile(r"\bAndroid (\d+(?:\.\d+)?)", re.ASCII)
_NT = re.compile(r"\bWindows NT (\d+\.\d+)", re.ASCII)


def read_browser(text: str) -> Agent | None:
    """Read a browser; None where the user agent names none we know."""
    for name, pattern in _BROWSERS:
        found = pattern.search(text)
        if found:
            system, version = read_browser_system(text)
            return Agent(
                client=name,
                client_version=found[1],
                os=system,
                os_version=version,
                arch=_architecture(text, system),
                agent_kind="browser",
            )
    return None


def read_browser_system(text: str) -> tuple[str | None, str | None]:
    """Read operating system and version, leaving out the versions that browsers have frozen."""
    if found := _APPLE_TOUCH.search(text):
        return "iOS", f"{found[1]}.{found[2]}"
    if "Android" in text:
        found = _ANDROID.search(text)
        # "Android 10; K" is what Chrome says on every telephone.
        return "Android", found[1] if found and "Android 10; K" not in text else None
    if found := _NT.search(text):
        # Windows 11 calls itself NT 10.0 as well.
        return "Windows", _WINDOWS.get(found[1])
    if found := _MAC.search(text):
        # Safari, Chrome and Firefox stay at 10.15 on every later macOS.
        number = f"{found[1]}.{found[2]}"
        return "macOS", None if number == "10.15" else number
    if "CrOS" in text:
        return "ChromeOS", None
    return find_platform(text)[0], None


def _architecture(text: str, system: str | None) -> str | None:
    # Macs say Intel and 64-bit Android phones armv8l or nothing: neither tells the truth.
    return None if system in {"macOS", "iOS", "Android"} else find_platform(text)[1]
