"""Log lines that name no client: of an error its type and where it happened, never its words.

An exception's message often quotes what it could not read, and that may be an address, a path or a
header. So do the log lines of the web server and the event loop, which are therefore not used.
"""

import asyncio
import datetime as dt
import logging
import sys
import time
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any

import msgspec

from gateway.config import LogFormat

_SERVER_LOGGERS = ("sanic.root", "sanic.error", "sanic.access", "sanic.server", "sanic.websockets")
_FRAMES = 6
SELDOM_SECONDS = 60.0


def configure(process: str, style: LogFormat) -> None:
    """Log to the standard error, and keep silent what others would log of clients."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Json(process)
        if style == "json"
        else logging.Formatter(f"gateway {process}: %(levelname)s %(message)s")
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _SERVER_LOGGERS:
        logging.getLogger(name).disabled = True
    logging.getLogger("asyncio").disabled = True
    sys.excepthook = _report_death


class _Json(logging.Formatter):
    """One JSON object a line. All lines of one `template` speak of the same, whatever they name."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC),
            "level": record.levelname.lower(),
            "process": self._process,
            "module": record.name,
            "template": record.msg,
            "message": record.getMessage(),
        }
        return msgspec.json.encode(line).decode()


def where(error: BaseException) -> str:
    """Describe an error by its type and innermost frames: `ValueError at compose.py:80`."""
    frames = extract_tb(error.__traceback__)[-_FRAMES:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}" if places else type(error).__name__


def on_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what the event loop could not hand to anybody."""
    error = context.get("exception")
    logging.getLogger(__name__).error(
        "in the event loop: %s", where(error) if error is not None else "an error without exception"
    )


class Seldom:
    """Logs each kind of trouble once in `SELDOM_SECONDS`, with how often it was left out."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warn(self, kind: str, text: str, *arguments: object) -> None:
        """Log, or count. The text is a template, as a logger's is."""
        now = time.monotonic()
        if now - self._last.get(kind, -SELDOM_SECONDS) < SELDOM_SECONDS:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._last[kind] = now
        more = self._left_out.pop(kind, 0)
        # One template for both, by which programs know lines of one kind.
        again = f" ({more} more since the last time)" if more else ""
        self._log.warning(f"{text}%s", *arguments, again)


def _report_death(
    _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    logging.getLogger(__name__).critical("ends by %s", where(error))
