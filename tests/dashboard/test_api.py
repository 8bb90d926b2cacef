"""The API process as the Procfile starts it, asked over real HTTP."""

import gzip
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from dashboard.export_columns import SCARF
from dashboard.tokens import create
from pipeline.schema import EVENTS
from tests.dashboard.conftest import TODAY, event, write_lake
from tests.dashboard.large import repeat
from tests.programs import free_port, module, run, running

EVENTS_OF_ALL = "/v2/packages/acme/events"
EVER = "start_date=2020-01-01&end_date=2030-12-31"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    port: int
    tokens: Path
    log: Path
    program: subprocess.Popen[bytes]
    token: str = field(repr=False)

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, target, headers=sent)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            with response:
                return Answer(response.status, names, response.read())

    def open(self, target: str) -> socket.socket:
        """A connection on which an answer was asked for, and nothing of it read."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.port))
        head = f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        connection.sendall(head.encode())
        return connection

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.program.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def files_open(self) -> set[str]:
        folder = Path(f"/proc/{self.program.pid}/fd")
        names = set()
        for link in folder.iterdir():
            try:
                names.add(str(link.readlink()))
            except FileNotFoundError:
                continue  # closed since it was listed
        return {name for name in names if name.endswith(".parquet")}


@contextmanager
def served(lake: Path, home: Path, *more: str) -> Iterator[Api]:
    tokens, log, port = home / "tokens.toml", home / "api.log", free_port()
    token = create(tokens, "test", TODAY)
    command = module(
        "dashboard", "api", "--data", lake, "--port", str(port), "--tokens", tokens, *more
    )  # fmt: skip
    with running(command, host="127.0.0.1", port=port, log=log) as program:
        yield Api(port, tokens, log, program, token)


def eventually(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def api(busy_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with served(busy_lake, tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture(scope="module")
def large_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a million rows: more than any buffer on the way holds."""
    lake = write_lake(tmp_path_factory.mktemp("large"), [event(TODAY, artifact="x" * 200)])
    repeat(lake, TODAY, 500_000)
    return lake


def count(lake: Path) -> int:
    return pl.scan_parquet(lake / "events/*/data.parquet").select(pl.len()).collect().item()


class TestEvents:
    def test_csv_is_what_one_gets_unasked(self, api: Api, busy_lake: Path, tmp_path: Path) -> None:
        answer = api.ask(f"{EVENTS_OF_ALL}?{EVER}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == (
            'attachment; filename="events-2020-01-01-2030-12-31.csv"'
        )
        header = answer.body.partition(b"\n")[0].decode()
        assert header.split(",") == [column.name for column in SCARF]
        file = tmp_path / "events.csv"
        file.write_bytes(answer.body)
        ids = duckdb.sql(f"SELECT count(*), count(DISTINCT id) FROM '{file}'").fetchall()
        assert ids == [(count(busy_lake), count(busy_lake))]

    def test_every_format_has_the_same_rows(self, api: Api) -> None:
        def ask(accept: str) -> bytes:
            return api.ask(f"{EVENTS_OF_ALL}?{EVER}", Accept=accept).body

        by_csv = pl.read_csv(ask("text/csv"), infer_schema=False)
        by_line = pl.read_ndjson(io.BytesIO(ask("application/x-ndjson")))
        by_parquet = pl.read_parquet(io.BytesIO(ask("application/vnd.apache.parquet")))
        for name in ("id", "type", "package", "pixel", "version", "origin_country", "origin_id"):
            assert by_csv[name].to_list() == by_parquet[name].to_list() == by_line[name].to_list()

    def test_our_own_columns(self, api: Api) -> None:
        answer = api.ask(f"{EVENTS_OF_ALL}?{EVER}&columns=all")
        assert answer.body.partition(b"\n")[0].decode().split(",") == EVENTS.names()

    def test_one_package_by_id_or_name(self, api: Api, busy_lake: Path) -> None:
        expected = (
            pl.scan_parquet(busy_lake / "events/*/data.parquet")
            .filter(pl.col("package_id") == "tool")
            .select(pl.len())
            .collect()
            .item()
        )
        for name in ("tool", "acme/tool", "acme%2Ftool"):
            answer = api.ask(f"/v2/packages/acme/{name}/events?{EVER}")
            assert len(answer.body.splitlines()) - 1 == expected

    def test_gzip_for_who_asks(self, api: Api) -> None:
        plain = api.ask(f"{EVENTS_OF_ALL}?{EVER}")
        small = api.ask(f"{EVENTS_OF_ALL}?{EVER}", Accept_Encoding="br, gzip")
        assert "content-encoding" not in plain.headers
        assert small.headers["content-encoding"] == "gzip"
        assert gzip.decompress(small.body) == plain.body
        declined = api.ask(f"{EVENTS_OF_ALL}?{EVER}", Accept_Encoding="gzip;q=0")
        assert "content-encoding" not in declined.headers

    def test_no_events_are_a_header(self, api: Api) -> None:
        answer = api.ask(f"{EVENTS_OF_ALL}?start_date=1999-01-01&end_date=1999-12-31")
        assert (answer.status, len(answer.body.splitlines())) == (200, 1)


