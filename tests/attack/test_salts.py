"""The salts: shared by the workers, changed at midnight, and gone when their time is over."""

import datetime as dt
import gc
import os
import stat
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway import salts
from gateway.ipdata import IpData
from gateway.visitor import Visitors
from tests.attack.target import gateway
from tests.programs import free_port, module

CLIENT = "203.0.113.7"
MIDNIGHT = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


class Clock:
    def __init__(self, at: dt.datetime) -> None:
        self.now = at.timestamp()

    def __call__(self) -> float:
        return self.now


def visitors(folder: Path, clock: Clock) -> Visitors:
    return Visitors(IpData.open(folder / "none"), folder, clock=clock)


def test_two_real_workers_give_a_client_one_id_and_keep_the_salt_to_themselves(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path, "--workers", "2") as target:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: target.ask(f"/tool/{n}/x", source="127.9.9.9"), range(100)))
        target.kill("worker", 9)  # the one that takes its place must know the salt too
        for number in range(100, 110):
            target.ask(f"/tool/{number}/x", source="127.9.9.9")
        target.stop()
        table = target.raw()
    assert table.height == 110
    assert table["origin_id"].n_unique() == table["endpoint_id"].n_unique() == 1
    folder = tmp_path / "salts"
    (salt,) = folder.iterdir()
    assert salt.stat().st_size == salts.SIZE
    assert stat.S_IMODE(salt.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secret = salt.read_bytes()
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.is_symlink() and path != salt:
            assert secret not in path.read_bytes(), path
            assert secret.hex() not in path.read_text(errors="replace"), path


@pytest.mark.parametrize("inside", [".", "salts", "raw/../x/y", "link"])
def test_the_gateway_does_not_start_with_salts_in_the_lake(tmp_path: Path, inside: str) -> None:
    lake = tmp_path / "lake"
    (lake / "raw").mkdir(parents=True)
    (tmp_path / "link").symlink_to(lake / "raw")
    folder = tmp_path / "link" if inside == "link" else lake / inside
    (tmp_path / "routes.toml").write_text("")
    command = module(
        "gateway", "serve", "--routes", tmp_path / "routes.toml", "--data", lake,
        "--salts", folder, "--port", str(free_port()), "--admin-port", str(free_port()),
    )  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "inside the lake" in done.stderr


def test_rotation_at_midnight_under_load(tmp_path: Path) -> None:
    """Two workers, many requests, one clock that passes midnight: two ids, never a third."""
    clock = Clock(MIDNIGHT - dt.timedelta(seconds=1))
    seen: list[list[tuple[float, int]]] = [[], []]
    until = threading.Event()

    def work(slot: int) -> None:
        own = visitors(tmp_path, clock)
        while not until.is_set():
            before = clock()
            found = own.visitor(CLIENT, "curl/8")
            if before == clock():  # else either day's id is right
                seen[slot].append((before, found.endpoint_id))

    threads = [threading.Thread(target=work, args=(slot,)) for slot in (0, 1)]
    for thread in threads:
        thread.start()
    for step in range(20):
        clock.now = MIDNIGHT.timestamp() - 1 + step / 10
        until.wait(0.01)
    until.set()
    for thread in threads:
        thread.join()
    by_day: dict[bool, set[int]] = {True: set(), False: set()}
    for at, endpoint in (pair for each in seen for pair in each):
        by_day[at < MIDNIGHT.timestamp()].add(endpoint)
    assert len(by_day[True]) == len(by_day[False]) == 1
    assert by_day[True] != by_day[False]
    assert sorted(path.stem for path in tmp_path.glob("*.salt")) == ["2026-11-23", "2026-11-24"]


def test_a_clock_that_jumps_back_finds_the_salt_of_that_day(tmp_path: Path) -> None:
    clock = Clock(MIDNIGHT - dt.timedelta(hours=1))
    own = visitors(tmp_path, clock)
    ids = []
    for hours in (0, 2, -2, 2):
        clock.now += hours * 3600
        ids.append(own.visitor(CLIENT, "").endpoint_id)
    assert ids[0] == ids[2] != ids[1] == ids[3]


def test_after_48_hours_a_salt_is_in_no_file_and_in_no_idle_process(tmp_path: Path) -> None:
    clock = Clock(MIDNIGHT)
    own = visitors(tmp_path, clock)
    first = own.visitor(CLIENT, "").endpoint_id
    for hours, there in ((24, True), (47.9, True), (48, False)):
        now = MIDNIGHT + dt.timedelta(hours=hours)
        clock.now = now.timestamp()
        salts.destroy_old(tmp_path, now)
        assert (tmp_path / "2026-11-24.salt").exists() is there
    own.forget()  # what a worker does each second
    assert own.visitor(CLIENT, "").endpoint_id != first
    # A salt made again for a past day is another one: the old ids stay out of reach.
    clock.now = MIDNIGHT.timestamp()
    assert own.visitor(CLIENT, "").endpoint_id != first


def test_an_idle_process_lets_go_of_addresses(tmp_path: Path) -> None:
    before = _caches()
    clock = Clock(MIDNIGHT)
    own = visitors(tmp_path, clock)
    own.visitor(CLIENT, "canary")
    own.forget()
    assert _caches() == before + 2, "the day is not over"
    clock.now += 24 * 3600
    own.forget()
    assert _caches() == before


def test_destruction_overwrites(tmp_path: Path) -> None:
    """Whoever holds the file open while it goes is left with zeros."""
    period = salts.period_at(MIDNIGHT, "day")
    secret = salts.obtain(tmp_path, period)
    with (tmp_path / "2026-11-24.salt").open("rb") as held:
        salts.destroy_old(tmp_path, period.destroyed_at)
        assert os.fstat(held.fileno()).st_nlink == 0
        assert held.read() == bytes(32) != secret


def _caches() -> int:
    """How many visitors the caches of this process hold, whoever holds the caches."""
    gc.collect()
    return sum(
        each.cache_info().currsize
        for each in gc.get_objects()
        if type(each).__name__ == "_lru_cache_wrapper"
        and each.__qualname__.startswith("_visitors_under.")
    )
