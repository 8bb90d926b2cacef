"""The Go module proxy protocol: escapes, versions, checksums."""

import pytest

from gateway.formats.go import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "go.acme.example/tool/@v/list": about("go.acme.example/tool"),
    "go.acme.example/tool/@latest": about("go.acme.example/tool"),
    "go.acme.example/tool/@v/v1.2.3.info": about("go.acme.example/tool", "v1.2.3"),
    "go.acme.example/tool/@v/v1.2.3.mod": about("go.acme.example/tool", "v1.2.3"),
    "go.acme.example/tool/@v/v1.2.3.zip": get("go.acme.example/tool", "v1.2.3"),
    "go.acme.example/tool/@v/v1.2.3.ziphash": about("go.acme.example/tool", "v1.2.3"),
    "github.com/!burnt!sushi/toml/@v/v1.3.2.zip": get("github.com/BurntSushi/toml", "v1.3.2"),
    "github.com/%21azure/azure-sdk-for-go/@v/v68.0.0+incompatible.zip": get(
        "github.com/Azure/azure-sdk-for-go", "v68.0.0+incompatible"
    ),
    "github.com/acme/tool/v2/@v/v2.0.1.zip": get("github.com/acme/tool/v2", "v2.0.1"),
    "github.com/acme/tool/v2/@v/list": about("github.com/acme/tool/v2"),
    "gopkg.in/yaml.v3/@v/v3.0.1.zip": get("gopkg.in/yaml.v3", "v3.0.1"),
    "golang.org/x/sys/@v/v0.0.0-20260131120000-0123456789ab.zip": get(
        "golang.org/x/sys", "v0.0.0-20260131120000-0123456789ab", commit="0123456789ab"
    ),
    "golang.org/x/sys/@v/v0.0.0-20260131120000-0123456789ab.info": about(
        "golang.org/x/sys", "v0.0.0-20260131120000-0123456789ab", commit="0123456789ab"
    ),
    "go.acme.example/t/@v/v1.2.4-0.20260131120000-0123456789ab.zip": get(
        "go.acme.example/t", "v1.2.4-0.20260131120000-0123456789ab", commit="0123456789ab"
    ),
    "go.acme.example/t/@v/v1.2.3-rc.1.0.20260131120000-0123456789ab.mod": about(
        "go.acme.example/t", "v1.2.3-rc.1.0.20260131120000-0123456789ab", commit="0123456789ab"
    ),
    "go.acme.example/t/@v/v2.0.1-0.20260131120000-0123456789ab+incompatible.zip": get(
        "go.acme.example/t",
        "v2.0.1-0.20260131120000-0123456789ab+incompatible",
        commit="0123456789ab",
    ),
    "go.acme.example/t/@v/v1.0.0-!r!c1.zip": get("go.acme.example/t", "v1.0.0-RC1"),
    "go.acme.example/t/@v/master.info": about("go.acme.example/t", "master"),
    "go.acme.example/t/@v/": about(),
    "golang.org/toolchain/@v/v0.0.1-go1.23.0.linux-amd64.zip": get(
        "golang.org/toolchain", "v0.0.1-go1.23.0.linux-amd64", platform="linux/amd64"
    ),
    "go.acme.example/t/@v/odd.txt": about("go.acme.example/t"),
    "@v/list": about(),
    "@latest": about(),
    "go.acme.example/tool": about(),
    "sumdb/sum.acme.example/supported": about(),
    "sumdb/sum.acme.example/latest": about(),
    "sumdb/sum.acme.example/lookup/github.com/!burnt!sushi/toml@v1.3.2": about(
        "github.com/BurntSushi/toml", "v1.3.2"
    ),
    "sumdb/sum.acme.example/lookup/odd": about(),
    "sumdb/sum.acme.example/tile/8/0/x123/456": about(),
    "sumdb": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
