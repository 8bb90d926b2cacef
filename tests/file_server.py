"""A host of files that understands Range, as release hosts do; a folder is its index.html."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web

from tests.programs import free_port


@contextmanager
def file_server(directory: Path, host: str = "127.0.0.6") -> Iterator[str]:
    """Serve a directory until the block ends; yields the base URL."""
    port = free_port(host)
    started, loop = threading.Event(), asyncio.new_event_loop()
    finish = asyncio.Event()

    async def folder(request: web.Request) -> web.FileResponse:
        return web.FileResponse(directory / request.match_info["folder"] / "index.html")

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/{folder:(?:.*/)?}", folder)
        app.router.add_static("/", directory)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        started.set()
        await finish.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        assert started.wait(10), "the file server did not start"
        yield f"http://{host}:{port}"
    finally:
        loop.call_soon_threadsafe(finish.set)
        thread.join(10)
        loop.close()
