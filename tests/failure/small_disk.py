"""A disk of its own for a lake: small, and full or read-only at will."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Take all that is left of its bytes."""
        with suppress(OSError), (self.path / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(512))

    def fill_with_files(self) -> None:
        """Take all that is left of its inodes."""
        (self.path / "files").mkdir()
        with suppress(OSError):
            for number in range(100_000):
                (self.path / "files" / str(number)).touch()

    def remount(self, *options: str) -> bool:
        """Change how it is mounted; False while a file is open for writing."""
        words = ["mount", "-o", ",".join(("remount", *options)), str(self.path)]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0


@contextmanager
def small_disk(path: Path, options: str) -> Iterator[SmallDisk]:
    """Mount a disk at a path, or skip the test where nobody may."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", path], check=True)
