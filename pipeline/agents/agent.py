"""What one user agent tells about the program that sent it."""

from typing import Final, Literal, NamedTuple

AgentKind = Literal["tool", "library", "browser", "mirror", "bot", "unknown"]

# tool: a program that someone runs to fetch software. library: code that something else drives,
# such as an HTTP library in a script. mirror: a copy or cache that stands for many. bot: a crawler,
# link preview, uptime check or scanner. A tool in CI is still a tool; `ci` says the rest.
AGENT_KINDS: Final[tuple[AgentKind, ...]] = (
    "tool",
    "library",
    "browser",
    "mirror",
    "bot",
    "unknown",
)


class Agent(NamedTuple):
    """The columns that a user agent fills. None means that it does not tell."""

    client: str | None = None  # a name from our own tables, never the visitor's text
    client_version: str | None = None  # without a leading v and without build metadata
    runtime: str | None = None
    runtime_version: str | None = None
    os: str | None = None
    os_version: str | None = None  # of Linux, the distribution and its version: Debian 12
    arch: str | None = None  # as Docker names it: amd64, arm64, arm/v7, 386
    libc: str | None = None  # name and version: glibc 2.36
    ci: str | None = None  # the CI system; "unknown" where one is told of but not named
    agent_kind: AgentKind = "unknown"


UNKNOWN: Final = Agent()
