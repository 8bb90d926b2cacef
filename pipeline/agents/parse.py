"""From one user agent to what it tells. Every text that UTF-8 can hold has an answer."""

import re

from pipeline.agents.agent import UNKNOWN, Agent
from pipeline.agents.browsers import read_browser, read_browser_system
from pipeline.agents.ci import find_ci
from pipeline.agents.marks import BOTS, SPECIFIC, Marks
from pipeline.agents.products import PRODUCTS
from pipeline.agents.python_json import read_python_json
from pipeline.agents.systems import find_os_version, find_platform
from pipeline.agents.traits import clean_version, find_libc, find_runtime

_FIRST = re.compile(r"\s*([A-Za-z][\w.+-]*)(?:[/ ]v?(\d[^\s;,()]*))?", re.ASCII)
# Systems that an installer can run on only one of, and does not mention.
_OS_OF = {"apt": "Linux", "dnf": "Linux", "yum": "Linux", "zypper": "Linux", "apk": "Linux"} | {
    "pacman": "Linux",
    "snap": "Linux",
    "scoop": "Windows",
    "winget": "Windows",
    "Chocolatey": "Windows",
}
# These carry the version of a library or of HTTP in place of their own.
_VERSIONLESS = {"podman", "Go"}
# The first word of these says the version of their runtime as well.
_OWN_RUNTIME = {"Java": "Java", "urllib": "Python", "PHP": "PHP", "bun": "Bun", "deno": "Deno"}
# These run on one runtime only, and do not say its version.
_RUNTIME_OF = {
    client: runtime
    for runtime, clients in {
        "Go": ("Go",),
        "Java": ("OkHttp", "Apache HttpClient"),
        "Node.js": ("node", "node-fetch", "superagent", "undici", "axios", "got"),
        "PHP": ("Guzzle",),
        "Python": ("requests", "urllib3", "httpx", "setuptools"),
        "Ruby": ("Ruby", "Faraday", "http.rb"),
    }.items()
    for client in clients
}


def parse(user_agent: str) -> Agent:
    """Read a user agent. A client is only ever a name from our tables, never the visitor's text."""
    first = _FIRST.match(user_agent)
    word = first[1].lower() if first else ""
    if word in {"pip", "uv"} and "{" in user_agent:
        return read_python_json(word, user_agent)
    if word in {"mozilla", "opera"}:
        return _parse_mozilla(user_agent)
    if (agent := _parse_mark(user_agent, SPECIFIC)) is not None:
        return agent
    if first and word in PRODUCTS:
        client, kind = PRODUCTS[word]
        version = None if client in _VERSIONLESS else clean_version(first[2])
        return _with_traits(Agent(client, version, agent_kind=kind), user_agent)
    if (agent := _parse_mark(user_agent, BOTS)) is not None:
        return agent
    ci = find_ci(user_agent)
    return Agent(ci=ci, agent_kind="tool") if ci else UNKNOWN


def _parse_mozilla(text: str) -> Agent:
    powershell = "PowerShell/" in text
    agent = _parse_mark(text, SPECIFIC) if powershell else _parse_mark(text, BOTS)
    if agent is None:
        return read_browser(text) or UNKNOWN
    if powershell:
        system, version = read_browser_system(text)
        agent = agent._replace(os=system or agent.os, os_version=version or agent.os_version)
    return agent


def _parse_mark(text: str, marks: Marks) -> Agent | None:
    found = marks.find(text)
    if found is None:
        return None
    mark, version = found
    agent = Agent(mark.client, clean_version(version), agent_kind=mark.kind)
    # A bot's system is a costume.
    return agent if mark.kind == "bot" else _with_traits(agent, text)


def _with_traits(agent: Agent, text: str) -> Agent:
    if agent.agent_kind == "bot":
        return agent
    client = agent.client or ""
    system, machine = find_platform(text)
    system = system or _OS_OF.get(client)
    runtime, runtime_version = find_runtime(text)
    if runtime is None and client in _OWN_RUNTIME and agent.client_version:
        runtime, runtime_version = _OWN_RUNTIME[client], agent.client_version
    runtime = runtime or _RUNTIME_OF.get(client)
    return agent._replace(
        runtime=runtime,
        runtime_version=runtime_version,
        os=system,
        os_version=find_os_version(text, system),
        arch=machine,
        libc=find_libc(text),
        ci=find_ci(text),
    )
