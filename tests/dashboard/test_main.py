"""The commands, as an operator types them."""

import datetime as dt
import os
import pty
import subprocess
import termios
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner, Result

from dashboard.__main__ import main
from dashboard.tokens import TokenFile
from pipeline.schema import EVENTS
from tests.dashboard.conftest import event, write_lake
from tests.dashboard.large import repeat
from tests.programs import ROOT, module, run

DAY = dt.date(2026, 3, 1)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return write_lake(
        tmp_path / "lake",
        [
            event(DAY, package_id="a", version="1.0"),
            event(DAY, package_id="b", version="2.0", counted=False, traffic="bot"),
            event(DAY + dt.timedelta(days=1), package_id="a", version="3.0", traffic="ci"),
        ],
    )


def invoke(*arguments: str | Path, **env: str) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=env)


class TestExport:
    def versions(self, lake: Path, *arguments: str | Path) -> list[str]:
        target = lake.parent / "out.parquet"
        done = invoke(
            "export", "--data", lake, "--format", "parquet", "-o", target,
            "--from", "2026-03-01", "--to", "2026-03-02", *arguments,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        return sorted(pl.read_parquet(target)["version"])

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            pytest.param([], ["1.0", "2.0", "3.0"], id="both days, whole"),
            pytest.param(["--to", "2026-03-01"], ["1.0", "2.0"], id="one day"),
            pytest.param(["--package", "a"], ["1.0", "3.0"], id="package"),
            pytest.param(
                ["--package", "a", "--package", "b"], ["1.0", "2.0", "3.0"], id="packages"
            ),
            pytest.param(["--counted"], ["1.0", "3.0"], id="counted"),
            pytest.param(["--traffic", "bot", "--traffic", "ci"], ["2.0", "3.0"], id="traffic"),
            pytest.param(["--columns", "scarf"], ["1.0", "2.0", "3.0"], id="scarf's columns"),
        ],
    )
    def test_narrows(self, lake: Path, arguments: list[str], expected: list[str]) -> None:
        assert self.versions(lake, *arguments) == expected

    def test_the_real_command_writes_to_standard_output(self, lake: Path) -> None:
        command = module(
            "dashboard", "export", "--data", lake, "--from", "2026-03-01", "--to", "2026-03-02",
            "-o", "-",
        )  # fmt: skip
        header, *rows = run(command).splitlines()
        assert header.split(",") == EVENTS.names()
        assert len(rows) == 3

    def test_the_environment_speaks_where_no_flag_does(self, lake: Path) -> None:
        target = lake.parent / "out.ndjson"
        env = {
            "FOOTFALL_DATA": str(lake),
            "FOOTFALL_FORMAT": "ndjson",
            "FOOTFALL_FROM": "2026-03-01",
            "FOOTFALL_TO": "2026-03-02",
        }
        assert invoke("export", "--to", "2026-03-01", "-o", target, **env).exit_code == 0
        assert duckdb.sql(f"SELECT count(*) FROM '{target}'").fetchall() == [(2,)]

    def test_progress_shows_on_a_terminal_only(self, lake: Path) -> None:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        command = module(
            "dashboard", "export", "--data", lake, "--from", "2026-03-01", "--to", "2026-03-02",
            "-o", lake.parent / "out.csv",
        )  # fmt: skip
        subprocess.run(command, stderr=theirs, cwd=ROOT, check=True, timeout=60)
        assert b"2/2" in os.read(ours, 65_536)
        os.close(ours)
        os.close(theirs)
        quiet = subprocess.run(command, capture_output=True, cwd=ROOT, check=True, timeout=60)
        assert quiet.stderr == b""

    def test_a_reader_that_has_seen_enough_is_no_error(self, lake: Path) -> None:
        repeat(lake, DAY, 100_000)
        command = module(
            "dashboard", "export", "--data", lake, "--from", "2026-03-01", "--to", "2026-03-02",
            "-o", "-",
        )  # fmt: skip
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        ) as program:
            assert program.stdout is not None
            assert program.stderr is not None
            program.stdout.readline()
            program.stdout.close()
            assert program.stderr.read() == b""
            program.wait(timeout=60)


