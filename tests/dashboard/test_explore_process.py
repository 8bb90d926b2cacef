"""Explore's queries run in processes that are bounded, and that end with the dashboard."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.explore import QueryError, run
from dashboard.explore_pool import Child, EndedError, Pool, TimeIsUpError
from dashboard.explore_wire import MAX_BYTES, Question
from tests.programs import ROOT, free_port, module, running

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")

HUGE = "SELECT repeat('x', 2000000000) || repeat('y', 2000000000)"
ENDLESS = "SELECT count(*) FROM range(1000000000000)"
MEGABYTE = 1024 * 1024


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


def children(of: int) -> dict[int, str]:
    """The child processes of a process, each with its state; Z is a zombie."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == of:
                found[int(folder.name)] = fields[0]
    return found


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def gone(pid: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


def test_a_huge_text_is_refused_and_costs_the_dashboard_nothing(tmp_path: Path) -> None:
    run(tmp_path, "SELECT 1")
    before, started = resident(), time.monotonic()
    for sql in (HUGE, HUGE.replace("SELECT ", "SELECT length(", 1) + ")"):
        with pytest.raises(QueryError, match="more memory than a query may have"):
            run(tmp_path, sql)
    assert time.monotonic() - started < 15
    assert resident() - before < 50 * MEGABYTE
    assert run(tmp_path, "SELECT 2 AS a").rows.item() == 2


def test_the_limit_is_the_kernels() -> None:
    child = Child()
    try:
        assert child.ask(Question("/nowhere", "SELECT 1", 1), 30)[0] == "rows"
        limits = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
        [space] = [line.split()[3:5] for line in limits if line.startswith("Max address space")]
        assert space[0] == space[1]
        assert 2 * 1024**3 < int(space[0]) < 8 * 1024**3
        environment = Path(f"/proc/{child.pid}/environ").read_text()
        assert "HOME=" not in environment
        assert "FOOTFALL" not in environment
    finally:
        child.kill()


def test_an_answer_that_is_too_large_is_refused(tmp_path: Path) -> None:
    sql = f"SELECT repeat('x', {MAX_BYTES // 8}) FROM range(10)"
    with pytest.raises(QueryError, match=r"larger than 64 MB"):
        run(tmp_path, sql)


def test_an_answer_below_that_comes_whole(tmp_path: Path) -> None:
    length = MAX_BYTES // 4
    assert run(tmp_path, f"SELECT repeat('x', {length}) AS a").rows["a"].str.len_bytes().item() == (
        length
    )


def test_a_normal_query_waits_for_nothing(tmp_path: Path) -> None:
    run(tmp_path, "SELECT 1")
    best = min(run(tmp_path, "SELECT 1").seconds for _ in range(5))
    assert best < 0.3


def test_a_mistake_costs_no_process(tmp_path: Path, pool: Pool) -> None:
    question = Question(str(tmp_path), "SELECT 1", 1)
    pool.ask(question, 30)
    before = set(children(os.getpid()))
    assert pool.ask(Question(str(tmp_path), "SELEC 1", 1), 30)[0] == "refused"
    assert pool.ask(question, 30)[0] == "rows"
    assert set(children(os.getpid())) == before


def test_what_does_not_heed_the_limit_is_killed(tmp_path: Path) -> None:
    child = Child()
    try:
        child.ask(Question(str(tmp_path), "SELECT 1", 1), 30)
        os.kill(child.pid, signal.SIGSTOP)  # nothing heeds less than that
        started = time.monotonic()
        with pytest.raises(TimeIsUpError):
            child.ask(Question(str(tmp_path), "SELECT 1", 1), 0.3)
        assert time.monotonic() - started < 2
    finally:
        child.kill()
    assert gone(child.pid)


def test_no_process_and_no_zombie_is_left_of_what_is_stopped(tmp_path: Path, pool: Pool) -> None:
    before = set(children(os.getpid()))
    for _ in range(3):
        with pytest.raises(TimeIsUpError):
            pool.ask(Question(str(tmp_path), ENDLESS, 1), 0.2)
    after = children(os.getpid())
    assert len(set(after) - before) == 1  # the one that waits for the next query
    assert "Z" not in after.values()
    pool.close()
    assert set(children(os.getpid())) <= before


def test_a_process_that_ends_is_told_from_one_that_answers(tmp_path: Path) -> None:
    child = Child()
    try:
        child.ask(Question(str(tmp_path), "SELECT 1", 1), 30)
        threading.Timer(0.3, os.kill, (child.pid, signal.SIGKILL)).start()
        with pytest.raises(EndedError):
            child.ask(Question(str(tmp_path), ENDLESS, 1), 30)
    finally:
        child.kill()


def test_a_process_that_died_while_it_waited_is_replaced(tmp_path: Path, pool: Pool) -> None:
    pool.warm()
    [pid] = [pid for pid in children(os.getpid()) if pid == pool._spare.pid]  # type: ignore[union-attr]  # noqa: SLF001  it was just made
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert pool.ask(Question(str(tmp_path), "SELECT 1", 1), 30)[0] == "rows"
    assert pid not in children(os.getpid())


def test_many_at_once_get_a_place_or_a_word(tmp_path: Path, pool: Pool) -> None:
    said: list[str] = []

    def ask() -> None:
        try:
            pool.ask(Question(str(tmp_path), ENDLESS, 1), 0.5)
        except (QueryError, TimeIsUpError) as error:
            said.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(said) == 6
    assert any("Other queries are running" in words for words in said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_that_ends_under_way_leaves_no_process(tmp_path: Path, number: int) -> None:
    code = (
        "from pathlib import Path; from dashboard import explore\n"
        f"explore.run(Path({str(tmp_path)!r}), 'SELECT 1'); print('ready', flush=True)\n"
        f"explore.run(Path({str(tmp_path)!r}), {ENDLESS!r}, seconds=60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        [pid] = children(program.pid)
        program.send_signal(number)
        program.wait(timeout=20)
    assert gone(pid)


def test_a_stopped_dashboard_leaves_no_process(tmp_path: Path) -> None:
    port = free_port()
    command = module("dashboard", "serve", "--data", tmp_path, "--port", str(port))
    with running(command, host="127.0.0.1", port=port, log=tmp_path / "log") as program:
        pids = list(children(program.pid))
        assert pids
    assert all(gone(pid) for pid in pids)
