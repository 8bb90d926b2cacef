"""Core files: the memory of a process that crashes, addresses included, written to a disk."""

import resource


def forbid() -> None:
    """Let neither this process nor any that it starts leave a core file.

    The limit is one byte: too little for a file, and the sign by which Linux does not hand the
    memory to a handler such as systemd's either, which it does where the limit is zero.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    bytes_ = 1 if hard == resource.RLIM_INFINITY or hard > 0 else 0
    resource.setrlimit(resource.RLIMIT_CORE, (bytes_, bytes_))
