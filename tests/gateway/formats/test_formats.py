"""What holds for every format and every path, and that each format is a route's."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import table
from gateway.decide import decide
from gateway.decision import FromRepository, Redirect, Refusal
from gateway.formats.artifact import Artifact
from gateway.protocols.repositories import CLASSIFY
from gateway.request import Request
from gateway.routes import Format, RepositoryRoute

# What the formats cut names at, and the words that they look for.
PIECES = (
    *("-", "_", ".", "..", "~", "%2f", "%3a", "!a", "@", "@v", "@latest", ":", "+", "$", "--", "/"),
    *("dists", "pool", "binary-amd64", "repodata", "crates", "download", "api", "v1", "v2", "nar"),
    *("gems", "info", "quick", "sumdb", "lookup", "linux-64", "noarch", "p2", "dist", "include"),
    *("providers", "modules", "log", "elsewhere", "blobs", "manifests", ".index", "formula"),
    *(".deb", ".rpm", ".drpm", ".jar", ".pom", ".crate", ".zip", ".gem", ".narinfo", ".nar.xz"),
    *(".tgz", ".prov", ".conda", ".tar.bz2", ".json", ".bottle.tar.gz", ".sha1", ".dsc", ".drv"),
    *("1", "1.2.3", "v1.0", "1.0-SNAPSHOT", "-20260131.120000-3", "linux_amd64", "x86_64", "acme"),
    *("terraform-provider-", "maven-metadata.xml", "packages.json", "index.yaml", "config.json"),
)
words = st.sampled_from(PIECES) | st.text(max_size=5)
segments = st.lists(words, min_size=1, max_size=5).map("".join)
decoded_segments = st.lists(segments.filter(bool), min_size=1, max_size=7).map(tuple)
formats = st.sampled_from(get_args(Format))


def test_every_format_of_a_route_has_a_classifier() -> None:
    assert set(CLASSIFY) == set(get_args(Format))


@given(formats, decoded_segments)
def test_every_path_names_something(form: Format, path: tuple[str, ...]) -> None:
    artifact = CLASSIFY[form](path)
    assert isinstance(artifact, Artifact)
    assert artifact.kind in {"download", "metadata"}
    assert artifact.version != ""
    assert all(artifact.facts.values()), "a fact that is not known is left out"


paths = st.lists(st.sampled_from(PIECES) | st.text(st.characters(codec=None)), max_size=12).map(
    "".join
)


@pytest.mark.parametrize("form", get_args(Format))
@given(below=paths, query=paths)
def test_every_request_keeps_to_the_upstream_and_names_a_package(
    form: Format, below: str, query: str
) -> None:
    route = RepositoryRoute(
        domains=("get.acme.example",),
        package="acme",
        format=form,
        path="/r/",
        upstream="https://up.acme.example/base",
    )
    request = Request("GET", "get.acme.example", f"/r/{below}", query)
    decision = decide(table.build([route]), request)
    if isinstance(decision, Refusal):
        assert decision.status == 400
        return
    if isinstance(decision, Redirect):
        assert decision.location.startswith("https://up.acme.example/base/")
        assert decision.location.isascii()
        assert decision.location.isprintable()
    else:
        assert isinstance(decision, FromRepository)
        assert f"{decision.upstream}/{decision.path}".isascii()
    (hit,) = decision.hits
    assert hit.package
    assert hit.package_id.startswith("acme")
    assert hit.event_type in {"download", "metadata"}
