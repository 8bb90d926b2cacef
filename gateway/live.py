"""The routes in force, held in one place, and changed while the gateway runs."""

import logging
from pathlib import Path

from gateway import routefile
from gateway.problems import RoutesError

log = logging.getLogger(__name__)


class LiveRoutes:
    """The last good version of a routes file. Raises RoutesError at first, and never after."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self.table = routefile.load(path)
        self.refused = ""  # why the file as it is now is not in force; "": it is

    def refresh(self) -> None:
        """Take the file if it has changed and is good. Costs one stat when it has not."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.table = routefile.load(self._path)
        except (RoutesError, OSError) as error:
            self.refused = str(error)
            log.error(  # noqa: TRY400 the reasons are the message, a traceback adds nothing
                "%s has changed and is refused, the last good routes stay: %s", self._path, error
            )
        else:
            self.refused = ""
            log.info("%s has changed and is in force", self._path)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
