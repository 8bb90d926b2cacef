"""User agents, as far as routes may depend on them."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import agents
from gateway.agents import ARCHITECTURES, OPERATING_SYSTEMS, Agent
from gateway.continents import CONTINENTS, NAMES

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        pytest.param("", Agent(), id="nothing"),
        pytest.param("curl/8.5.0", Agent(("curl",)), id="curl"),
        pytest.param("Wget/1.21.3 (linux-gnu)", Agent(("wget",), "linux"), id="wget"),
        pytest.param("Wget/1.20 (mingw32)", Agent(("wget",)), id="no word of its own"),
        pytest.param("aria2/1.36.0", Agent(("aria2",)), id="aria2"),
        pytest.param(
            "docker/28.2.2 go/go1.24 git-commit/45873be kernel/6.8 os/linux arch/amd64",
            Agent(("docker",), "linux", "amd64"),
            id="docker",
        ),
        pytest.param(
            "Homebrew/4.6.0 (Macintosh; arm64 Mac OS X 15.1) curl/8.7.1",
            Agent(("homebrew",), "macos", "arm64"),
            id="homebrew",
        ),
        pytest.param(
            'pip/24.0 {"cpu":"x86_64","system":{"name":"Darwin","release":"23.1"}}',
            Agent(("pip",), "macos", "amd64"),
            id="pip",
        ),
        pytest.param(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; en-US) WindowsPowerShell/5.1.22621.963",
            Agent(("powershell",), "windows", "amd64"),
            id="powershell 5",
        ),
        pytest.param(
            "Mozilla/5.0 (Linux; Ubuntu 22.04; en-US) PowerShell/7.4.1",
            Agent(("powershell",), "linux"),
            id="powershell 7",
        ),
        pytest.param(
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/131.0.0.0",
            Agent(("edge", "browser"), "windows", "amd64"),
            id="edge",
        ),
        pytest.param(
            f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {CHROME}",
            Agent(("chrome", "browser"), "android"),
            id="android is no linux",
        ),
        pytest.param(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
            " (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            Agent(("safari", "browser"), "ios"),
            id="an iphone is no mac",
        ),
        pytest.param(
            "Mozilla/5.0 (compatible; Googlebot/2.1; +https://bot.example)",
            Agent(("googlebot",)),
            id="a robot is no browser",
        ),
    ],
)
def test_user_agents(user_agent: str, expected: Agent) -> None:
    assert agents.read(user_agent) == expected


@given(st.text(max_size=200))
def test_every_text_is_some_agent(text: str) -> None:
    agent = agents.read(text)
    assert agent.os in {"", *OPERATING_SYSTEMS}
    assert agent.arch in {"", *ARCHITECTURES}
    assert all(client == client.lower() for client in agent.clients)


def test_continents_are_those_of_the_reference_table() -> None:
    table = Path(__file__).parents[2] / "data" / "reference" / "countries.csv"
    with table.open(newline="") as rows:
        expected = {row["alpha2"]: row["continent"] for row in csv.DictReader(rows)}
    assert {country: NAMES[code] for country, code in CONTINENTS.items()} == expected
