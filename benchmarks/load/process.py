"""A client in a process of its own, told what to do through a pipe: what it reports is its own."""

import asyncio
import multiprocessing.connection
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import uvloop

# A client that measures must not wait for a processor, or it measures itself.
_FIRST = -10
_END_SECONDS = 30.0

Pipe: TypeAlias = "multiprocessing.connection.Connection[Any, Any]"
Main = Callable[..., Coroutine[Any, Any, None]]


@contextmanager
def client(main: Main, *arguments: object, first: bool = False) -> Iterator[Pipe]:
    """Run `main(pipe, *arguments)` in a process, and yield our end of the pipe.

    The process is to end when the pipe does. With `first` it goes before others, where it may.
    """
    # Not forked, because this process may have threads.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(main, theirs, first, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(_END_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


async def told(pipe: Pipe) -> Any:
    """Wait for the next order, or raise EOFError when there will be none."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(pipe.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(pipe.fileno())
    return pipe.recv()


def _run(main: Main, pipe: Pipe, first: bool, *arguments: object) -> None:  # noqa: FBT001 of a process
    if first:
        with suppress(PermissionError):
            os.nice(_FIRST)
    with suppress(EOFError), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(pipe, *arguments))
