"""pip, uv and poetry install through the gateway, from the real public index and a small one."""

import base64
import hashlib
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.file_server import file_server
from tests.footfall import Footfall, curate, gateway, rows
from tests.programs import run

pytestmark = pytest.mark.clients

PROJECT, VERSION = "idna", "3.10"
NEW_PIP, POETRY = "26.3", "2.5.1"
OURS = f'[[route]]\ntype = "python"\ndomain = "127.0.0.1"\npackage = "{PROJECT}"\n'
OTHERS = '[[route]]\ntype = "python"\ndomain = "127.0.0.1"\npass-through = true\n'

# Needs the project above, and more of the real world that no route names.
DEPENDENT = "requests==2.32.3"
WHEEL_HASH = "946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3"

# The machine's own pip settings (mirrors, extra indexes) must not answer in the gateway's place.
PLAIN_PIP = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
PYTHON = ".".join(map(str, sys.version_info[:3]))

Install = Callable[..., None]


def _pip(target: Path, *arguments: str | Path, command: str = "install") -> None:
    into = "--target" if command == "install" else "--dest"
    run(
        [sys.executable, "-m", "pip", command, "--no-cache-dir", "--quiet", into, target,
         *arguments],
        env=PLAIN_PIP,
    )  # fmt: skip


def _new_pip(target: Path, *arguments: str | Path) -> None:
    run(
        [_uv_program(), "tool", "run", f"pip@{NEW_PIP}", "install", "--no-cache-dir", "--quiet",
         "--target", target, *arguments],
        env=PLAIN_PIP,
    )  # fmt: skip


def _uv_program() -> str:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv is not None, "uv is a development dependency"
    return uv


def _uv(target: Path, *arguments: str | Path) -> None:
    run(
        [_uv_program(), "pip", "install", "--no-config", "--no-cache", "--quiet",
         "--target", target, *arguments],
    )  # fmt: skip


def _version_of(client: str, install: Install) -> str:
    if install is _new_pip:
        return NEW_PIP
    command = [_uv_program()] if client == "uv" else [sys.executable, "-m", "pip"]
    return run([*command, "--version"]).split()[1]


def _counted(footfall: Footfall) -> list[dict[str, Any]]:
    curate(footfall.lake)
    return rows(
        footfall.lake,
        """SELECT package, version, client, client_version, runtime, runtime_version
        FROM lake WHERE counted ORDER BY package""",
    )


def _one(
    client: str, version: str, package: str = PROJECT, of_package: str = VERSION
) -> list[dict[str, Any]]:
    return [
        {
            "package": package,
            "version": of_package,
            "client": client,
            "client_version": version,
            "runtime": "CPython",
            "runtime_version": PYTHON,
        }
    ]


def _packages_seen(footfall: Footfall) -> set[str]:
    return {row["package"] for row in rows(footfall.lake, "SELECT DISTINCT package FROM lake")}


@pytest.mark.parametrize(
    ("client", "install", "root"),
    [("pip", _pip, "/simple/"), ("pip", _new_pip, "/simple"), ("uv", _uv, "/")],
    ids=["pip of this Python", "pip of today", "uv"],
)
def test_an_install_is_one_download(
    tmp_path: Path, client: str, install: Install, root: str
) -> None:
    with gateway(tmp_path, OURS) as footfall:
        requirements = tmp_path / "requirements.txt"
        requirements.write_text(f"{PROJECT}=={VERSION} --hash=sha256:{WHEEL_HASH}\n")
        index = f"{footfall.url}{root}"
        install(
            tmp_path / "to", "--index-url", index, "--require-hashes", "--requirement", requirements
        )
    told = f"from {PROJECT} import __version__; print(__version__)"
    where = {"PYTHONPATH": str(tmp_path / "to")}
    assert run([sys.executable, "-c", told], env=where).strip() == VERSION
    assert _counted(footfall) == _one(client, _version_of(client, install))
    others = rows(footfall.lake, "SELECT DISTINCT not_counted_because AS why FROM lake")
    assert {"why": "metadata"} in others, "the index page is in the data, and is no install"


