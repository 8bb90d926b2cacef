"""What gateways say of themselves is shown while it is news, and only then."""

import json
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import gateway_status
from dashboard.gateway_status import GatewayStatus
from gateway.config import GatewayConfig
from gateway.status import AGAIN_SECONDS, Status, StatusFile, reasons
from tests.dashboard.conftest import busy_rows, write_lake
from tests.dashboard.test_app import open_app


def gateway(lake: Path, routes: str = "routes.toml") -> StatusFile:
    return StatusFile(GatewayConfig(routes=lake / routes, data=lake))


def test_what_a_gateway_writes_is_read(tmp_path: Path) -> None:
    gateway(tmp_path).tell(
        Status(routes="routes.toml", refused=("a: b",), down=("c",), trouble=("d",))
    )
    gateway(tmp_path, "other.toml").tell(Status(routes="other.toml"))
    assert sorted(gateway_status.read(tmp_path), key=lambda told: told.routes) == [
        GatewayStatus("other.toml", (), ()),
        GatewayStatus("routes.toml", ("a: b",), ("c",), ("d",)),
    ]


def test_it_is_believed_for_a_minute(tmp_path: Path) -> None:
    gateway(tmp_path).tell(Status(routes="routes.toml"))
    now = time.time()
    assert gateway_status.read(tmp_path, now + 50)
    assert not gateway_status.read(tmp_path, now + 61)
    assert AGAIN_SECONDS * 3 < gateway_status.BELIEVED_SECONDS


def test_it_is_written_only_when_it_is_news_or_old(tmp_path: Path) -> None:
    now = 1000.0
    file = StatusFile(GatewayConfig(routes=tmp_path / "r", data=tmp_path), clock=lambda: now)
    file.tell(Status(routes="r"))
    file.path.unlink()
    now += AGAIN_SECONDS / 2
    file.tell(Status(routes="r"))
    assert not file.path.exists()
    now += AGAIN_SECONDS
    file.tell(Status(routes="r"))
    assert json.loads(file.path.read_bytes())["at"] == now
    file.remove()
    assert list((tmp_path / "status").iterdir()) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"at": "now"}'])
def test_a_file_that_nobody_can_read_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "status").mkdir()
    (tmp_path / "status/gateway-x.json").write_text(text)
    (told,) = gateway_status.read(tmp_path)
    assert "cannot be read" in told.refused[0]


def test_reasons_carry_no_address_and_no_e_mail() -> None:
    told = reasons("route 1: 192.0.2.7 is no host\nroute 2: me@acme.example\n" + "x\n" * 30)
    assert "192.0.2.7" not in str(told)
    assert "me@" not in str(told)
    assert told[-1] == "and 12 more"


def warnings(app: AppTest) -> str:
    return "\n".join(f"{each.value}" for each in app.warning)


def test_the_dashboard_shows_a_banner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lake = write_lake(tmp_path / "lake", busy_rows())
    refused = ("routes.toml:3: route 1: outgoing-ulr: is no key here",)
    file = gateway(lake)
    file.tell(
        Status(
            routes="routes.toml",
            refused=refused,
            down=("https://a.example/up x",),
            trouble=("20 events are lost since the start: no-space",),
        )
    )
    app = open_app(monkeypatch, lake)
    assert refused[0] in warnings(app)
    assert "https://a.example/up" in warnings(app)
    assert "no-space" in warnings(app)
    file.tell(Status(routes="routes.toml"))
    assert not open_app(monkeypatch, lake).warning
