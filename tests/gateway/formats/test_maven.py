"""Maven repositories: coordinates, classifiers, snapshots."""

import pytest

from gateway.formats.maven import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "com/acme/tool/1.2.3/tool-1.2.3.jar": get("com.acme:tool", "1.2.3", extension="jar"),
    "com/acme/tool/1.2.3/tool-1.2.3.war": get("com.acme:tool", "1.2.3", extension="war"),
    "com/acme/tool/1.2.3/tool-1.2.3.aar": get("com.acme:tool", "1.2.3", extension="aar"),
    "com/acme/tool/1.2.3/tool-1.2.3-bin.tar.gz": get(
        "com.acme:tool", "1.2.3", classifier="bin", extension="tar.gz"
    ),
    "com/acme/tool/1.2.3/tool-1.2.3-bin.zip": get(
        "com.acme:tool", "1.2.3", classifier="bin", extension="zip"
    ),
    "junit/junit/4.13.2/junit-4.13.2.jar": get("junit:junit", "4.13.2", extension="jar"),
    "io/netty/netty-tcnative/2.0.61.Final/netty-tcnative-2.0.61.Final-linux-x86_64.jar": get(
        "io.netty:netty-tcnative",
        "2.0.61.Final",
        classifier="linux-x86_64",
        extension="jar",
        platform="linux/amd64",
    ),
    "io/netty/netty-x/2.0/netty-x-2.0-osx-aarch_64.jar": get(
        "io.netty:netty-x",
        "2.0",
        classifier="osx-aarch_64",
        extension="jar",
        platform="darwin/arm64",
    ),
    "org/acme/a-1/2-3/a-1-2-3-tests.jar": get(
        "org.acme:a-1", "2-3", classifier="tests", extension="jar"
    ),
    "com/acme/tool/1.2.3-rc.1+5/tool-1.2.3-rc.1+5.jar": get(
        "com.acme:tool", "1.2.3-rc.1+5", extension="jar"
    ),
    "com/acme/tool/1.0-SNAPSHOT/tool-1.0-20260131.120000-3.jar": get(
        "com.acme:tool", "1.0-SNAPSHOT", extension="jar", timestamp="20260131.120000-3"
    ),
    "com/acme/tool/1.0-SNAPSHOT/tool-1.0-20260131.120000-3-linux-x86_64.zip": get(
        "com.acme:tool",
        "1.0-SNAPSHOT",
        classifier="linux-x86_64",
        extension="zip",
        timestamp="20260131.120000-3",
        platform="linux/amd64",
    ),
    "com/acme/tool/1.0-SNAPSHOT/tool-1.0-SNAPSHOT.jar": get(
        "com.acme:tool", "1.0-SNAPSHOT", extension="jar"
    ),
    "com/acme/tool/1.0-SNAPSHOT/tool-1.0-20260131.120000-3.pom": about(
        "com.acme:tool", "1.0-SNAPSHOT", extension="pom", timestamp="20260131.120000-3"
    ),
    "com/acme/tool/1.0-SNAPSHOT/maven-metadata.xml": about("com.acme:tool", "1.0-SNAPSHOT"),
    "com/acme/tool/maven-metadata.xml": about("com.acme:tool"),
    "com/acme/tool/maven-metadata.xml.sha1": about("com.acme:tool"),
    "tool/maven-metadata.xml": about(),
    "maven-metadata.xml": about(),
    "com/acme/tool/1.2.3/tool-1.2.3.pom": about("com.acme:tool", "1.2.3", extension="pom"),
    "com/acme/parent/7/parent-7.pom": about("com.acme:parent", "7", extension="pom"),
    "com/acme/tool/1.2.3/tool-1.2.3.module": about("com.acme:tool", "1.2.3", extension="module"),
    "com/acme/tool/1.2.3/tool-1.2.3.jar.sha1": about("com.acme:tool", "1.2.3", extension="jar"),
    "com/acme/tool/1.2.3/tool-1.2.3.jar.md5": about("com.acme:tool", "1.2.3", extension="jar"),
    "com/acme/tool/1.2.3/tool-1.2.3.jar.asc": about("com.acme:tool", "1.2.3", extension="jar"),
    "com/acme/tool/1.2.3/tool-1.2.3.jar.asc.sha256": about(
        "com.acme:tool", "1.2.3", extension="jar"
    ),
    "com/acme/tool/1.2.3/tool-1.2.3-sources.jar": about(
        "com.acme:tool", "1.2.3", classifier="sources", extension="jar"
    ),
    "com/acme/tool/1.2.3/tool-1.2.3-javadoc.jar": about(
        "com.acme:tool", "1.2.3", classifier="javadoc", extension="jar"
    ),
    "com/acme/tool/1.2.3/other-1.2.3.jar": about("com.acme:tool", "1.2.3"),
    "com/acme/tool/1.2.3/tool-1.2.3": about("com.acme:tool", "1.2.3"),
    "archetype-catalog.xml": about(),
    ".index/nexus-maven-repository-index.gz": about(),
    ".meta/prefixes.txt": about(),
    "acme/tool-1.0.jar": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
