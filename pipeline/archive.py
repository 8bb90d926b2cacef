"""What becomes of raw files once their rows are in `events/`: kept for a while, then deleted.

A gateway writes a file a second. Here they are joined, at most a few hundred a day, under names
that start with the day of archiving: from that, not from the events' day, their age is counted.
"""

import datetime as dt
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from gateway.events import SCHEMA
from pipeline import publish, read
from pipeline.lake import Lake, day_folder, days_of, files_of

# Files archived on one day are joined when there are this many, until they are large.
MANY = 64
LARGE = 64 * 1024


def store(lake: Lake, day: dt.date, files: Sequence[Path], today: dt.date) -> None:
    """Take curated raw files of one day's folder out of `raw/`. The last step of every pass.

    Killed half-way, it leaves rows in both places; curated again, they change nothing.
    """
    folder = day_folder(lake.archive, day)
    # Files of another version keep columns that this one does not know, for the parser that does.
    small = [file for file in files if _is_small(file)]
    large = set(files) - set(small) if len(small) > 1 else files
    publish.move_all({file: folder / f"{today}-{file.name}" for file in large})
    if len(small) > 1:
        _join(small, folder, today)
    small = [
        file
        for file in files_of(lake.archive, day)
        if file.name.startswith(f"{today}-") and _is_small(file)
    ]
    if len(small) >= MANY:
        _join(small, folder, today)


def expire(lake: Lake, today: dt.date, retention_days: int) -> int:
    """Delete what was archived `retention_days` ago or earlier, and say how many files that was."""
    expired = 0
    for day in days_of(lake.archive):
        for file in files_of(lake.archive, day):
            archived = archived_on(file)
            if archived is not None and (today - archived).days >= retention_days:
                publish.remove(file)
                expired += 1
    return expired


def expire_rejected(lake: Lake, now: dt.datetime, retention_days: int) -> int:
    """Delete from quarantine what has lain there as long as raw files are kept, and count files.

    Rejected rows are raw rows, with all that curation drops. Their age is that of their file.
    """
    # Beside the days lie the damaged records that the gateway found in its journal.
    kept = [*lake.quarantine.glob("journal-*.ndjson")]
    for table in (lake.quarantine, lake.unreadable):
        kept += [file for day in days_of(table) for file in day_folder(table, day).iterdir()]
    expired = [
        file for file in kept if now.timestamp() - file.stat().st_mtime >= retention_days * 86_400
    ]
    for file in expired:
        publish.remove(file)
    return len(expired)


def archived_on(file: Path) -> dt.date | None:
    """The day a file was archived, from its name; None where someone else put it there."""
    try:
        return dt.date.fromisoformat(file.name[:10])
    except ValueError:
        return None


def _is_small(file: Path) -> bool:
    return file.stat().st_size < LARGE and read.raw_schema(file) == SCHEMA


def _join(files: Sequence[Path], folder: Path, today: dt.date) -> None:
    # Named for what is in it, so that a join done again after a crash replaces itself.
    names = "\n".join(sorted(file.name for file in files))
    joined = folder / f"{today}-{blake2b(names.encode(), digest_size=12).hexdigest()}.parquet"
    publish.replace(read.raw(files), joined)
    for file in files:
        file.unlink()
