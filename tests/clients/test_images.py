"""Container clients pull through the gateway: every client, from every kind of registry.

One gateway serves on one domain, under names that are not the upstreams', images of registries that
are open or want tokens, and that send blobs themselves or redirect to where they are. Each client
pulls each image twice, by its tag or by its digest. What it then has, and the rows, are both right.
"""

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from tests.file_server import file_server
from tests.footfall import curate, gateway, rows
from tests.oci import index_digest, make_layout, push, registry, storage
from tests.programs import free_port, need, run, running
from tests.token_service import PUSHER, token_service

pytestmark = pytest.mark.clients

KINDS = ("open", "open-redirected", "tokens", "tokens-redirected")
WAYS = ("tag", "digest")
IMAGES = tuple(f"{kind}-by-{way}" for kind in KINDS for way in WAYS)
ARM = "linux/arm64"

Pull = Callable[[str], None]


class Client(NamedTuple):
    """A client: what it needs, how it pulls into a folder of its own, and what it then has."""

    programs: tuple[str, ...]
    puller: Callable[[Path, str], Any]  # a context manager of a Pull
    found: Callable[[Path], set[str]]  # the texts of hello.txt in the images that it has


@contextmanager
def _podman(home: Path, _authority: str) -> Iterator[Pull]:
    # It takes no run root of more than 50 characters, and a test's own folder has more.
    with TemporaryDirectory(prefix="podman-") as run_root:
        yield lambda image: _run(
            home, "podman", "--root", home / "root", "--runroot", run_root,
            "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file",
            "pull", "--quiet", "--tls-verify=false", f"--platform={ARM}", image,
        )  # fmt: skip


@contextmanager
def _buildah(home: Path, _authority: str) -> Iterator[Pull]:
    yield lambda image: _run(
        home, "buildah", "--root", home / "root", "--runroot", home / "run",
        "--storage-driver=vfs", "pull", "--quiet", "--policy=always", "--tls-verify=false",
        f"--platform={ARM}", image,
    )  # fmt: skip


@contextmanager
def _skopeo(home: Path, _authority: str) -> Iterator[Pull]:
    yield lambda image: _run(
        home, "skopeo", "--override-os=linux", "--override-arch=arm64",
        "copy", "--quiet", "--src-tls-verify=false", f"docker://{image}", f"oci:{home}/copy",
    )  # fmt: skip


@contextmanager
def _containerd(home: Path, authority: str) -> Iterator[Pull]:
    hosts = home / "hosts" / authority
    hosts.mkdir(parents=True)
    (hosts / "hosts.toml").write_text(f'[host."http://{authority}"]\n')
    port = free_port()
    config, socket = home / "containerd.toml", home / "containerd.sock"
    config.write_text(
        f'version = 2\nroot = "{home}/root"\nstate = "{home}/state"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{socket}"\n'
        f'[metrics]\naddress = "127.0.0.1:{port}"\n'
        # Its default is in /opt, which is not a test's to write to.
        f'[plugins."io.containerd.internal.v1.opt"]\npath = "{home}/opt"\n'
    )
    with running(
        ["containerd", "--config", config],
        host="127.0.0.1", port=port, log=home / "containerd.log", clean_exit=False,
    ):  # fmt: skip
        yield lambda image: _run(
            home, "ctr", "--address", socket, "images", "pull", "--plain-http",
            "--hosts-dir", home / "hosts", "--snapshotter=native", "--platform", ARM, image,
        )  # fmt: skip


def _run(home: Path, *command: str | Path) -> None:
    run(command, env={"HOME": str(home), "TMPDIR": str(home), "XDG_RUNTIME_DIR": str(home)})


def _unpacked(home: Path) -> set[str]:
    """The texts in a store that unpacks layers into folders."""
    return {file.read_text().strip() for file in home.glob("root/**/hello.txt")}


def _packed(home: Path) -> set[str]:
    """The texts in an OCI layout."""
    texts = set()
    for blob in (home / "copy/blobs/sha256").iterdir():
        content = blob.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as layer:
                file = layer.extractfile("hello.txt")
                assert file is not None
                texts.add(file.read().decode().strip())
    return texts


CLIENTS = {
    "podman": Client(("podman",), _podman, _unpacked),
    "buildah": Client(("buildah",), _buildah, _unpacked),
    "skopeo": Client(("skopeo",), _skopeo, _packed),
    "containerd": Client(("containerd", "ctr"), _containerd, _unpacked),
}


