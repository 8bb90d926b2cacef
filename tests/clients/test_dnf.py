"""dnf downloads a package from an RPM repository behind the gateway."""

from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

SPECIFICATION = """
Name: tool-cli
Epoch: 1
Version: 2.3
Release: 4.acme
Summary: a tool
License: MIT
BuildArch: noarch
%description
A tool that is tested.
%files
"""
FILE = "tool-cli-2.3-4.acme.noarch.rpm"


def make_repository(home: Path) -> Path:
    (home / "tool.spec").write_text(SPECIFICATION)
    repository = home / "repository"
    run(
        ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {home / 'build'}",
         "--define", f"_rpmdir {repository}", "--define", f"_dbpath {home / 'db'}",
         home / "tool.spec"],
        env={"HOME": str(home)},
    )  # fmt: skip
    run(["createrepo_c", "--quiet", repository])
    return repository


def dnf_home(home: Path, repository: str) -> Path:
    """A dnf of the test's own, which knows nothing of the machine's repositories."""
    file = home / "dnf.conf"
    folders = "".join(
        f"{key}={home / 'dnf' / key}\n" for key in ("cachedir", "persistdir", "logdir", "reposdir")
    )
    file.write_text(
        f"[main]\n{folders}plugins=0\ngpgcheck=0\nproxy=_none_\nmodule_platform_id=platform:acme\n"
        f"[acme]\nname=acme\nbaseurl={repository}\n"
    )
    return file


def test_downloading_a_package_is_one_download(tmp_path: Path) -> None:
    present("dnf", "rpmbuild", "createrepo_c")
    repository = make_repository(tmp_path)
    with file_server(repository) as upstream:
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/rpm"
            format = "rpm"
            path = "/rpm/"
            upstream = "{upstream}"
        """
        with gateway(tmp_path, routes) as footfall:
            config = dnf_home(tmp_path, f"{footfall.url}/rpm/")
            run(
                ["dnf", "-qy", "--config", config, "--installroot", tmp_path / "root",
                 "--releasever", "1", "install", "--downloadonly", "tool-cli"],
                env={"HOME": str(tmp_path), "no_proxy": "*"},
            )  # fmt: skip
    curate(footfall.lake)

    (fetched,) = tmp_path.glob(f"**/packages/{FILE}")
    assert fetched.read_bytes() == (repository / "noarch" / FILE).read_bytes()
    assert rows(
        footfall.lake,
        "SELECT package_id, package, version, platform, client FROM lake WHERE counted",
    ) == [
        {
            "package_id": "acme/rpm/tool-cli",
            "package": "tool-cli",
            "version": "2.3-4.acme",
            "platform": None,
            "client": "dnf",
        }
    ]
    others = rows(
        footfall.lake,
        "SELECT DISTINCT package, not_counted_because AS why FROM lake WHERE NOT counted",
    )
    assert others == [{"package": "acme/rpm", "why": "metadata"}]