class TestPackages:
    def test_pages_lead_to_every_package(self, api: Api) -> None:
        target, seen = "/v2/packages/acme?per_page=3", []
        while target:
            page = api.ask(target).json
            assert len(page["results"]) <= 3
            seen += page["results"]
            target = page["_links"].get("next")
        assert [(row["id"], row["name"], row["type"], row["owner"]) for row in seen] == [
            ("cli", "acme-cli", "npm", "acme"),
            ("desktop", "acme-desktop", "file", "acme"),
            ("sdk", "acme-sdk", "python", "acme"),
            ("tool", "acme/tool", "docker", "acme"),
        ]
        assert seen[0]["updated_at"] == f"{TODAY}T00:00:00Z"
        assert seen[0]["created_at"] < seen[0]["updated_at"]

    def test_by_type(self, api: Api) -> None:
        page = api.ask("/v2/packages/acme?type=docker").json
        assert [row["id"] for row in page["results"]] == ["tool"]
        assert page["_links"] == {}


class TestRefusals:
    @pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic eDp5"])
    def test_401(self, api: Api, authorization: str) -> None:
        answer = api.ask(f"{EVENTS_OF_ALL}?{EVER}", Authorization=authorization)
        assert (answer.status, answer.json["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == 'Bearer realm="footfall"'
        assert "start_date" not in answer.json["message"]

    @pytest.mark.parametrize(
        ("method", "target", "status", "code"),
        [
            pytest.param("GET", EVENTS_OF_ALL, 400, "invalid-parameter", id="no days"),
            pytest.param("GET", "/", 404, "not-found", id="root"),
            pytest.param("GET", "/v2/nothing", 404, "not-found", id="unknown"),
            pytest.param("POST", EVENTS_OF_ALL, 405, "method-not-allowed", id="post"),
            pytest.param("BREW", EVENTS_OF_ALL, 405, "method-not-allowed", id="no method"),
            pytest.param("GET", f"/{'x' * 20_000}", 413, "bad-request", id="long"),
        ],
    )
    def test_others(self, api: Api, method: str, target: str, status: int, code: str) -> None:
        answer = api.ask(target, method)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
        assert answer.json["code"] == code
        assert answer.json["message"]

    def test_406(self, api: Api) -> None:
        answer = api.ask(f"{EVENTS_OF_ALL}?{EVER}", Accept="image/png")
        assert (answer.status, answer.json["code"]) == (406, "not-acceptable")

    def test_405_says_what_is_served(self, api: Api) -> None:
        assert api.ask(EVENTS_OF_ALL, "DELETE").headers["allow"] == "GET"
        assert api.ask("/healthz", "DELETE").headers["allow"] == "GET, HEAD"

    def test_head_of_what_has_a_length(self, api: Api) -> None:
        answer = api.ask("/healthz", "HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["content-length"] == str(len('{"status":"ok"}'))


def test_health_needs_no_token(api: Api) -> None:
    answer = api.ask("/healthz", Authorization="")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_tokens_change_while_it_runs(api: Api) -> None:
    target = f"{EVENTS_OF_ALL}?start_date=2026-03-31&end_date=2026-03-31"
    before = api.tokens.read_text()
    secret = run(module("dashboard", "token", "second", "--tokens", api.tokens)).strip()
    assert api.ask(target, Authorization=f"Bearer {secret}").status == 200
    api.tokens.write_text(before)
    assert api.ask(target, Authorization=f"Bearer {secret}").status == 401
    assert api.ask(target).status == 200


def test_a_client_that_leaves_ends_its_export(large_lake: Path, tmp_path: Path) -> None:
    with served(large_lake, tmp_path) as api:
        with api.open(f"{EVENTS_OF_ALL}?{EVER}") as client:
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
            assert api.files_open()
        assert eventually(lambda: not api.files_open())
        before = api.processor_seconds()
        time.sleep(0.5)
        assert api.processor_seconds() - before < 0.2
        assert api.ask("/healthz").status == 200
    assert "Traceback" not in api.log.read_text()


def test_it_writes_no_faster_than_its_client_reads(large_lake: Path, tmp_path: Path) -> None:
    with served(large_lake, tmp_path) as api, api.open(f"{EVENTS_OF_ALL}?{EVER}") as client:
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
        time.sleep(1)  # for what fits into the buffers on the way
        before = api.processor_seconds()
        time.sleep(1)
        assert api.processor_seconds() - before < 0.2
        # Others are answered meanwhile.
        assert api.ask("/healthz").status == 200


def test_it_answers_while_the_pipeline_swaps_files(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", [event(TODAY, version=str(n)) for n in range(3000)])
    file = lake / "events" / f"date={TODAY}" / "data.parquet"
    rows = pl.read_parquet(file)
    done = threading.Event()

    def swap() -> None:
        number = 0
        while not done.is_set():
            number += 1
            fresh = lake / f"{number}.parquet"
            rows.head(1000 * (1 + number % 3)).write_parquet(fresh)
            fresh.replace(file)

    with served(lake, tmp_path) as api:
        pipeline = threading.Thread(target=swap)
        pipeline.start()
        try:
            answers = [api.ask(f"{EVENTS_OF_ALL}?{EVER}") for _ in range(40)]
        finally:
            done.set()
            pipeline.join()
    assert {answer.status for answer in answers} == {200}
    assert {len(answer.body.splitlines()) for answer in answers} <= {1001, 2001, 3001}


class TestDamage:
    @pytest.fixture
    def lake(self, large_lake: Path, tmp_path: Path) -> Path:
        lake = tmp_path / "lake"
        good = lake / "events" / f"date={TODAY}"
        bad = lake / "events" / "date=2026-04-01"
        good.mkdir(parents=True)
        bad.mkdir()
        (good / "data.parquet").hardlink_to(
            large_lake / "events" / f"date={TODAY}" / "data.parquet"
        )
        (bad / "data.parquet").write_bytes(b"PAR1 no more")
        return lake

    def test_found_at_once_it_is_a_500(self, lake: Path, tmp_path: Path) -> None:
        with served(lake, tmp_path) as api:
            answer = api.ask(f"{EVENTS_OF_ALL}?start_date=2026-04-01&end_date=2026-04-02")
        assert (answer.status, answer.json["code"]) == (500, "internal-error")
        assert str(lake) not in answer.json["message"]
        assert str(lake / "events" / "date=2026-04-01") in api.log.read_text()

    def test_found_under_way_the_answer_breaks_off(self, lake: Path, tmp_path: Path) -> None:
        with served(lake, tmp_path) as api:
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                api.ask(f"{EVENTS_OF_ALL}?{EVER}", Accept_Encoding="gzip")
            assert api.ask("/healthz").status == 200
        assert str(lake / "events" / "date=2026-04-01") in api.log.read_text()


def test_without_tokens_it_starts_says_so_and_refuses(tmp_path: Path) -> None:
    log, port, tokens = tmp_path / "api.log", free_port(), tmp_path / "none.toml"
    lake = tmp_path / "no-lake-yet"
    command = module("dashboard", "api", "--data", lake, "--port", str(port), "--tokens", tokens)
    with running(command, host="127.0.0.1", port=port, log=log) as program:
        api = Api(port, tokens, log, program, "footfall_x")
        assert api.ask(f"{EVENTS_OF_ALL}?{EVER}").status == 401
        api.token = create(tokens, "first", TODAY)
        answer = api.ask(f"{EVENTS_OF_ALL}?{EVER}")
        assert (answer.status, len(answer.body.splitlines())) == (200, 1)
        assert api.ask("/v2/packages/acme").json == {"results": [], "_links": {}}
    assert f"python -m dashboard token NAME --tokens {tokens}" in log.read_text()


def test_an_address_that_is_taken_stops_the_start(api: Api, tmp_path: Path) -> None:
    command = module("dashboard", "api", "--data", tmp_path, "--port", str(api.port))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"--port {api.port}: Address already in use" in done.stderr


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_an_export_finish(large_lake: Path, tmp_path: Path, stop: int) -> None:
    answers: list[Answer] = []
    with served(large_lake, tmp_path) as api:
        target = f"{EVENTS_OF_ALL}?{EVER}"
        client = threading.Thread(target=lambda: answers.append(api.ask(target)))
        client.start()
        assert eventually(lambda: bool(api.files_open()))
        api.program.send_signal(stop)
        client.join()
        assert api.program.wait(timeout=15) == 0
    assert len(answers[0].body.splitlines()) == 500_001


def test_the_log_holds_no_address_and_no_token(tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", [event(TODAY)])
    with served(lake, tmp_path) as api:
        address = {"X_Forwarded_For": "203.0.113.77", "Forwarded": "for=203.0.113.78"}
        for target in (f"{EVENTS_OF_ALL}?{EVER}", EVENTS_OF_ALL, "/none"):
            api.ask(target, **address)
            api.ask(target, Authorization="Bearer secret-of-someone", **address)
        with socket.create_connection(("127.0.0.1", api.port)) as rude:
            rude.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            rude.recv(4096)
    log = api.log.read_text()
    assert "API on http://127.0.0.1" in log
    requests = log.partition("Worker ready")[2]
    for part in ("203.0.113", "127.0.0.1", "secret-of-someone", api.token):
        assert part not in requests
