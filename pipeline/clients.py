"""The client's columns, from the user agent: program, runtime, system, architecture, libc and CI.

The parse is Python over distinct values, not Polars expressions: a user agent is a small language
of its own (JSON, nested comments, a hundred products). A table of names read by plain functions is
easier to trust and, with one dictionary look-up for most, faster than a hundred regular expressions
over a column. A batch is reduced to its distinct user agents first, and the most recent ones are
remembered between batches, so ten million events cost a few hundred thousand parses at worst.

`os` is one of Linux, macOS, Windows, FreeBSD, OpenBSD, NetBSD, Solaris, Android, iOS, ChromeOS.
`os_version` of Linux is the distribution, such as Debian 12; kernel releases are not kept.
"""

from functools import lru_cache
from typing import Final

import polars as pl

from pipeline.agents.agent import Agent
from pipeline.agents.parse import parse
from pipeline.distinct import per_distinct

COLUMNS: Final = Agent._fields

_AGENT = pl.Struct(dict.fromkeys(COLUMNS, pl.String))
# About 1 kB each: at most 64 MB.
_parse = lru_cache(maxsize=65_536)(parse)

_OS: Final = {"linux": "Linux", "darwin": "macOS", "macos": "macOS", "windows": "Windows"} | {
    "win32": "Windows",
    "freebsd": "FreeBSD",
}
_ARCH: Final = {
    "x64": "amd64",
    "x86_64": "amd64",
    "aarch64": "arm64",
    "arm/v7": "arm/v7",
    "arm/v6": "arm/v6",
    "arm64/v8": "arm64",
    "ia32": "386",
} | {name: name for name in ("amd64", "arm64", "386", "ppc64le", "s390x", "riscv64")}
_TOLD: Final = pl.Struct(
    dict.fromkeys(("os", "arch", "node", "installed_os", "installed_arch"), pl.String)
)
_PLATFORM: Final = pl.Struct({"os": pl.String, "arch": pl.String})


def with_clients(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add the columns of `Agent`. Null means that neither user agent nor variables tell.

    Needs `user_agent`, `variables`, `route_type` and `event_type`, and leaves them in place.
    """
    known = events.with_columns(
        per_distinct("user_agent", _read_user_agents, _AGENT).alias("_agent"),
        per_distinct("variables", _read_variables, _TOLD).alias("_told"),
    ).unnest("_agent")
    return known.pipe(_with_told_platforms).pipe(_with_yarn).pipe(_with_npm_installs).drop("_told")


def with_client(events: pl.LazyFrame) -> pl.LazyFrame:
    """Add `client` alone, as far as the user agent tells it."""
    return events.with_columns(client=per_distinct("user_agent", _read_clients, pl.String()))


def with_image_platforms(events: pl.LazyFrame) -> pl.LazyFrame:
    """Fill `os` and `arch` from `platform` where the client did not tell them.

    The platform of a pull is known only once its requests have been put together.
    """
    told = per_distinct("platform", _read_platforms, _PLATFORM)
    return events.with_columns(
        pl.coalesce(name, told.struct.field(name)).alias(name) for name in ("os", "arch")
    )


def without_image_platforms(events: pl.LazyFrame) -> pl.LazyFrame:
    """Forget what `with_image_platforms` filled in, for a pull may be put together anew.

    Of the clients that pull images, only Docker tells its system by itself.
    """
    is_pull = (pl.col("route_type") == "docker") & (pl.col("event_type") == "pull")
    is_filled = is_pull & (pl.col("client") != "docker").fill_null(True)
    return events.with_columns(
        pl.when(~is_filled).then(name).alias(name) for name in ("os", "arch")
    )


def _read_platforms(platforms: pl.Series) -> pl.Series:
    parts = pl.col("platform").str.splitn("/", 2).struct
    told = {
        "os": _named(parts.field("field_0"), _OS),
        "arch": _named(parts.field("field_1"), _ARCH),
    }
    return pl.DataFrame({"platform": platforms}).select(**told).to_struct("platform")


def _read_clients(user_agents: pl.Series) -> pl.Series:
    return pl.Series([_parse(text or "").client for text in user_agents], dtype=pl.String)


def _read_user_agents(user_agents: pl.Series) -> pl.Series:
    agents = [_parse(text or "") for text in user_agents]
    return pl.DataFrame(agents, schema=dict(_AGENT), orient="row").to_struct("agent")


def _read_variables(variables: pl.Series) -> pl.Series:
    told = {
        "os": _named(_variable("os").str.to_lowercase(), _OS),
        "arch": _named(_variable("arch").str.to_lowercase(), _ARCH),
        "node": _variable("nodeVersion").str.extract(r"^v?([0-9][0-9A-Za-z.-]{0,31})$"),
        "installed_os": _named(_variable("rawPlatform"), _OS),
        "installed_arch": _named(_variable("rawArch"), _ARCH),
    }
    return pl.DataFrame({"variables": variables}).select(**told).to_struct("told")


def _with_told_platforms(events: pl.LazyFrame) -> pl.LazyFrame:
    # curl does not say what it runs on, but the variables of a file's template do.
    is_tool = pl.col("agent_kind").is_in(["tool", "library"])
    return events.with_columns(
        pl.coalesce(name, pl.when(is_tool).then(_told(name))).alias(name) for name in ("os", "arch")
    )


def _with_yarn(events: pl.LazyFrame) -> pl.LazyFrame:
    # Yarn 2 and later name their HTTP library alone; on an npm registry it can be little else.
    is_yarn = (pl.col("client") == "got") & (pl.col("route_type") == "npm")
    return events.with_columns(
        client=pl.when(is_yarn).then(pl.lit("yarn")).otherwise("client"),
        client_version=pl.when(~is_yarn.fill_null(False)).then("client_version"),
        agent_kind=pl.when(is_yarn).then(pl.lit("tool")).otherwise("agent_kind"),
    )


def _with_npm_installs(events: pl.LazyFrame) -> pl.LazyFrame:
    # A post-install reporter sends its facts in the body and often no user agent.
    is_report = (pl.col("route_type") == "npm") & (pl.col("event_type") == "install")
    is_silent = is_report & pl.col("agent_kind").is_in(["unknown", "library"])
    reported = {
        "client": pl.lit("scarf-js"),
        "client_version": pl.lit(None, pl.String),
        "runtime": pl.when(_told("node").is_not_null()).then(pl.lit("Node.js")),
        "runtime_version": _told("node"),
        "os": _told("installed_os"),
        "arch": _told("installed_arch"),
        "agent_kind": pl.lit("library"),
    }
    return events.with_columns(
        pl.when(is_silent).then(value).otherwise(pl.col(name)).alias(name)
        for name, value in reported.items()
    )


def _told(name: str) -> pl.Expr:
    return pl.col("_told").struct.field(name)


def _variable(name: str) -> pl.Expr:
    # A regular expression is three times as fast as a JSON path and as right: inside a string value
    # the quotes would be escaped.
    return pl.col("variables").str.extract(rf'"{name}"\s*:\s*"([^"\\]*)"')


def _named(value: pl.Expr, names: dict[str, str]) -> pl.Expr:
    return value.replace_strict(names, default=None, return_dtype=pl.String)
