"""The write-ahead journal: an event is in it before its request is answered.

A journal is a folder of segments. One process writes a segment and holds its lock while it is
`.open`; sealing renames it to `.sealed`, after which nobody writes to it. A record is one line:
the CRC-32 of the JSON in eight hex digits, a space, the JSON. What a killed process leaves is an
`.open` segment without a lock, whole up to its last complete line.

    DIR/journal/<uuid>.open      being written, or left behind
    DIR/journal/<uuid>.sealed    ready to be shipped

A write is in the kernel's hands when the answer is sent, so killing any process loses nothing.
Against a power cut the segment is synchronized in a thread, at most `SYNC_SECONDS` apart.
"""

import errno
import fcntl
import logging
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

import msgspec

from gateway.events import RawEvent

OPEN, SEALED = ".open", ".sealed"
SYNC_SECONDS = 0.1
SEGMENT_LIMIT = 32 * 1024 * 1024  # bytes, after which a segment is sealed before its time

log = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()


def encode(event: RawEvent) -> bytes:
    """Write one record."""
    return _record(_encoder.encode(event))


def _record(body: bytes) -> bytes:
    return b"%08x %b\n" % (crc32(body), body)


class Journal:
    """Writes the events of one process. Not for threads, but for its own that synchronizes."""

    def __init__(self, directory: Path, seal_after: float) -> None:
        self._directory = directory
        self._seal_after = seal_after
        self._records: list[bytes] = []
        self._segment: _Segment | None = None
        self._syncer = ThreadPoolExecutor(1, "journal-sync")
        self._syncing: Future[None] | None = None
        self._synced_at = 0.0

    def append(self, event: RawEvent) -> None:
        """Take an event for the next `flush`."""
        self._records.append(encode(event))

    def append_json(self, body: bytes) -> None:
        """Take an event that is encoded already."""
        self._records.append(_record(body))

    def flush(self) -> None:
        """Write what was appended. Raises `NotWritten` when the disk does not take all of it."""
        records, self._records = self._records, []
        if not records:
            return
        written = 0
        try:
            if self._segment is None:
                self._segment = _Segment.create(self._directory)
            written = self._segment.write(records)
        except OSError as error:
            if self._segment is not None and self._segment.broken:
                self._abandon()
            written = error.whole if isinstance(error, _Short) else 0
            raise NotWritten(len(records) - written, error) from error

    def tick(self) -> None:
        """Seal and synchronize what is due. Call it every `SYNC_SECONDS` or so; never raises."""
        segment = self._segment
        if segment is None:
            return
        now = time.monotonic()
        if now - segment.since >= self._seal_after or segment.size >= SEGMENT_LIMIT:
            self.seal()
        elif segment.dirty and (self._syncing is None or self._syncing.done()):
            segment.dirty = False
            self._syncing = self._syncer.submit(_sync, os.dup(segment.fd))

    def seal(self) -> None:
        """Close the segment for good and hand it to the shipper. Never raises."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        self._syncer.submit(_sync, os.dup(segment.fd))
        try:
            segment.seal()
        except OSError as error:
            # Closed and unlocked it is adopted like one that a dead process left.
            log.warning("a journal segment could not be sealed: %s", error)
        finally:
            segment.close()

    def close(self) -> None:
        """Seal, and wait until all of it is on the disk."""
        self.seal()
        self._syncer.shutdown()

    def _abandon(self) -> None:
        assert self._segment is not None  # noqa: S101 the caller has just written to it
        self._segment.close()
        self._segment = None


class NotWritten(Exception):  # noqa: N818 it says what happened to the events
    """The disk did not take the last events; they are lost, and counted by whoever catches this."""

    def __init__(self, events: int, cause: OSError) -> None:
        super().__init__(f"{events} events: {os.strerror(cause.errno or errno.EIO)}")
        self.events = events
        self.errno = cause.errno


class _Short(OSError):  # noqa: N818 the write is short, and the error is inside
    """A write that ended early, after so many whole records."""

    whole = 0


class _Segment:
    """One open, locked file."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd
        self.size = 0
        self.since = time.monotonic()
        self.dirty = False
        self.broken = False

    @classmethod
    def create(cls, directory: Path) -> "_Segment":
        directory.mkdir(parents=True, exist_ok=True)
        name = os.urandom(16).hex()
        draft, path = directory / f".{name}.new", directory / f"{name}{OPEN}"
        fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            # Locked before it has its name, so that the shipper never sees it without.
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.rename(path)
        except OSError:
            os.close(fd)
            draft.unlink(missing_ok=True)
            raise
        return cls(path, fd)

    def write(self, records: list[bytes]) -> int:
        """Write records whole, or as many as fit; return how many. Raises OSError for the rest."""
        data = records[0] if len(records) == 1 else b"".join(records)
        done = 0
        try:
            while done < len(data):
                done += os.write(self.fd, data[done:] if done else data)
        except OSError as error:
            self._keep_whole(records, done, error)
        self.size += len(data)
        self.dirty = True
        return len(records)

    def _keep_whole(self, records: list[bytes], done: int, error: OSError) -> None:
        """Cut a torn record off, so that the next one starts on a line of its own."""
        short = _Short(*error.args)
        kept = 0
        for record in records:
            if kept + len(record) > done:
                break
            kept += len(record)
            short.whole += 1
        try:
            os.ftruncate(self.fd, self.size + kept)
            self.size += kept
        except OSError:
            self.broken = True  # the reader of the segment cuts it off instead
        raise short from error

    def seal(self) -> None:
        sealed = self.path.with_suffix(SEALED)
        if not self.size:
            self.path.unlink()
            return
        try:
            self.path.rename(sealed)
        except FileNotFoundError:
            # Somebody deleted the journal under us. Our file still has its bytes, only no name.
            sealed.parent.mkdir(parents=True, exist_ok=True)
            draft = sealed.with_name(f".{sealed.name}.new")
            draft.write_bytes(os.pread(self.fd, self.size, 0))
            draft.rename(sealed)

    def close(self) -> None:
        os.close(self.fd)


def _sync(fd: int) -> None:
    """Force a segment to the disk, by a descriptor of its own that outlives the segment's."""
    try:
        # Not everywhere is there a call that leaves the times of the file out.
        getattr(os, "fdatasync", os.fsync)(fd)
    except OSError as error:
        log.warning("the journal could not be synchronized: %s", error)
    finally:
        os.close(fd)
