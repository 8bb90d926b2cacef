"""Maven resolves an artifact and its parent through the gateway, which records these alone."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.programs import present, run

pytestmark = pytest.mark.clients

HEAD = '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
PARENT = "<groupId>com.acme</groupId><artifactId>parent</artifactId><version>7</version>"


def put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.with_name(f"{file.name}.sha1").write_text(hashlib.sha1(content).hexdigest())


def put_jar(repository: Path, group: str, artifact: str, version: str, more: str = "") -> None:
    stem = repository / group.replace(".", "/") / artifact / version / f"{artifact}-{version}"
    coordinates = f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
    pom = f"{HEAD}{more}{coordinates}<version>{version}</version></project>"
    put(Path(f"{stem}.pom"), pom.encode())
    jar = io.BytesIO()
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    put(Path(f"{stem}.jar"), jar.getvalue())


def make_repository(home: Path) -> Path:
    repository = home / "repository"
    put(
        repository / "com/acme/parent/7/parent-7.pom",
        f"{HEAD}{PARENT}<packaging>pom</packaging></project>".encode(),
    )
    put_jar(repository, "com.acme", "tool", "1.2.3", f"<parent>{PARENT}</parent>")
    # Maven adds this one of its own accord to extensions that are without.
    put_jar(repository, "org.codehaus.plexus", "plexus-utils", "1.1")
    return repository


def make_project(home: Path) -> Path:
    """A project with a build extension, which Maven's core resolves by itself, without plugins."""
    project = home / "project"
    project.mkdir()
    (project / "pom.xml").write_text(
        f"{HEAD}<groupId>probe</groupId><artifactId>probe</artifactId><version>1</version>"
        "<packaging>pom</packaging><build><extensions><extension><groupId>com.acme</groupId>"
        "<artifactId>tool</artifactId><version>1.2.3</version></extension></extensions></build>"
        "</project>"
    )
    return project


def settings(home: Path, repository: str) -> Path:
    file = home / "settings.xml"
    file.write_text(
        f"<settings><localRepository>{home / 'local'}</localRepository><mirrors><mirror>"
        f"<id>acme</id><url>{repository}</url><mirrorOf>*</mirrorOf></mirror></mirrors></settings>"
    )
    return file


def test_resolving_an_artifact_is_one_download(tmp_path: Path) -> None:
    present("mvn")
    repository, project = make_repository(tmp_path), make_project(tmp_path)
    with file_server(repository) as upstream:
        routes = f"""
            [[route]]
            type = "repository"
            domain = "127.0.0.1"
            package = "acme/maven"
            format = "maven"
            path = "/maven/"
            upstream = "{upstream}"
            packages = ["com.acme:*"]
        """
        with gateway(tmp_path, routes) as footfall:
            run(
                ["mvn", "--batch-mode", "--quiet", "--strict-checksums", "--settings",
                 settings(tmp_path, f"{footfall.url}/maven/"), "validate"],
                cwd=project,
                env={"MAVEN_ARGS": "", "MAVEN_OPTS": "-XX:TieredStopAtLevel=1"},
            )  # fmt: skip
    curate(footfall.lake)

    jar = "com/acme/tool/1.2.3/tool-1.2.3.jar"
    assert (tmp_path / "local" / jar).read_bytes() == (repository / jar).read_bytes()
    assert rows(
        footfall.lake, "SELECT package, version, artifact, client FROM lake WHERE counted"
    ) == [
        {
            "package": "com.acme:tool",
            "version": "1.2.3",
            "artifact": "tool-1.2.3.jar",
            "client": "Maven",
        }
    ]
    others = rows(
        footfall.lake,
        "SELECT package, artifact, not_counted_because AS why FROM lake WHERE NOT counted"
        " ORDER BY artifact",
    )
    assert others == [
        {"package": f"com.acme:{package}", "artifact": artifact, "why": "metadata"}
        for package, artifact in [
            ("parent", "parent-7.pom"),
            ("parent", "parent-7.pom.sha1"),
            ("tool", "tool-1.2.3.jar.sha1"),
            ("tool", "tool-1.2.3.pom"),
            ("tool", "tool-1.2.3.pom.sha1"),
        ]
    ]
