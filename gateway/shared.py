"""Memory that the gateway's processes share: a file without a name, inherited by its descriptor."""

import os
import tempfile


def shared_file(name: str) -> int:
    """Make an empty one. The name is for whoever looks at the process's descriptors."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create(name, 0)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.set_inheritable(fd, True)
    return fd