DAYS = ["--from", "2026-03-01", "--to", "2026-03-02"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["export", "--from", "1.3.2026", "--to", "2026-03-02", "-o", "-"],
            ["--from", "'1.3.2026'", "YYYY-MM-DD"],
            id="day in another spelling",
        ),
        pytest.param(
            ["export", "--from", "2026-02-30", "--to", "2026-03-02", "-o", "-"],
            ["--from", "'2026-02-30'", "no such day"],
            id="day that never was",
        ),
        pytest.param(
            ["export", "--from", "2026-03-02", "--to", "2026-03-01", "-o", "-"],
            ["--to 2026-03-01", "--from 2026-03-02"],
            id="days in the wrong order",
        ),
        pytest.param(
            ["export", *DAYS, "--format", "xml", "-o", "-"],
            ["--format", "xml", "csv", "ndjson", "parquet"],
            id="format",
        ),
        pytest.param(
            ["export", *DAYS, "--traffic", "human", "-o", "-"],
            ["--traffic", "human", "person"],
            id="traffic",
        ),
        pytest.param(
            ["export", *DAYS, "--columns", "few", "-o", "-"],
            ["--columns", "few", "scarf"],
            id="columns",
        ),
        pytest.param(
            ["export", *DAYS, "--data", "no/such/lake", "-o", "-"],
            ["--data", "no/such/lake", "does not exist"],
            id="no lake",
        ),
        pytest.param(
            ["export", *DAYS, "-o", "no/such/folder/x.csv"],
            ["-o no/such/folder/x.csv", "No such file or directory"],
            id="no folder to write to",
        ),
        pytest.param(["api", "--port", "0"], ["--port", "0", "1<=x<=65535"], id="port"),
        pytest.param(["api", "--port", "http"], ["--port", "'http'", "integer"], id="port's name"),
        pytest.param(["api", "--host", "nowhere.invalid"], ["--host nowhere.invalid"], id="host"),
        pytest.param(["serve", "--port", "70000"], ["--port", "70000"], id="dashboard's port"),
        pytest.param(["serve", "--prot", "1"], ["--prot", "--port"], id="misspelt"),
        pytest.param(["token", "a b"], ["'a b'", "letters"], id="token's name"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(
    lake: Path, tmp_path: Path, arguments: list[str], says: list[str]
) -> None:
    tokens = str(tmp_path / "tokens.toml")
    done = invoke(*arguments, FOOTFALL_DATA=str(lake), FOOTFALL_TOKENS=tokens)
    assert done.exit_code != 0
    for part in says:
        assert part in done.stderr


def test_a_bad_value_of_the_environment_names_its_variable() -> None:
    done = invoke("api", FOOTFALL_PORT="http")
    assert done.exit_code != 0
    assert "FOOTFALL_PORT" in done.stderr
    assert "'http'" in done.stderr


def test_a_damaged_day_ends_an_export_with_its_name_and_no_file(lake: Path) -> None:
    damaged = lake / "events" / f"date={DAY}" / "data.parquet"
    damaged.write_bytes(b"no parquet")
    target = lake.parent / "out.csv"
    done = invoke("export", "--data", lake, *DAYS, "-o", target)
    assert done.exit_code == 1
    assert str(damaged) in done.stderr
    assert "rebuild" in done.stderr
    assert not target.exists()


def test_a_broken_tokens_file_stops_the_api_with_its_place(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text("oops")
    done = invoke("api", "--tokens", tokens, "--port", "1")
    assert done.exit_code == 1
    assert str(tokens) in done.stderr


def test_a_token_is_printed_once_and_known(tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    done = invoke("token", "ci", "--tokens", file)
    assert done.exit_code == 0
    assert TokenFile(file).owner(done.output.strip()) == "ci"
    again = invoke("token", "ci", "--tokens", file)
    assert again.exit_code == 1
    assert "'ci' exists" in again.stderr


@pytest.mark.parametrize("command", ["serve", "api", "export", "token"])
def test_help_names_the_environment(command: str) -> None:
    done = invoke(command, "--help")
    assert done.exit_code == 0
    assert "FOOTFALL_" in done.output
