# ruff: noqa: FBT001 - every table maker has the shape of `_TABLES`
"""What Acme's users run: exact user agents by tool, system and whether a build machine sends them.

A table is a list of (weight, user agent). A machine keeps its choice from day to day.
"""

import itertools
from collections.abc import Callable
from typing import Final

from pipeline.acme.python_user_agents import Table, pip, poetry, uv

# Operating system and architecture of a machine, by index.
SYSTEMS: Final = (
    ("linux", "amd64"),
    ("linux", "arm64"),
    ("darwin", "arm64"),
    ("darwin", "amd64"),
    ("windows", "amd64"),
)


def user_agents(tool: str, system: int, *, ci: bool) -> Table:
    """The user agents of a tool on a system."""
    return _TABLES[tool](*SYSTEMS[system], ci)


def _docker(system: str, arch: str, ci: bool) -> Table:
    # Docker Desktop is a Linux machine inside, whatever it runs on.
    kernel = {
        "linux": "6.8.0-1021-azure" if ci else "6.8.0-52-generic",
        "darwin": "6.10.14-linuxkit",
        "windows": "5.15.167.4-microsoft-standard-WSL2",
    }[system]
    return [
        (
            weight,
            (
                f"docker/{version} go/{go} git-commit/{commit} kernel/{kernel} os/linux arch/{arch}"
                rf" UpstreamClient(Docker-Client/{version} \({system}\))"
            ),
        )
        for weight, version, go, commit in (
            (5, "28.3.3", "go1.24.5", "bea959c"),
            (3, "27.5.1", "go1.22.11", "4c9b3b0"),
            (2, "26.1.4", "go1.21.11", "de5c9cf"),
            (1, "24.0.9", "go1.20.13", "fca702d"),
            (0.5, "20.10.24+dfsg1", "go1.19.8", "5d6db84"),
        )
    ]


def _npm_system(system: str, arch: str) -> str:
    return f"{'win32' if system == 'windows' else system} {'x64' if arch == 'amd64' else arch}"


_NODES = ((3, "v22.20.0", "10.9.3"), (3, "v20.19.5", "10.8.2"), (2, "v24.9.0", "11.6.0"))


def _npm(system: str, arch: str, ci: bool) -> Table:
    here = _npm_system(system, arch)
    builds = (
        (6, " ci/github-actions"),
        (2, " ci/gitlab"),
        (1, " ci/circle-ci"),
        (1, " ci/jenkins"),
    )
    nodes = (*_NODES, (0.8, "v18.20.8", "9.8.1"))
    return [
        (w1 * w2, f"npm/{npm} node/{node} {here} workspaces/false{end}")
        for (w1, node, npm), (w2, end) in itertools.product(nodes, builds if ci else ((1, ""),))
    ]


def _pnpm(system: str, arch: str, _ci: bool) -> Table:
    here = _npm_system(system, arch)
    return [
        (w, f"pnpm/{v} npm/? node/{n} {here}")
        for (w, n, _), v in zip(_NODES, ("10.18.3", "9.15.9", "10.20.0"), strict=True)
    ]


def _yarn(system: str, arch: str, _ci: bool) -> Table:
    here = _npm_system(system, arch)
    old = [(w, f"yarn/1.22.22 npm/? node/{node} {here}") for w, node, _ in _NODES]
    return [*old, (3, "got (https://github.com/sindresorhus/got)")]


def _curl(system: str, _arch: str, _ci: bool) -> Table:
    if system == "darwin":
        return [(3, "curl/8.7.1"), (1, "curl/8.4.0")]
    if system == "windows":
        return [
            (2, "curl/8.13.0"),
            (
                2,
                "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.26100.2161",
            ),
            (
                1,
                (
                    "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.26100; en-US)"
                    " PowerShell/7.5.2"
                ),
            ),
        ]
    return [
        (4, "curl/7.88.1"),
        (4, "curl/8.5.0"),
        (2, "curl/8.14.1"),
        (2, "Wget/1.21.4"),
        (1, "Wget/1.21.3"),
        (0.4, "aria2/1.37.0"),
        (0.5, "Wget/1.25.0"),
    ]


