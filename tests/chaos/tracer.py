"""Kills a pass at one chosen system call among those that change a disk.

What another process finds on the disk changes only by such calls. A kill at any instruction leaves
what a kill just before the next of them leaves, so that killing before each one in turn covers all
instructions. The calls of all threads are counted together, in the order in which they are made.

The pass runs in a forked child, with a seccomp filter that stops it before each such call and
leaves all others at full speed. Linux on x86-64 only.
"""

import ctypes
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

IS_POSSIBLE: Final = sys.platform == "linux" and platform.machine() == "x86_64"

# Numbers of system calls, with where their path is: an argument's number, or None for a descriptor.
_CALLS: Final[dict[int, tuple[str, int | None]]] = {
    1: ("write", None),
    2: ("open", 0),
    18: ("pwrite64", None),
    20: ("writev", None),
    74: ("fsync", None),
    75: ("fdatasync", None),
    76: ("truncate", 0),
    77: ("ftruncate", None),
    82: ("rename", 0),
    83: ("mkdir", 0),
    84: ("rmdir", 0),
    87: ("unlink", 0),
    257: ("openat", 1),
    258: ("mkdirat", 1),
    263: ("unlinkat", 1),
    264: ("renameat", 1),
    285: ("fallocate", None),
    296: ("pwritev", None),
    316: ("renameat2", 1),
    326: ("copy_file_range", None),
}
_OPENING: Final = {"open": 1, "openat": 2}  # the argument that says whether a file is made

_TRACEME, _CONT, _SETOPTIONS, _SYSCALL_INFO = 0, 7, 0x4200, 0x420E
_OPTIONS: Final = 1 << 7 | 1 << 3 | 1 << 2 | 1 << 1 | 1 << 20  # seccomp, clone, forks; exit-kill
_EVENT_SECCOMP: Final = 7
_WALL: Final = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


@dataclass(frozen=True)
class Killed:
    """The call that was never made."""

    call: str
    path: Path  # the descriptor's, or the one that is named


class _Filter(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filters", ctypes.POINTER(_Filter)))


class _SyscallInfo(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
        ("data", ctypes.c_uint32),
    )


def run_until(home: Path, last: int, action: Callable[[], object]) -> Killed | None:
    """Run an action in a child and kill it before its `last`-th change of a file in `home`.

    None: the action has ended before. The calling process must have no thread and no other child.
    """
    child = os.fork()
    if not child:
        _run_traced(action)
    killed: Killed | None = None
    made = 0
    options_set = False
    while True:
        try:
            pid, status = os.waitpid(-1, _WALL)
        except ChildProcessError:
            return killed
        if os.WIFSTOPPED(status):
            if not options_set:
                _ptrace(_SETOPTIONS, pid, 0, _OPTIONS)
                options_set = True
            if status >> 16 == _EVENT_SECCOMP and killed is None:
                change = _change(pid, home)
                made += change is not None
                if change is not None and made == last:
                    killed = change
                    os.kill(child, signal.SIGKILL)
            _continue(pid, status)
        elif pid == child and killed is None and status:
            raise RuntimeError(f"the pass failed with {os.waitstatus_to_exitcode(status)}")


def _run_traced(action: Callable[[], object]) -> NoReturn:
    try:
        _ptrace(_TRACEME, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _install_filter()
        action()
    except BaseException:  # noqa: BLE001 the child ends here, whatever it was
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _install_filter() -> None:
    load, equals, answer = 0x20, 0x15, 0x06
    allow, trace = 0x7FFF0000, 0x7FF00000
    numbers = sorted(_CALLS)
    words = [
        (load, 0, 0, 0),
        *((equals, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
        (answer, 0, 0, allow),
        (answer, 0, 0, trace),
    ]
    filters = (_Filter * len(words))(*(_Filter(*word) for word in words))
    program = _Program(len(words), filters)
    no_new_privileges, set_seccomp, by_filter = 38, 22, 2
    if _libc.prctl(no_new_privileges, 1, 0, 0, 0) or _libc.prctl(
        set_seccomp, by_filter, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "no seccomp filter")


def _change(pid: int, home: Path) -> Killed | None:
    """What the stopped thread is about to do, if it concerns a file in `home`."""
    info = _SyscallInfo()
    _ptrace(_SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info))
    call, at = _CALLS[info.number]
    if call in _OPENING and not info.arguments[_OPENING[call]] & (os.O_CREAT | os.O_TRUNC):
        return None
    # Paths are whole ones here, as the lake's is.
    path = (
        Path(f"/proc/{pid}/fd/{info.arguments[0]}").readlink()
        if at is None
        else Path(_text(pid, info.arguments[at]))
    )
    return Killed(call, path.relative_to(home)) if path.is_relative_to(home) else None


def _text(pid: int, address: int) -> str:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        found = b""
        # A page at a time: what follows the text's own page may be no memory.
        while b"\0" not in found:
            found += memory.read(4096 - (address + len(found)) % 4096)
    return os.fsdecode(found.partition(b"\0")[0])


def _continue(pid: int, status: int) -> None:
    number = os.WSTOPSIG(status)
    is_ours = status >> 16 or number in {signal.SIGTRAP, signal.SIGSTOP}
    try:
        _ptrace(_CONT, pid, 0, 0 if is_ours else number)
    except ProcessLookupError:  # killed meanwhile
        return


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace {request}: {os.strerror(number)}")
