"""Whatever breaks, the redirect is answered; what is lost is counted; and all comes back alone."""

import http.client
import json
import os
import resource
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dashboard import gateway_status
from tests.failure.small_disk import small_disk
from tests.gateway.running import HERE, ROUTES, Running, gateway, wait_for
from tests.programs import ROOT, free_port, module, run, running

DOMAIN = "get.acme.example"


def redirects(served: Running, tag: str, count: int = 20) -> None:
    for number in range(count):
        assert served.ask(f"/tool/{tag}.{number}/x")[0] == 307


def lost(served: Running, fate: str) -> int:
    lines = served.admin("/metrics")[1].splitlines()
    start = f'footfall_events_total{{fate="{fate}"}} '
    return next(int(line.removeprefix(start)) for line in lines if line.startswith(start))


def check(served: Running, name: str) -> tuple[bool, str]:
    found = json.loads(served.admin("/readyz")[1])["checks"][name]
    return found["ok"], found["detail"]


def told_to_the_dashboard(served: Running) -> list[str]:
    return [line for status in gateway_status.read(served.lake) for line in status.trouble]


def is_recorded(served: Running, version: str) -> bool:
    files = list(served.lake.glob("raw/*/*.parquet"))
    return bool(files) and version in served.raw()["version"].to_list()


def comes_back(served: Running, version: str) -> None:
    """What is asked for from now on is in the lake soon, with nobody's help."""
    assert served.ask(f"/tool/{version}/x")[0] == 307
    wait_for(lambda: is_recorded(served, version))
    wait_for(lambda: check(served, "journal")[0] and check(served, "shipping")[0])


def test_a_disk_without_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "lake", "size=256k") as disk, gateway(tmp_path) as served:
        # The keeper tells what was lost since it began, so it must be there.
        assert check(served, "events")[0]
        disk.fill()
        redirects(served, "1")
        assert lost(served, "no-space") > 0
        assert "no-space" in check(served, "events")[1]
        (disk.path / "ballast").unlink()
        comes_back(served, "2.0")
        # The dashboard is told as soon as there is room to tell it, and long after.
        wait_for(lambda: any("no-space" in line for line in told_to_the_dashboard(served)))


def test_a_disk_without_inodes(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "lake", "size=4m,nr_inodes=60") as disk,
        gateway(tmp_path, "--flush-seconds", "0.2") as served,
    ):
        redirects(served, "0", 1)
        wait_for(lambda: is_recorded(served, "0.0"))
        disk.fill_with_files()
        redirects(served, "1")
        assert lost(served, "no-space") > 0
        assert not check(served, "journal")[0]
        shutil.rmtree(disk.path / "files")
        comes_back(served, "2.0")


def test_a_lake_that_turns_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "lake", "size=4m") as disk, gateway(tmp_path) as served:
        redirects(served, "0", 1)
        wait_for(lambda: disk.remount("ro"))
        redirects(served, "1")
        assert lost(served, "read-only") == 20
        assert not check(served, "journal")[0]
        assert served.log.count("events are lost") == 1
        assert disk.remount("rw")
        comes_back(served, "2.0")


def test_a_lake_deleted_under_way(tmp_path: Path) -> None:
    with gateway(tmp_path, "--flush-seconds", "0.3") as served:
        redirects(served, "0")
        shutil.rmtree(served.lake, ignore_errors=True)
        redirects(served, "1")
        time.sleep(0.5)
        shutil.rmtree(served.lake, ignore_errors=True)
        redirects(served, "2")
        comes_back(served, "3.0")
        # They were in a file without a name, which gets one again.
        assert all(is_recorded(served, f"2.{number}") for number in range(20))


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_no_file_descriptors_left(tmp_path: Path) -> None:
    with gateway(tmp_path, "--flush-seconds", "0.3") as served, ExitStack() as held:
        (worker,) = served.children("worker")
        kept = http.client.HTTPConnection(HERE, served.port, timeout=10)
        kept.request("GET", "/tool/0.0/x", headers={"Host": DOMAIN})
        assert kept.getresponse().read() == b""
        wait_for(lambda: not list(served.lake.glob("journal/*.open")))
        used = open_files(worker)
        before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 5, before[1]))
        for _ in range(20):
            held.enter_context(socket.create_connection((HERE, served.port), timeout=10))
        wait_for(lambda: open_files(worker) >= used + 5)
        for number in range(20):
            kept.request("GET", f"/tool/1.{number}/x", headers={"Host": DOMAIN})
            answer = kept.getresponse()
            answer.read()
            assert answer.status == 307
        kept.close()
        assert lost(served, "descriptors") == 20
        held.close()
        comes_back(served, "2.0")
        assert served.children("worker") == [worker]


