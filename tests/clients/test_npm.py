"""npm, pnpm, yarn and bun install through the gateway from the real public registry."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.footfall import Footfall, curate, gateway, rows
from tests.programs import need, run

# One group, so that one worker installs the tools, once.
pytestmark = pytest.mark.clients

PNPM, YARN, BUN = "12.21.0", "1.22.22", "1.4.5"

# A package with a scope, and one that another package depends on, which is not configured itself.
SCOPED, PLAIN, DEPENDENT = "@types/ms", "is-number", "is-odd"
WANTED = {SCOPED: "2.1.0", DEPENDENT: "3.0.1"}
COUNTED = [(SCOPED, "2.1.0"), (PLAIN, "6.0.0")]
PROOF = "if (require('is-odd')(3) !== true) process.exit(1)"

QUIET = ("--no-audit", "--no-fund", "--no-update-notifier")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    need("npm")
    # npm itself knows the public registry; its address stands nowhere in this project.
    cwd = tmp_path_factory.mktemp("registry")
    return run(["npm", "config", "get", "registry"], cwd=cwd).strip()


@pytest.fixture(scope="module")
def tools(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the other package managers' programs."""
    assert registry
    home = tmp_path_factory.mktemp("tools")
    packages = [f"pnpm@{PNPM}", f"yarn@{YARN}", f"bun@{BUN}"]
    run(["npm", "install", "--prefix", home, *QUIET, *packages], cwd=home)
    return home / "node_modules" / ".bin"


def _routes(registry: str, *, others: bool = True) -> str:
    route = '[[route]]\ntype = "npm"\ndomain = "127.0.0.1"\n'
    configured = [
        f'{route}package = "{package}"\nregistry = "{registry}"\n' for package in (SCOPED, PLAIN)
    ]
    passed = [f'{route}pass-through = true\nregistry = "{registry}"\n'] if others else []
    return "".join([*configured, *passed])


def _project(
    home: Path, footfall: Footfall, dependencies: dict[str, str]
) -> tuple[Path, dict[str, str]]:
    """A project that knows no other registry than the gateway, and an environment of its own."""
    project = home / "project"
    project.mkdir(parents=True)
    manifest = {"name": "probe", "version": "1.0.0", "dependencies": dependencies}
    (project / "package.json").write_text(json.dumps(manifest))
    (project / ".npmrc").write_text(f"registry={footfall.url}/\n")
    return project, {
        "HOME": str(home),
        "BUN_INSTALL_CACHE_DIR": str(home / "bun"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "YARN_CACHE_FOLDER": str(home / "yarn"),
        "npm_config_cache": str(home / "npm"),
    }


def _counted(lake: Path) -> list[tuple[Any, ...]]:
    sql = "SELECT package, version FROM lake WHERE counted ORDER BY package"
    return [tuple(row.values()) for row in rows(lake, sql)]


def _packages_seen(lake: Path) -> set[str]:
    return {row["package"] for row in rows(lake, "SELECT DISTINCT package FROM lake")}


# Each with its name, the flags of an install, and what its user agent tells of the runtime.
CLIENTS: dict[str, tuple[Sequence[str], str | None]] = {
    "npm": (["install", *QUIET], "Node.js"),
    "pnpm": (["install", "--no-frozen-lockfile"], None),
    "yarn": (["install", "--non-interactive"], "Node.js"),
    "bun": (["install", "--no-progress"], "Bun"),
}


@pytest.fixture(scope="module")
def installed(registry: str, tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which every client has installed the same through one gateway, at once."""
    home = tmp_path_factory.mktemp("installed")

    def install(footfall: Footfall, client: str) -> None:
        project, env = _project(home / client, footfall, WANTED)
        program = "npm" if client == "npm" else tools / client
        run([program, *CLIENTS[client][0]], cwd=project, env=env)

    with gateway(home, _routes(registry)) as footfall, ThreadPoolExecutor() as pool:
        list(pool.map(partial(install, footfall), CLIENTS))
    curate(footfall.lake)
    return home


@pytest.mark.parametrize("client", CLIENTS)
def test_one_setting_is_enough_for(client: str, installed: Path) -> None:
    project = installed / client / "project"
    for package, wanted in WANTED.items():
        manifest = project / "node_modules" / package / "package.json"
        assert json.loads(manifest.read_text())["version"] == wanted
    run(["node", "-e", PROOF], cwd=project)
    version = {"npm": run(["npm", "--version"]).strip(), "pnpm": PNPM, "yarn": YARN, "bun": BUN}
    assert rows(
        installed / "lake",
        f"""SELECT package, version, client_version, runtime, event_type
        FROM lake WHERE counted AND client = '{client}' ORDER BY package""",
    ) == [
        {
            "package": package,
            "version": wanted,
            "client_version": version[client],
            "runtime": CLIENTS[client][1],
            "event_type": "download",
        }
        for package, wanted in COUNTED
    ]


def test_our_packages_alone_are_in_the_lake(installed: Path) -> None:
    assert len(_counted(installed / "lake")) == len(CLIENTS) * len(COUNTED)
    assert _packages_seen(installed / "lake") == {SCOPED, PLAIN}, "the rest is nobody's business"


def test_a_lockfile_that_names_the_gateway(tmp_path: Path, registry: str) -> None:
    with gateway(tmp_path, _routes(registry)) as footfall:
        project, env = _project(tmp_path, footfall, WANTED)
        run(["npm", "install", "--package-lock-only", *QUIET], cwd=project, env=env)
        run(["npm", "ci", *QUIET], cwd=project, env=env)
    curate(footfall.lake)

    locked = json.loads((project / "package-lock.json").read_text())["packages"]
    scoped, plain = locked[f"node_modules/{SCOPED}"], locked[f"node_modules/{PLAIN}"]
    assert scoped["resolved"] == f"{footfall.url}/{SCOPED}/-/ms-2.1.0.tgz"
    assert plain["resolved"] == f"{footfall.url}/{PLAIN}/-/is-number-6.0.0.tgz"
    assert plain["integrity"].startswith("sha512-"), "which npm has verified"
    run(["node", "-e", PROOF], cwd=project)
    assert _counted(footfall.lake) == COUNTED


def test_looking_is_no_install_and_other_names_are_not_found(tmp_path: Path, registry: str) -> None:
    with gateway(tmp_path, _routes(registry, others=False)) as footfall:
        project, env = _project(tmp_path, footfall, {PLAIN: "6.0.0"})

        def npm(*arguments: str) -> str:
            return run(["npm", *arguments], cwd=project, env=env)

        assert npm("view", f"{PLAIN}@6.0.0", "version").strip() == "6.0.0"
        assert "latest: " in npm("dist-tag", "ls", PLAIN)
        with pytest.raises(
            pytest.fail.Exception, match=f"{PLAIN}@6.0.0"
        ):  # status 1: there is news
            npm("outdated", "--parseable")
        for command in (("search", "left-pad"), ("view", "left-pad")):
            with pytest.raises(pytest.fail.Exception, match="404"):
                npm(*command)
    curate(footfall.lake)

    assert _counted(footfall.lake) == []
    assert _packages_seen(footfall.lake) == {PLAIN}
