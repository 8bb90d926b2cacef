"""What a power cut may cost: how long an acknowledged event waits until it is on the disk.

    python benchmarks/power.py

A real worker is asked while strace watches it. The wait of each write to the journal ends with the
first fdatasync that begins after it and has returned. Needs strace.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.chaos.load import ROUTES, Load  # noqa: E402 the tests' own load
from tests.chaos.system import System  # noqa: E402

SECONDS = 10
RATE = 500.0  # events a second
_CALL = re.compile(r"^(\d+) +([\d.]+) (?:(write|fdatasync)\(|<\.\.\. (fdatasync) resumed>)(.*)$")


def waits(trace: str) -> list[float]:
    """The seconds from each write to the journal until it was on the disk."""
    written: list[float] = []
    begun: dict[str, float] = {}  # by thread
    synced: list[tuple[float, float]] = []
    for line in trace.splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        thread, at, call, resumed, rest = match.groups()
        if call == "write":
            if "/journal/" in rest.partition(">")[0]:
                written.append(float(at))
        elif call == "fdatasync":
            begun[thread] = float(at)
        if resumed or (call == "fdatasync" and "unfinished" not in rest):
            took = re.search(r"<([\d.]+)>$", rest)
            start = begun.pop(thread)
            synced.append((start, start + float(took[1]) if took else float(at)))
    found = []
    for moment in written:
        ends = [end for start, end in synced if start >= moment]
        if ends:  # what was written last is synchronized when the segment is sealed
            found.append(min(ends) - moment)
    return found


def main() -> None:
    if not shutil.which("strace"):
        sys.exit("strace is not installed; apt-get install strace")
    home = Path(tempfile.mkdtemp(prefix="footfall-power-"))
    trace = home / "trace"
    system = System(home, ROUTES, workers=1, pipeline=False)
    try:
        system.await_answer()
        (worker,) = system.children("worker")
        words = ["strace", "-f", "-q", "-y", "-ttt", "-T", "-e", "trace=write,fdatasync"]
        with subprocess.Popen([*words, "-o", trace, "-p", str(worker)]) as watching:
            with Load(system.port, connections=4, rate=RATE, seed=1):
                time.sleep(SECONDS)
            watching.terminate()
        found = sorted(waits(trace.read_text()))
        median, p99, most = (
            1000 * found[at] for at in (len(found) // 2, int(len(found) * 0.99), -1)
        )
        print(
            f"{len(found):,} writes; on the disk after a median of {median:.0f} ms, "
            f"p99 {p99:.0f} ms, at most {most:.0f} ms"
        )
    finally:
        system.destroy()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