def cut(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[: source.stat().st_size // 2])


def test_ip_data_that_is_not_there(tmp_path: Path) -> None:
    with gateway(tmp_path, "--ip-data", str(tmp_path / "none")) as served:
        redirects(served, "1")
        assert check(served, "ip_data")[0]
        wait_for(lambda: is_recorded(served, "1.19"))


def test_ip_data_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "ip"
    (folder / "folder.mmdb").mkdir(parents=True)
    (folder / "empty.mmdb").touch()
    (folder / "nonsense.mmdb").write_bytes(os.urandom(5000))
    cut(ROOT / "data/ip/footfall.mmdb", folder / "cut.mmdb")
    with gateway(tmp_path, "--ip-data", str(folder)) as served:
        redirects(served, "1")
        ok, detail = check(served, "ip_data")
        assert not ok
        assert all(path.name in detail for path in folder.iterdir())
        wait_for(lambda: is_recorded(served, "1.19"))


@contextmanager
def black_hole() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with socket.create_server((HERE, 0)) as server:
        yield server.getsockname()[1]


def test_an_upstream_that_says_nothing(tmp_path: Path) -> None:
    with black_hole() as port:
        routes = (
            ROUTES
            + f"""
[[route]]
type = "python"
domain = "py.acme.example"
package = "idna"
index = "http://{HERE}:{port}/simple/"
"""
        )
        with (
            gateway(tmp_path, "--read-seconds", "2", routes=routes) as served,
            ThreadPoolExecutor(8) as pool,
        ):
            waiting = [pool.submit(served.ask, "/simple/idna/", host="py.acme.example")
                       for _ in range(8)]  # fmt: skip
            redirects(served, "1", 50)
            assert {task.result()[0] for task in waiting} == {504}
            metrics = served.admin("/metrics")[1]
            assert 'footfall_upstream_requests_total{outcome="timed-out"} 0' not in metrics
            wait_for(lambda: is_recorded(served, "1.49"))


def test_a_keeper_and_a_pipeline_that_hang(tmp_path: Path) -> None:
    with gateway(tmp_path, "--flush-seconds", "0.2") as served:
        (keeper,) = served.children("keeper")
        pipeline = module("pipeline", "watch", "--data", served.lake, "--interval", "0.1")
        with running(
            pipeline, host=HERE, port=served.port, log=tmp_path / "pipeline.log", clean_exit=False
        ) as watching:
            try:
                os.kill(keeper, signal.SIGSTOP)
                watching.send_signal(signal.SIGSTOP)
                redirects(served, "1")
                wait_for(lambda: list(served.lake.glob("journal/*.sealed")))
                redirects(served, "2")
                assert not list(served.lake.glob("raw/*/*.parquet"))
            finally:
                os.kill(keeper, signal.SIGCONT)
                watching.send_signal(signal.SIGCONT)
            wait_for(lambda: list(served.lake.glob("events/*/*.parquet")))
        comes_back(served, "3.0")  # and without any pipeline


def health(port: int) -> int:
    """The status with which a dashboard answers; 0: it does not."""
    connection = http.client.HTTPConnection(HERE, port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_a_dashboard_that_hangs_and_one_that_dies(tmp_path: Path) -> None:
    with gateway(tmp_path, "--flush-seconds", "0.2") as served, ExitStack() as dashboards:
        redirects(served, "0", 1)
        port, log = free_port(HERE), tmp_path / "dashboard.log"
        command = module("dashboard", "serve", "--data", served.lake, "--port", str(port))
        dashboard = dashboards.enter_context(
            running(command, host=HERE, port=port, log=log, clean_exit=False)
        )
        wait_for(lambda: health(port) == 200)
        os.kill(dashboard.pid, signal.SIGSTOP)
        try:
            assert health(port) == 0
            redirects(served, "1")
            wait_for(lambda: is_recorded(served, "1.19"))
            # It holds no lock: a pass is made, also while it hangs.
            run(module("pipeline", "run", "--data", served.lake, "--lock-wait", "0"))
            assert list(served.lake.glob("events/*/data.parquet"))
        finally:
            os.kill(dashboard.pid, signal.SIGCONT)
        wait_for(lambda: health(port) == 200)
        dashboard.kill()
        dashboard.wait()
        redirects(served, "2")
        wait_for(lambda: is_recorded(served, "2.19"))
        run(module("pipeline", "run", "--data", served.lake, "--lock-wait", "0"))
