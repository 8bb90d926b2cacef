"""A small multi-platform image as an OCI layout, and a real registry to push it to."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.programs import free_port, run, running
from tests.token_service import TokenService

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _put(layout: Path, media_type: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    (layout / "blobs" / digest.replace(":", "/")).write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _layer(text: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        member = tarfile.TarInfo("hello.txt")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    return packed.getvalue()


def make_layout(
    layout: Path, architectures: tuple[str, ...] = ("amd64", "arm64"), text: str = "hello"
) -> None:
    """Write an image index with one linux manifest an architecture."""
    (layout / "blobs/sha256").mkdir(parents=True)
    manifests = []
    for architecture in architectures:
        layer = _layer(f"{text} {architecture}\n".encode())
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"],
            },
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _put(layout, CONFIG, json.dumps(config).encode()),
            "layers": [_put(layout, LAYER, gzip.compress(layer, mtime=0))],
        }
        described = _put(layout, MANIFEST, json.dumps(manifest).encode())
        manifests.append({**described, "platform": {"os": "linux", "architecture": architecture}})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    top = _put(layout, INDEX, json.dumps(index).encode())
    top["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


@contextmanager
def registry(
    home: Path, host: str = "127.0.0.5", *, tokens: TokenService | None = None, blobs_from: str = ""
) -> Iterator[str]:
    """A real registry on an address of its own, out of home; yields host:port.

    With a token service it is closed to who has no token of it. With a base URL, blobs are answered
    with a redirect to their files below it, as hosted registries do.
    """
    port = free_port(host)
    config: dict[str, Any] = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(storage(home))}},
        "http": {"addr": f"{host}:{port}"},
        "log": {"accesslog": {"disabled": True}, "level": "warn"},
    }
    if tokens is not None:
        config["auth"] = {"token": tokens.settings}
    if blobs_from:
        redirect = {"name": "redirect", "options": {"baseurl": blobs_from}}
        config["middleware"] = {"storage": [redirect]}
    file = home / "registry.json"
    file.write_text(json.dumps(config))  # JSON is YAML
    # It ends by signal, as its makers meant it to.
    with running(
        ["docker-registry", "serve", file],
        host=host, port=port, log=home / "registry.log", clean_exit=False,
    ):  # fmt: skip
        yield f"{host}:{port}"


def storage(home: Path) -> Path:
    """Where a registry out of home keeps its files."""
    folder = home / "registry"
    folder.mkdir(exist_ok=True)
    return folder


def push(layout: Path, authority: str, image: str, *options: str) -> None:
    """Put every platform of the layout into the registry under image, such as acme/hello:1.0."""
    run(
        ["skopeo", "copy", "--quiet", "--all", "--dest-tls-verify=false", *options,
         f"oci:{layout}:latest", f"docker://{authority}/{image}"]
    )  # fmt: skip


def index_digest(layout: Path) -> str:
    """The digest of the layout's image index."""
    digest: str = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    return digest
