"""Terraform: the registry protocol, mirrors, release folders."""

import pytest

from gateway.formats.terraform import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    ".well-known/terraform.json": about(),
    "v1/providers/acme/tool/versions": about("acme/tool"),
    "v1/providers/acme/tool/1.2.3/download/linux/amd64": get(
        "acme/tool", "1.2.3", os="linux", arch="amd64", platform="linux/amd64"
    ),
    "v1/providers/acme/tool/1.2.3-rc1/download/darwin/arm64": get(
        "acme/tool", "1.2.3-rc1", os="darwin", arch="arm64", platform="darwin/arm64"
    ),
    "v1/providers/acme/tool/1.2.3/download/windows/386": get(
        "acme/tool", "1.2.3", os="windows", arch="386", platform="windows/386"
    ),
    "v1/modules/acme/network/aws/versions": about("acme/network/aws"),
    "v1/modules/acme/network/aws/1.2.3/download": get("acme/network/aws", "1.2.3"),
    "v1/modules/acme/network/aws/1.2.3": about("acme/network/aws"),
    "v1/modules/acme": about(),
    "terraform-provider-tool_1.2.3_linux_amd64.zip": get(
        "tool", "1.2.3", os="linux", arch="amd64", platform="linux/amd64"
    ),
    "terraform-provider-tool/1.2.3/terraform-provider-tool_1.2.3_freebsd_arm.zip": get(
        "tool", "1.2.3", os="freebsd", arch="arm", platform="freebsd/arm"
    ),
    "registry.acme.example/acme/tool/terraform-provider-tool_1.2.3_linux_arm64.zip": get(
        "acme/tool", "1.2.3", os="linux", arch="arm64", platform="linux/arm64"
    ),
    "acme/tool/1.2.3/terraform-provider-tool_1.2.3_linux_arm64.zip": get(
        "acme/tool", "1.2.3", os="linux", arch="arm64", platform="linux/arm64"
    ),
    "acme/google-beta/1.0.0/terraform-provider-google-beta_1.0.0_linux_amd64.zip": get(
        "acme/google-beta", "1.0.0", os="linux", arch="amd64", platform="linux/amd64"
    ),
    "registry.acme.example/acme/tool/index.json": about("acme/tool"),
    "registry.acme.example/acme/tool/1.2.3.json": about("acme/tool", "1.2.3"),
    "terraform-provider-tool_1.2.3_SHA256SUMS": about("tool", "1.2.3"),
    "acme/tool/1.2.3/terraform-provider-tool_1.2.3_SHA256SUMS.sig": about("acme/tool", "1.2.3"),
    "terraform-provider-tool_1.2.3_manifest.json": about("tool", "1.2.3"),
    "terraform/1.8.4/terraform_1.8.4_linux_amd64.zip": get(
        "terraform", "1.8.4", os="linux", arch="amd64", platform="linux/amd64"
    ),
    "terraform/1.8.4/terraform_1.8.4_SHA256SUMS": about("terraform", "1.8.4"),
    "modules/network-1.2.3.tar.gz": get("", None),
    "terraform/index.json": about(),
    "index.json": about(),
    "terraform/": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
