# ruff: noqa: FBT001 - every table maker has the shape of `user_agents._TABLES`
"""User agents of Python's installers: mostly JSON, and as many as there are machines."""

import itertools
import json

Table = list[tuple[float, str]]

_PYTHONS = ((4, "3.12.11"), (3, "3.13.7"), (3, "3.11.13"), (1.5, "3.10.18"), (0.6, "3.9.23"))
_PYTHONS_NEW = ((1, "3.14.0"),)
_PIPS = ((3, "25.3"), (2, "25.0.1"), (2, "24.0"), (1, "23.2.1"))
_CPU = {"amd64": "x86_64", "arm64": "aarch64"}

# name, codename, version, glibc, kernel
_DISTROS = (
    (4, "Debian GNU/Linux", "bookworm", "12", "2.36", "6.1.0-28-cloud"),
    (2, "Debian GNU/Linux", "trixie", "13", "2.41", "6.12.38"),
    (4, "Ubuntu", "jammy", "22.04", "2.35", "5.15.0-130-generic"),
    (5, "Ubuntu", "noble", "24.04", "2.39", "6.8.0-52-generic"),
    (1, "Fedora Linux", None, "42", "2.41", "6.14.5-300.fc42"),
    (1, "Amazon Linux", None, "2023", "2.34", "6.1.130-139.222.amzn2023"),
    (0.7, "Red Hat Enterprise Linux", "Plow", "9.5", "2.34", "5.14.0-503.el9"),
    (1.2, "Alpine Linux", None, "3.21.3", None, "6.6.74"),
)


def _python_facts(system: str, arch: str) -> list[tuple[float, dict[str, object]]]:
    if system == "darwin":
        cpu = "arm64" if arch == "arm64" else "x86_64"
        return [
            (
                weight,
                {
                    "cpu": cpu,
                    "distro": {"name": "macOS", "version": version},
                    "system": {"name": "Darwin", "release": release},
                },
            )
            for weight, version, release in (
                (4, "15.6", "24.6.0"),
                (2, "14.7", "23.6.0"),
                (2, "26.1", "25.1.0"),
            )
        ]
    if system == "windows":
        return [
            (weight, {"cpu": "AMD64", "system": {"name": "Windows", "release": release}})
            for weight, release in ((3, "10"), (4, "11"))
        ]
    facts: list[tuple[float, dict[str, object]]] = []
    for weight, name, codename, version, glibc, kernel in _DISTROS:
        distro: dict[str, object] = {"id": codename, "name": name, "version": version}
        if codename is None:
            del distro["id"]
        if glibc is not None:
            distro["libc"] = {"lib": "glibc", "version": glibc}
        facts.append(
            (
                weight,
                {
                    "cpu": _CPU[arch],
                    "distro": distro,
                    "system": {"name": "Linux", "release": kernel},
                },
            )
        )
    return facts


def pip(system: str, arch: str, ci: bool) -> Table:
    """pip's, for every system, Python and pip that people have."""
    table = []
    for (w1, facts), (w2, python), (w3, pip) in itertools.product(
        _python_facts(system, arch), _PYTHONS, _PIPS
    ):
        told = {
            "ci": True if ci else None,
            **facts,
            "implementation": {"name": "CPython", "version": python},
            "installer": {"name": "pip", "version": pip},
            "openssl_version": "OpenSSL 3.0.16 11 Feb 2025",
            "python": python,
            "rustc_version": None,
            "setuptools_version": "80.9.0",
        }
        told = {key: value for key, value in told.items() if key == "ci" or value is not None}
        text = json.dumps(told, separators=(",", ":"), sort_keys=True)
        table.append((w1 * w2 * w3, f"pip/{pip} {text}"))
    return table


def uv(system: str, arch: str, ci: bool) -> Table:
    """uv's, which say much the same in another order."""
    table = []
    for (w1, facts), (w2, python), (w3, uv) in itertools.product(
        _python_facts(system, arch),
        _PYTHONS + _PYTHONS_NEW,
        ((2, "0.9.11"), (1, "0.8.22"), (0.5, "0.7.13")),
    ):
        told = {
            "installer": {"name": "uv", "version": uv, "subcommand": ["sync"]},
            "python": python,
            "implementation": {"name": "CPython", "version": python},
            "distro": facts.get("distro"),
            "system": facts["system"],
            "cpu": facts["cpu"],
            "openssl_version": None,
            "setuptools_version": None,
            "rustc_version": None,
            "ci": True if ci else None,
        }
        table.append((w1 * w2 * w3, f"uv/{uv} {json.dumps(told, separators=(',', ':'))}"))
    return table


def poetry(system: str, _arch: str, _ci: bool) -> Table:
    """Poetry's, which say less."""
    release = {"linux": "Linux/6.8.0", "darwin": "Darwin/24.6.0", "windows": "Windows/11"}[system]
    return [(w, f"poetry/2.1.4 CPython/{python} {release}") for w, python in _PYTHONS]
