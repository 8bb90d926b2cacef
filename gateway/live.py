"""The routes in force, held in one place, and changed while the gateway runs."""

import logging
import time
from pathlib import Path
from typing import Final

from gateway import routefile
from gateway.last_good import LastGood
from gateway.problems import Problem, RoutesError
from gateway.table import RouteTable

# A file changed a moment ago may still be being written, and the half of it be good TOML.
_SETTLED_SECONDS: Final = 0.1

log = logging.getLogger(__name__)


class LiveRoutes:
    """The last good version of a routes file.

    Raises RoutesError at first where there is none, not even one that other processes share, and
    never after.
    """

    def __init__(self, path: Path, last_good: LastGood | None = None) -> None:
        self.path = path
        self._last_good = last_good
        self._stamp = _stamp(path)
        self.refused = ""  # why the file as it is now is not in force; "": it is
        try:
            self.table = self._load(may_be_empty=last_good is None)
        except RoutesError as error:
            content = None if last_good is None else last_good.read()
            if content is None:
                raise
            self.table = routefile.load(path, content)
            self._refuse(error)

    def refresh(self) -> None:
        """Take the file if it has changed and is good. Costs one stat when it has not."""
        stamp = _stamp(self.path)
        if stamp == self._stamp or (stamp is not None and _is_fresh(stamp)):
            return
        self._stamp = stamp
        try:
            table = self._load(may_be_empty=False)
        except RoutesError as error:
            self._refuse(error)
        else:
            self.table = table
            self.refused = ""
            log.info("%s has changed and is in force", self.path)

    def _load(self, *, may_be_empty: bool) -> RouteTable:
        """Load the file as it is now, and keep it for whoever comes back later.

        Under way an empty file is a mishap, which would stop every download.
        """
        content = routefile.content_of(self.path)
        table = routefile.load(self.path, content)
        if not table.routes and not may_be_empty:
            raise RoutesError([Problem(str(self.path), "has no route at all")])
        if self._last_good is not None:
            self._last_good.keep(content)
        return table

    def _refuse(self, error: RoutesError) -> None:
        self.refused = str(error)
        log.error("%s is refused, the last good routes stay: %s", self.path, error)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _is_fresh(stamp: tuple[int, int, int]) -> bool:
    return 0 <= time.time() - stamp[0] / 1e9 < _SETTLED_SECONDS