def test_another_hash_and_another_name_are_refused(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{PROJECT}=={VERSION} --hash=sha256:{'0' * 64}\n")
    with gateway(tmp_path, OURS) as footfall:
        index = ("--index-url", f"{footfall.url}/simple/")
        with pytest.raises(pytest.fail.Exception, match=WHEEL_HASH):
            _pip(tmp_path / "to", *index, "--requirement", requirements)
        with pytest.raises(pytest.fail.Exception, match="No matching distribution"):
            _pip(tmp_path / "to", *index, "six", command="download")
        _pip(tmp_path / "to", *index, f"{PROJECT}=={VERSION}", command="download")
    wheel = tmp_path / "to" / f"{PROJECT}-{VERSION}-py3-none-any.whl"
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == WHEEL_HASH


@pytest.mark.parametrize(
    ("client", "install", "root"),
    [("pip", _pip, "/"), ("uv", _uv, "/simple/")],
    ids=["pip", "uv"],
)
def test_the_domain_alone_is_index_enough(
    tmp_path: Path, client: str, install: Install, root: str
) -> None:
    with gateway(tmp_path, OURS + OTHERS) as footfall:
        wanted = [DEPENDENT, f"{PROJECT}=={VERSION}"]
        install(tmp_path / "to", "--index-url", f"{footfall.url}{root}", *wanted)
    for package in ("requests", "urllib3", "certifi", PROJECT):
        assert (tmp_path / "to" / package / "__init__.py").exists()
    assert _counted(footfall) == _one(client, _version_of(client, install))
    assert _packages_seen(footfall) == {PROJECT}, "the rest is nobody's business"


def test_poetry_installs_what_it_locked(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with gateway(tmp_path, OURS + OTHERS) as footfall:
        (project / "pyproject.toml").write_text(
            f"""
            [project]
            name = "probe"
            version = "1.0"
            requires-python = ">=3.11,<4"
            dependencies = ["{DEPENDENT}", "{PROJECT}=={VERSION}"]
            [tool.poetry]
            package-mode = false
            [[tool.poetry.source]]
            name = "gateway"
            url = "{footfall.url}/simple/"
            """
        )
        cache = tmp_path / "poetry"
        run(
            [_uv_program(), "tool", "run", "--from", f"poetry=={POETRY}", "poetry", "install"],
            cwd=project,
            env={
                "POETRY_CACHE_DIR": str(cache),
                "POETRY_CONFIG_DIR": str(cache),
                "POETRY_VIRTUALENVS_IN_PROJECT": "true",
                "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
                "VIRTUAL_ENV": "",
            },
        )
    assert f"sha256:{WHEEL_HASH}" in (project / "poetry.lock").read_text()
    told = f"import requests, {PROJECT}; print({PROJECT}.__version__)"
    assert run([project / ".venv/bin/python", "-c", told]).strip() == VERSION
    assert _counted(footfall) == _one("poetry", POETRY)
    assert _packages_seen(footfall) == {PROJECT}


def _wheel(folder: Path, name: str, version: str, requires: Sequence[str] = ()) -> Path:
    """A wheel of one module."""
    told = f"{name.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
        f"Requires-Dist: {each}\n" for each in requires
    )
    files = {
        f"{name.replace('-', '_')}.py": f"version = {version!r}\n",
        f"{told}.dist-info/METADATA": metadata,
        f"{told}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: probe\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{_record_hash(text)},{len(text)}\n" for path, text in files.items())
    files[f"{told}.dist-info/RECORD"] = f"{record}{told}.dist-info/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{told}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    (folder / f"{wheel.name}.metadata").write_text(metadata)
    return wheel


def _record_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _page(root: Path, wheel: Path, *, metadata: bool) -> None:
    """A project's page in an index of static files."""
    page = root / wheel.name.partition("-")[0].replace("_", "-") / "index.html"
    page.parent.mkdir(parents=True)
    told = hashlib.sha256(Path(f"{wheel}.metadata").read_bytes()).hexdigest()
    attribute = f' data-dist-info-metadata="sha256={told}"' if metadata else ""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    link = f'<a href="../../files/{wheel.name}#sha256={digest}"{attribute}>{wheel.name}</a>'
    page.write_text(f"<!DOCTYPE html><html><body>{link}</body></html>")


@pytest.mark.parametrize(("client", "install"), [("pip", _pip), ("uv", _uv)])
@pytest.mark.parametrize("metadata", [True, False], ids=["metadata", "no metadata"])
def test_indexes_of_static_files(
    tmp_path: Path, client: str, install: Install, *, metadata: bool
) -> None:
    """Their links are relative, and without metadata uv reads a wheel's end before it takes it."""
    tool = _wheel(tmp_path / "host/files", "acme-tool", "1.2.0", ["acme-part>=1"])
    part = _wheel(tmp_path / "host/files", "acme-part", "1.0")
    _page(tmp_path / "host/ours", tool, metadata=metadata)
    _page(tmp_path / "host/theirs", part, metadata=metadata)
    with file_server(tmp_path / "host") as host:
        ours = OURS.replace(PROJECT, "Acme.Tool") + f'index = "{host}/ours/"\n'
        with gateway(tmp_path, ours + OTHERS + f'index = "{host}/theirs/"\n') as footfall:
            alone = ["--index-url", f"{footfall.url}/simple/"]
            extra = ["--index-url", f"{host}/theirs/", "--extra-index-url", f"{footfall.url}/"]
            install(tmp_path / "to", *(extra if metadata else alone), "acme_tool")
    assert (tmp_path / "to/acme_tool.py").read_text() == "version = '1.2.0'\n"
    assert (tmp_path / "to/acme_part.py").exists(), "what the wheel says that it needs"
    version = _version_of(client, install)
    assert _counted(footfall) == _one(client, version, "Acme.Tool", "1.2.0")
    asked = rows(footfall.lake, "SELECT artifact FROM lake WHERE artifact LIKE '%.metadata'")
    assert len(asked) == int(metadata)
    assert _packages_seen(footfall) == {"Acme.Tool"}
