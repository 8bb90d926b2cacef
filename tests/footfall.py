"""A whole Footfall on a lake of its own: a real gateway, the real pipeline, and its tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests.programs import free_port, module, run, running


@dataclass(frozen=True)
class Footfall:
    """A running gateway and the lake that it writes to."""

    host: str
    port: int
    admin_port: int
    home: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def log(self) -> Path:
        return self.home / "gateway.log"


@contextmanager
def gateway(
    home: Path, routes: str, *extra: str, host: str = "127.0.0.1", routes_name: str = "routes.toml"
) -> Iterator[Footfall]:
    """Serve routes (the text of a routes file) as the Procfile does, until the block ends."""
    routes_file = home / routes_name
    routes_file.write_text(routes)
    footfall = Footfall(host, free_port(host), free_port(host), home)
    command = module(
        "gateway", "serve",
        "--routes", routes_file,
        "--data", footfall.lake,
        "--salts", home / "salts",
        "--cache", home / "cache",
        "--host", host,
        "--port", str(footfall.port),
        "--admin-port", str(footfall.admin_port),
        *extra,
    )  # fmt: skip
    with running(command, host=host, port=footfall.port, log=footfall.log):
        yield footfall


def curate(lake: Path) -> None:
    """Let the pipeline make one pass."""
    run(module("pipeline", "run", "--data", lake))


def rows(lake: Path, sql: str, table: str = "events") -> list[dict[str, Any]]:
    """Query a table as any user of the files would; the SQL reads FROM lake."""
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE VIEW lake AS SELECT * FROM read_parquet('{lake}/{table}/*/data.parquet')"
        )
        answer = connection.execute(sql)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
