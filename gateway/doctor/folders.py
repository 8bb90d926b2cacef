"""Folders: whether they can be written, how much room is left, and who else can read the salts."""

import os
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gateway.doctor.finding import Finding, broken, ok, warning

_MEGABYTE = 1024 * 1024
_TIGHT = 0.05  # of a disk's bytes or inodes
_FEW_BYTES = 200 * _MEGABYTE
_FEW_INODES = 1000
_SKEW_SECONDS = 2.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Room(msgspec.Struct, frozen=True):
    """What is left on a folder's file system."""

    free: int  # bytes
    size: int
    free_inodes: int
    inodes: int  # 0: without a limit


def examine(name: str, folder: Path) -> Iterator[Finding]:
    """Say whether a folder, or the one that it will be made in, can be written and has room."""
    place = _existing(folder)
    try:
        skew = _probe(place)
    except OSError as error:
        yield broken(
            name, f"{place} cannot be written: {error.strerror}", f"make it writable for {_user()}"
        )
        return
    yield ok(name, f"{folder} is writable" if place == folder else f"{folder} will be made")
    if abs(skew) > _SKEW_SECONDS:
        yield warning(
            name, f"the file system's clock differs by {skew:+.1f} s", "set both machines' clocks"
        )
    yield from judge_room(name, _room(place))


def judge_room(name: str, room: Room) -> Iterator[Finding]:
    """Say whether bytes and inodes will last."""
    if room.free < _FEW_BYTES:
        yield broken(
            name, f"{room.free // _MEGABYTE} MB are free, events will be lost", "make room"
        )
    elif room.free < _TIGHT * room.size:
        yield warning(name, f"{room.free / room.size:.0%} of the disk are free", "make room")
    if room.inodes and room.free_inodes < _FEW_INODES:
        yield broken(
            name, f"{room.free_inodes} inodes are free, events will be lost", "delete small files"
        )
    elif room.inodes and room.free_inodes < _TIGHT * room.inodes:
        left = room.free_inodes / room.inodes
        yield warning(name, f"{left:.0%} of the inodes are free", "delete small files")


def salts(folder: Path) -> Iterator[Finding]:
    """Say whether anybody else can read the salts."""
    try:
        open_ones = [
            path
            for path in (folder, *sorted(folder.glob("*.salt")))
            if path.stat().st_mode & _OTHERS
        ]
    except FileNotFoundError:
        return
    except OSError as error:
        yield broken(
            "salts", f"{folder} cannot be read: {error.strerror}", f"chown it to {_user()}"
        )
        return
    for path in open_ones:
        mode = stat.S_IMODE(path.stat().st_mode)
        right = "700" if path.is_dir() else "600"
        yield broken(
            "salts", f"{path} has mode {mode:o}, others can read it", f"chmod {right} {path}"
        )
    if not open_ones:
        yield ok("salts", "nobody else can read them")


def one_file_system(lake: Path, names: Sequence[str]) -> Iterator[Finding]:
    """Say whether files can be renamed from one folder of the lake to another."""
    devices: dict[int, list[str]] = {}
    for name in names:
        if (lake / name).is_dir():
            devices.setdefault((lake / name).stat().st_dev, []).append(name)
    if len(devices) > 1:
        parts = " | ".join(", ".join(group) for group in devices.values())
        yield broken(
            "lake", f"its folders are on different file systems: {parts}", "mount the lake as one"
        )
    elif devices:
        yield ok("lake", "its folders are on one file system")


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _probe(folder: Path) -> float:
    """Write a file, and return by how much its time is ahead of the clock."""
    before = time.time()
    with tempfile.TemporaryFile(dir=folder, prefix=".probe-") as file:
        file.write(b"x")
        file.flush()
        written = os.fstat(file.fileno()).st_mtime
    after = time.time()
    return written - after if written > after else min(0.0, written - before)


def _room(folder: Path) -> Room:
    state = os.statvfs(folder)
    return Room(
        free=state.f_bavail * state.f_frsize,
        size=state.f_blocks * state.f_frsize,
        free_inodes=state.f_favail,
        inodes=state.f_files,
    )


def _user() -> str:
    return f"user {os.geteuid()}"
