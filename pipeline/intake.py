"""What waits in `raw/`: taken in batches, with unreadable files set aside, and tidied up after."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline import publish, read
from pipeline.lake import Lake, day_folder, days_of, temporary_files

log = logging.getLogger(__name__)

RawFiles = Mapping[dt.date, Sequence[Path]]

# An emptied folder in raw/ is removed only when nobody has touched it for this long: a gateway may
# be about to put a file into it.
_UNTOUCHED_SECONDS = 3600


def batches(waiting: RawFiles, rows_at_once: int) -> Iterator[dict[dt.date, list[Path]]]:
    """Part what waits into portions that fit in memory, oldest day first."""
    batch: dict[dt.date, list[Path]] = {}
    rows = 0
    for day, files in sorted(waiting.items()):
        for file in files:
            more = _rows(file)
            if batch and rows + more > rows_at_once:
                yield batch
                batch, rows = {}, 0
            batch.setdefault(day, []).append(file)
            rows += more
    if batch:
        yield batch


def _rows(file: Path) -> int:
    try:
        return publish.row_count(file)
    except publish.NotParquetError:
        # It is set aside with its reason when its turn comes.
        return 0


def set_aside(
    lake: Lake, batch: RawFiles, prove: Callable[[Path], object]
) -> tuple[dict[dt.date, list[Path]], int]:
    """Move the files that cannot be read to quarantine, each with a reason beside it."""
    readable: dict[dt.date, list[Path]] = {}
    unreadable = 0
    for day, files in batch.items():
        for file in files:
            try:
                prove(file)
            except read.UnreadableFileError as error:
                unreadable += 1
                # Not *.parquet any more: a glob over quarantine/ shall meet no broken file.
                place = day_folder(lake.unreadable, day) / f"{file.name}.unreadable"
                log.warning("%s; moved to %s", error, place)
                publish.write_text(f"{error.reason}\n", place.with_suffix(".reason"))
                publish.move(file, place)
            else:
                readable.setdefault(day, []).append(file)
    return readable, unreadable


def clear_leftovers(lake: Lake) -> None:
    """Remove what a killed pass was writing. Only under the lake's lock is its writer dead.

    A purge writes in `raw/` too. What a gateway writes there has names of another form.
    """
    tables = (lake.raw, lake.events, lake.daily, lake.quarantine, lake.unreadable, lake.archive)
    for table in tables:
        for leftover in temporary_files(table):
            leftover.unlink()


def tidy_raw(lake: Lake, now: dt.datetime) -> None:
    """Remove emptied day folders."""
    for day in days_of(lake.raw):
        folder = day_folder(lake.raw, day)
        if now.timestamp() - folder.stat().st_mtime > _UNTOUCHED_SECONDS:
            try:
                folder.rmdir()
            except OSError:
                if not any(folder.iterdir()):
                    raise
