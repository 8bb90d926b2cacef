"""The last good content of the routes file, in memory that the gateway's processes share.

A worker that comes back while the file is bad serves what the others serve.
"""

import fcntl
import hashlib
import os

from gateway.shared import shared_file

_DIGEST_BYTES = 16


class LastGood:
    """One content, whole or not there, under a descriptor that children inherit."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def create(cls, content: bytes) -> "LastGood":
        """Make the memory, with the content that the gateway starts with."""
        last_good = cls(shared_file("footfall-routes"))
        last_good.keep(content)
        return last_good

    def keep(self, content: bytes) -> None:
        """Put a content that has just proved good in the place of the old one."""
        # Locks of `flock` would belong to the descriptor, which all processes share.
        fcntl.lockf(self.fd, fcntl.LOCK_EX)
        try:
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, _digest(content) + content, 0)
        finally:
            fcntl.lockf(self.fd, fcntl.LOCK_UN)

    def read(self) -> bytes | None:
        """Return the content; None where a process was killed while it wrote."""
        fcntl.lockf(self.fd, fcntl.LOCK_EX)
        try:
            stored = os.pread(self.fd, os.fstat(self.fd).st_size, 0)
        finally:
            fcntl.lockf(self.fd, fcntl.LOCK_UN)
        digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        return content if digest == _digest(content) else None


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
