"""The routes in force, held in one place, and changed while the gateway runs."""

import logging
import time
from pathlib import Path
from typing import Final

from gateway import routefile
from gateway.problems import Problem, RoutesError
from gateway.table import RouteTable

# A file changed a moment ago may still be being written, and the half of it be good TOML.
_SETTLED_SECONDS: Final = 0.1

log = logging.getLogger(__name__)


class LiveRoutes:
    """The last good version of a routes file. Raises RoutesError at first, and never after."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = _stamp(path)
        self.table = routefile.load(path)
        self.refused = ""  # why the file as it is now is not in force; "": it is

    def refresh(self) -> None:
        """Take the file if it has changed and is good. Costs one stat when it has not."""
        stamp = _stamp(self.path)
        if stamp == self._stamp or (stamp is not None and _is_fresh(stamp)):
            return
        self._stamp = stamp
        try:
            table = _some(self.path)
        except (RoutesError, OSError) as error:
            self.refused = str(error)
            log.error(  # noqa: TRY400 the reasons are the message, a traceback adds nothing
                "%s has changed and is refused, the last good routes stay: %s", self.path, error
            )
        else:
            self.table = table
            self.refused = ""
            log.info("%s has changed and is in force", self.path)


def _some(path: Path) -> RouteTable:
    """Load a file that has any route: an empty one is a mishap, and would stop every download."""
    table = routefile.load(path)
    if not table.routes:
        raise RoutesError([Problem(str(path), "has no route at all")])
    return table


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _is_fresh(stamp: tuple[int, int, int]) -> bool:
    return 0 <= time.time() - stamp[0] / 1e9 < _SETTLED_SECONDS