class Story(NamedTuple):
    lake: Path
    found: dict[str, set[str]]  # by client


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Every client that is here has pulled every image twice, and the pipeline has run."""
    need("docker-registry", "skopeo", "openssl")
    home = tmp_path_factory.mktemp("images")
    digests, found = {}, {}
    with ExitStack() as stack:
        registries = stack.enter_context(_registries(home))
        for image in IMAGES:
            layout = home / image
            make_layout(layout, text=image)
            kind, _, way = image.rpartition("-by-")
            push(layout, registries[kind], f"acme/open-{way}:1.0", "--dest-creds", PUSHER)
            digests[image] = index_digest(layout)
        footfall = stack.enter_context(gateway(home, _routes(registries)))
        for name, client in CLIENTS.items():
            if _can_run(name):
                folder = home / f"client-{name}"
                folder.mkdir()
                with client.puller(folder, footfall.authority) as pull:
                    for image in IMAGES:
                        is_tag = image.endswith("-by-tag")
                        reference = ":1.0" if is_tag else f"@{digests[image]}"
                        for _ in range(2):
                            pull(f"{footfall.authority}/{image}{reference}")
                found[name] = client.found(folder)
    curate(footfall.lake)
    return Story(footfall.lake, found)


@contextmanager
def _registries(home: Path) -> Iterator[dict[str, str]]:
    """One real registry of each kind."""
    authorities = {}
    with ExitStack() as stack:
        for number, kind in enumerate(KINDS):
            folder, host = home / kind, f"127.0.1.{number + 1}"
            folder.mkdir()
            tokens = blobs_from = None
            if kind.startswith("tokens"):
                tokens = stack.enter_context(token_service(folder, host))
            if kind.endswith("redirected"):
                blobs_from = stack.enter_context(file_server(storage(folder), f"127.0.2.{number}"))
            authorities[kind] = stack.enter_context(
                registry(folder, host, tokens=tokens, blobs_from=blobs_from or "")
            )
        yield authorities


def _routes(registries: dict[str, str]) -> str:
    return "\n".join(
        f"""
        [[route]]
        type = "docker"
        domain = "127.0.0.1"
        image = "{kind}-by-{way}"
        registry = "http://{authority}"
        repository = "acme/open-{way}"
        """
        for kind, authority in registries.items()
        for way in WAYS
    )


def _can_run(name: str) -> bool:
    # containerd mounts what it unpacks.
    is_allowed = name != "containerd" or os.geteuid() == 0
    return is_allowed and all(map(shutil.which, CLIENTS[name].programs))


TWICE_BY_GET = {
    "tag": [
        ("GET", None, "1.0", ARM),
        ("GET", "part_of_index", None, ARM),
        ("GET", "version_check", "1.0", ARM),
        ("GET", "part_of_index", None, ARM),
    ],
    "digest": [
        ("GET", None, None, ARM),
        ("GET", "part_of_index", None, ARM),
        ("GET", "version_check", None, ARM),
        ("GET", "part_of_index", None, ARM),
    ],
}
PULLS = {
    "podman": TWICE_BY_GET,
    "buildah": TWICE_BY_GET,
    "skopeo": TWICE_BY_GET,
    "containerd": {
        "tag": [
            ("HEAD", "head", "1.0", None),
            ("GET", None, "1.0", ARM),
            ("GET", "part_of_index", "1.0", ARM),
            ("HEAD", "head", "1.0", None),
        ],
        "digest": [
            ("HEAD", "head", None, None),
            ("GET", None, None, ARM),
            ("GET", "part_of_index", None, ARM),
            ("HEAD", "head", None, None),
        ],
    },
}


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("name", CLIENTS)
def test_two_pulls_are_one_pull_and_one_check(story: Story, name: str, image: str) -> None:
    need(*CLIENTS[name].programs)
    if not _can_run(name):
        pytest.skip("containerd wants root")
    assert f"{image} arm64" in story.found[name]
    assert f"{image} amd64" not in story.found[name]
    manifests = rows(
        story.lake,
        "SELECT method, not_counted_because, version, platform FROM lake"
        f" WHERE event_type = 'pull' AND package = '{image}' AND client = '{name}'"
        " ORDER BY event_time, event_id",
    )
    _, _, way = image.rpartition("-by-")
    assert [tuple(row.values()) for row in manifests] == PULLS[name][way]
    blobs = rows(
        story.lake,
        "SELECT DISTINCT status, counted FROM lake"
        f" WHERE event_type = 'blob' AND package = '{image}' AND client = '{name}'",
    )
    assert blobs == [{"status": 307 if "redirected" in image else 200, "counted": False}]
