"""An export on its way to one client: at the client's pace, and ended with it."""

import asyncio
import logging
import re
import zlib
from collections.abc import Iterator
from typing import Final, cast

from sanic import Request

from dashboard.api_request import Events
from dashboard.export_formats import MEDIA_TYPES
from dashboard.exports import UnreadableDayError

# A client that takes nothing for this long is let go, and its export ends.
STALL_SECONDS: Final = 60.0
# The fastest level: text shrinks to a tenth as it is, and the next ones cost several times more.
GZIP_LEVEL: Final = 1

log = logging.getLogger(__name__)


async def stream(request: Request, asked: Events, pieces: Iterator[bytes]) -> None:
    """Answer with the pieces of an export; the next is made when the one before was taken."""
    headers = {
        "Content-Disposition": f'attachment; filename="{asked.file_name}"',
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    # Parquet is compressed inside.
    if asked.format != "parquet" and takes_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        pieces = gzipped(pieces)
    steps = _Steps(pieces)
    try:
        # Taken before the status goes out, so that a lake that cannot be read is a 500.
        piece = await steps.next()
        await _send(request, asked, headers, piece, steps)
    finally:
        steps.close()


async def _send(
    request: Request, asked: Events, headers: dict[str, str], piece: bytes | None, steps: "_Steps"
) -> None:
    charset = "; charset=utf-8" if asked.format == "csv" else ""
    try:
        response = await request.respond(
            headers=headers, content_type=MEDIA_TYPES[asked.format] + charset
        )
        await response.send(b"", end_stream=False)
        while piece is not None:
            if piece:
                async with asyncio.timeout(STALL_SECONDS):
                    await response.send(piece)
            piece = await steps.next()
        await response.eof()
    except UnreadableDayError as error:
        log.error("an export was cut off: %s", error)  # noqa: TRY400  the message says it all
        _break_off(request)
    except TimeoutError:
        log.warning("an export was cut off: its client took nothing for %d s", STALL_SECONDS)
        _break_off(request)
    except Exception:
        _break_off(request)
        raise


def _break_off(request: Request) -> None:
    # Sanic would end the stream in order, and half a file would pass for a whole one.
    cast("asyncio.WriteTransport", request.transport).abort()


def takes_gzip(accept_encoding: str) -> bool:
    """Say whether an Accept-Encoding header allows gzip by name."""
    for part in accept_encoding.lower().split(","):
        name, _, quality = (piece.strip() for piece in part.partition(";"))
        if name == "gzip":
            return re.fullmatch(r"q=0(\.0{0,3})?", quality) is None
    return False


def gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Compress as one gzip member. A piece that only fills the compressor comes out empty."""
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=31)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


class _Steps:
    """An iterator run step by step in a thread, which can be left at any moment."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._step: asyncio.Future[bytes | None] | None = None

    async def next(self) -> bytes | None:
        """The next piece; None after the last."""
        loop = asyncio.get_running_loop()
        self._step = loop.run_in_executor(None, next, self._pieces, None)
        # A thread cannot be stopped: a cancelled wait leaves its step to end by itself.
        return await asyncio.shield(self._step)

    def close(self) -> None:
        """Close the files behind the iterator, at once or after the step under way."""
        if self._step is None or self._step.done():
            self._drop()
        else:
            self._step.add_done_callback(self._finished)

    def _finished(self, step: "asyncio.Future[bytes | None]") -> None:
        if not step.cancelled() and (error := step.exception()) is not None:
            log.error("an export whose client was gone failed: %s", error)
        self._drop()

    def _drop(self) -> None:
        # The last reference: the generators close, and their files with them.
        self._pieces = iter(())
