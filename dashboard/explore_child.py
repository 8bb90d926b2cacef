"""The process in which Explore's queries run, so that what one of them breaks is only its own.

It reads questions from its standard input and answers each on its standard output. It ends with its
input, and so with the dashboard, also in the middle of a query.

python -m dashboard.explore_child
"""

import os
import queue
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from dashboard.explore_query import NoRoomError, QueryError, answer
from dashboard.explore_wire import MAX_BYTES, Kind, Question, read_question, write

# Beyond what the process has when it begins. DuckDB's own limit is half of it.
MEMORY: Final = 2 * 1024**3


def main() -> None:
    """Answer until the input ends."""
    # Ctrl-C goes to the whole group. This process ends with the dashboard, and not before.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit()
    # What a library prints must not be read as an answer.
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    questions: queue.SimpleQueue[Question] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, questions), daemon=True).start()
    try:
        write(output, "ready", b"")
        while True:
            write(output, *_reply(questions.get()))
    except BrokenPipeError:
        os._exit(0)  # nobody is there to be answered, and the other thread holds the input


def _listen(source: BinaryIO, questions: "queue.SimpleQueue[Question]") -> None:
    while (question := read_question(source)) is not None:
        questions.put(question)
    os._exit(0)  # whatever the other thread is at


def _reply(question: Question) -> tuple[Kind, bytes]:
    try:
        table = answer(Path(question.root), question.sql, question.rows)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        found = sink.getvalue()
        if found.size > MAX_BYTES:
            text = f"The answer is larger than {MAX_BYTES >> 20} MB: ask for fewer or shorter ones."
            return "refused", text.encode()
        return "rows", found.to_pybytes()
    except (MemoryError, NoRoomError, pa.ArrowMemoryError):
        return "no-room", str(NoRoomError()).encode()
    except QueryError as error:
        return "refused", str(error).encode(errors="replace")


def _limit() -> None:
    """Bound this process's memory for good, and leave no core file with rows in it."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if _has_proc() else 0
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _has_proc() -> bool:
    # Elsewhere no limit of this kind is kept anyway, and the time limit is what remains.
    return Path("/proc/self/statm").exists()


if __name__ == "__main__":
    main()
