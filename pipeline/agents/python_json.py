"""pip's and uv's user agents: a JSON object behind the product and its version."""

import re
from typing import Any

import msgspec

from pipeline.agents.agent import Agent
from pipeline.agents.systems import architecture, distribution, operating_system
from pipeline.agents.traits import RUNTIMES, clean_version


def read_python_json(client: str, text: str) -> Agent:
    """Read what the installer tells of itself. Cut or broken JSON leaves only name and version."""
    product, _, rest = text.partition(" ")
    agent = Agent(
        client=client,
        client_version=clean_version(product.partition("/")[2]),
        agent_kind="tool",
    )
    try:
        facts = msgspec.json.decode(rest)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return agent
    if not isinstance(facts, dict):
        return agent
    return _add_facts(agent, facts)


def _add_facts(agent: Agent, facts: dict[str, Any]) -> Agent:
    implementation = _text(facts, "implementation", "name") or ""
    system = operating_system(_text(facts, "system", "name") or "")
    distro = _text(facts, "distro", "name")
    distro_version = _text(facts, "distro", "version")
    if system == "Linux":
        os_version = distribution(distro, distro_version) if distro else None
    elif system == "macOS":
        os_version = _number(distro_version)
    else:
        os_version = _number(_text(facts, "system", "release"))
    runtime = RUNTIMES.get(implementation.lower())
    python = clean_version(_text(facts, "implementation", "version"))
    ci = facts.get("ci")
    return agent._replace(
        runtime=runtime,
        runtime_version=python if runtime else None,
        os=system,
        os_version=os_version if system else None,
        arch=architecture(_text(facts, "cpu") or ""),
        libc=_libc(facts),
        # pip knows that it runs in CI, not in which.
        ci="unknown" if ci is True else None,
    )


def _libc(facts: dict[str, Any]) -> str | None:
    distro = facts.get("distro")
    libc = distro.get("libc") if isinstance(distro, dict) else None
    if not isinstance(libc, dict):
        return None
    name, version = _text(libc, "lib"), _number(_text(libc, "version"))
    return f"{name} {version}" if name in {"glibc", "musl"} and version else None


def _number(text: str | None) -> str | None:
    found = re.match(r"\d{1,5}(?:\.\d{1,5})?", text or "", re.ASCII)
    return found[0] if found else None


def _text(facts: dict[str, Any], *path: str) -> str | None:
    value: Any = facts
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value if isinstance(value, str) else None
