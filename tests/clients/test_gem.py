"""gem installs a gem through the gateway."""

from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

SPECIFICATION = """
Gem::Specification.new do |spec|
  spec.name = "acme-tool-2"
  spec.version = "1.2.3"
  spec.summary = "a tool"
  spec.description = "a tool that is tested"
  spec.authors = ["Acme"]
  spec.license = "MIT"
  spec.homepage = "https://www.acme.example"
  spec.required_ruby_version = ">= 2.0"
  spec.files = ["lib/acme.rb"]
end
"""
FILE = "acme-tool-2-1.2.3.gem"


def make_repository(home: Path, env: dict[str, str]) -> Path:
    work, repository = home / "work", home / "repository"
    (work / "lib").mkdir(parents=True)
    (work / "lib/acme.rb").touch()
    (work / "acme.gemspec").write_text(SPECIFICATION)
    (repository / "gems").mkdir(parents=True)
    run(["gem", "build", "acme.gemspec", "--quiet", "--output", repository / "gems" / FILE],
        cwd=work, env=env)  # fmt: skip
    run(["gem", "generate_index", "--quiet", "--directory", repository], env=env)
    return repository


def test_installing_a_gem_is_one_download(tmp_path: Path) -> None:
    present("gem")
    env = {"HOME": str(tmp_path), "GEM_HOME": str(tmp_path / "gems"), "no_proxy": "*"}
    repository = make_repository(tmp_path, env)
    with file_server(repository) as upstream:
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/gems"
            format = "rubygems"
            upstream = "{upstream}"
        """
        with gateway(tmp_path, routes) as footfall:
            run(
                ["gem", "install", "--clear-sources", "--source", f"{footfall.url}/",
                 "--no-document", "--norc", "acme-tool-2"],
                env=env,
            )  # fmt: skip
    curate(footfall.lake)

    installed = tmp_path / "gems/cache" / FILE
    assert installed.read_bytes() == (repository / "gems" / FILE).read_bytes()
    assert rows(
        footfall.lake, "SELECT package, version, artifact, client FROM lake WHERE counted"
    ) == [{"package": "acme-tool-2", "version": "1.2.3", "artifact": FILE, "client": "gem"}]
    (others,) = rows(
        footfall.lake, "SELECT DISTINCT not_counted_because AS why FROM lake WHERE NOT counted"
    )
    assert others == {"why": "metadata"}
