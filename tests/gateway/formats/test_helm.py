"""Helm chart repositories."""

import pytest

from gateway.formats.helm import classify
from tests.gateway.formats.paths import Told, about, get, told

PATHS: dict[str, Told] = {
    "index.yaml": about(),
    "stable/index.yaml": about(),
    "tool-1.2.3.tgz": get("tool", "1.2.3"),
    "charts/tool-1.2.3.tgz": get("tool", "1.2.3"),
    "kube-prometheus-stack-58.2.1.tgz": get("kube-prometheus-stack", "58.2.1"),
    "cert-manager-v1.14.5.tgz": get("cert-manager", "v1.14.5"),
    "tool-1.2.3-rc.1.tgz": get("tool", "1.2.3-rc.1"),
    "tool-1.2.3+build.5.tgz": get("tool", "1.2.3+build.5"),
    "tool-1.2.3%2Bbuild.5.tgz": get("tool", "1.2.3+build.5"),
    "k8s-at-home-2-0.1.0.tgz": get("k8s-at-home-2", "0.1.0"),
    "s3-0.1.0-alpha-2.tgz": get("s3", "0.1.0-alpha-2"),
    "tool-5.tgz": get("tool", "5"),
    "tool.tgz": get("tool", None),
    "tool-1.2.3.tar.gz": get("tool", "1.2.3"),
    "tool-1.2.3.tgz.prov": about("tool", "1.2.3"),
    "elsewhere/0123456789abcdef/tool-1.2.3.tgz": get("tool", "1.2.3"),
    "elsewhere/0123456789abcdef/tool-1.2.3.tgz.prov": about("tool", "1.2.3"),
    "api/charts": about(),
    "artifacthub-repo.yml": about(),
    "index.html": about(),
    "pubring.gpg": about(),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path(path: str) -> None:
    assert told(classify, path) == PATHS[path]
