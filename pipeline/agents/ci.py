"""Which CI system a user agent tells of."""

import re

_CI = re.compile(r"[ ;(]ci(?:/([a-z0-9-]{1,32}))?(?=$|[ ;),])", re.IGNORECASE | re.ASCII)
_CI_PROGRAMS = {
    "github-actions": re.compile(
        r"\bgithub[-_ ]?actions?\b|\bactions/[\w-]+", re.IGNORECASE | re.ASCII
    ),
    "gitlab": re.compile(r"\bgitlab[-_ ](?:ci|runner)", re.IGNORECASE | re.ASCII),
    "circleci": re.compile(r"\bcircle-?ci\b", re.IGNORECASE | re.ASCII),
    "jenkins": re.compile(r"\bjenkins\b", re.IGNORECASE | re.ASCII),
    "azure-pipelines": re.compile(
        r"\bazure[-_ ]?(?:pipelines|devops)|\bvsts\b", re.IGNORECASE | re.ASCII
    ),
    "buildkite": re.compile(r"\bbuildkite\b", re.IGNORECASE | re.ASCII),
    "teamcity": re.compile(r"\bteamcity\b", re.IGNORECASE | re.ASCII),
    "bitbucket-pipelines": re.compile(r"\bbitbucket[-_ ]pipelines\b", re.IGNORECASE | re.ASCII),
    "drone": re.compile(r"\bdrone-(?:runner|ci)", re.IGNORECASE | re.ASCII),
    "travis": re.compile(r"\btravis-ci\b", re.IGNORECASE | re.ASCII),
    "tekton": re.compile(r"\btekton\b", re.IGNORECASE | re.ASCII),
    "woodpecker": re.compile(r"\bwoodpecker-ci\b", re.IGNORECASE | re.ASCII),
}
# npm and its relatives name CI systems in spellings of their own.
_CI_NAMES = {
    "circle-ci": "circleci",
    "circle": "circleci",
    "gitlab-ci": "gitlab",
    "travis-ci": "travis",
    "github": "github-actions",
    "vsts": "azure-pipelines",
    "custom": "unknown",
    "1": "unknown",
    "true": "unknown",
}
_ANY_CI_PROGRAM = re.compile(
    "|".join(pattern.pattern for pattern in _CI_PROGRAMS.values()), re.IGNORECASE | re.ASCII
)


def find_ci(text: str) -> str | None:
    """Name the CI system; "unknown" where the user agent says only that it is one."""
    told = _CI.search(text)
    if told:
        name = (told[1] or "unknown").lower().strip("-")
        return _CI_NAMES.get(name, name) or "unknown"
    if not _ANY_CI_PROGRAM.search(text):
        return None
    return next(name for name, pattern in _CI_PROGRAMS.items() if pattern.search(text))