def _homebrew(_system: str, arch: str, _ci: bool) -> Table:
    cpu = "arm64" if arch == "arm64" else "Intel"
    return [
        (w, f"Homebrew/{brew} (Macintosh; {cpu} macOS {macos}) curl/8.7.1")
        for w, brew, macos in ((3, "4.6.17", "15.6"), (1, "4.6.3", "14.7"), (1, "5.0.1", "26.1"))
    ]


def _apt(_system: str, _arch: str, _ci: bool) -> Table:
    return [
        (4, "Debian APT-HTTP/1.3 (2.6.1)"),
        (4, "Debian APT-HTTP/1.3 (2.4.13)"),
        (3, "Debian APT-HTTP/1.3 (2.8.3)"),
        (2, "Debian APT-HTTP/1.3 (3.0.3)"),
    ]


def _browser(system: str, _arch: str, _ci: bool) -> Table:
    chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36"
    if system == "darwin":
        mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
        frozen = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0)"
        return [
            (5, f"{mac} {chrome.format(141)}"),
            (3, f"{mac} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15"),
            (
                2,
                f"{frozen} Gecko/20100101 Firefox/144.0",
            ),
            (
                1,
                (
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"
                    " (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
                ),
            ),
        ]
    if system == "windows":
        windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
        return [
            (5, f"{windows} {chrome.format(141)}"),
            (3, f"{windows} {chrome.format(141)} Edg/141.0.0.0"),
            (1, f"{windows} {chrome.format(140)} OPR/124.0.0.0"),
            (2, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"),
        ]
    return [
        (3, f"Mozilla/5.0 (X11; Linux x86_64) {chrome.format(141)}"),
        (3, "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
        (
            2,
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/141.0.0.0 Mobile Safari/537.36"
            ),
        ),
    ]


def _fixed(*table: tuple[float, str]) -> Callable[[str, str, bool], Table]:
    return lambda _system, _arch, _ci: list(table)


_TABLES: Final[dict[str, Callable[[str, str, bool], Table]]] = {
    "docker": _docker,
    "containerd": _fixed(
        (4, "containerd/2.1.4"),
        (3, "containerd/1.7.27"),
        (2, "containerd/1.7.24-k3s1"),
        (1, "containerd/1.6.20~ds1"),
        (2, "cri-o/1.33.4 go/go1.24.4 os/linux arch/amd64"),
    ),
    "buildkit": _fixed((2, "containerd/2.1.4+unknown (BuildKit)"), (1, "buildkit/v0.24.0")),
    "containers": _fixed(
        (5, "containers/5.35.0 (github.com/containers/image)"),
        (2, "containers/5.29.2 (github.com/containers/image)"),
        (1, "Buildah/1.41.4"),
        (2, "skopeo/1.18.0"),
        (1, "skopeo/1.9.3"),
    ),
    "pip": pip,
    "uv": uv,
    "poetry": poetry,
    "npm": _npm,
    "pnpm": _pnpm,
    "yarn": _yarn,
    "curl": _curl,
    "homebrew": _homebrew,
    "apt": _apt,
    "browser": _browser,
    "python mirror": _fixed(
        (3, "bandersnatch/6.6.0 (cpython 3.12.11-final0, Linux x86_64) (aiohttp 3.12.15)"),
        (3, "devpi-server/6.17.0 (py3.12.11; linux)"),
        (2, "Artifactory/7.117.14 82714900"),
        (2, "Nexus/3.84.0-03 (PRO; Linux; 6.1.0; amd64; 17.0.16)"),
    ),
    "npm mirror": _fixed(
        (3, "Artifactory/7.117.14 82714900"),
        (2, "Nexus/3.84.0-03 (PRO; Linux; 6.1.0; amd64; 17.0.16)"),
        (2, "verdaccio/6.1.6"),
    ),
    "image mirror": _fixed(
        (3, "Artifactory/7.117.14 82714900"),
        (3, "harbor-registry-client"),
    ),
    "bot": _fixed(
        (4, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
        (3, "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
        (3, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)"),
        (3, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0)"),
        (2, "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"),
        (1, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
        (1, "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
        (1, "Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)"),
        (1, "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"),
    ),
    "library": _fixed(
        (4, "python-requests/2.32.5"),
        (3, "Go-http-client/2.0"),
        (2, "axios/1.12.2"),
        (1, "okhttp/4.12.0"),
        (1, "Java/17.0.16"),
    ),
    "rocket": _fixed((1, "Go-http-client/2.0")),
    "silent": _fixed((1, "")),
}
