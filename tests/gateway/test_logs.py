"""What the gateway's log looks like, for people and for programs."""

import datetime as dt
import json
import logging
import subprocess
import sys

import pytest

from gateway.logs import Seldom
from tests.programs import ROOT

PROGRAM = """
import logging, sys
from gateway import logs
logs.configure("worker 1", sys.argv[1])
log = logging.getLogger("gateway.watch")
log.info("%s leads to %s", "https://files.acme.example/latest", "1.2")
log.warning("two\\nlines")
logging.getLogger("asyncio").error("what others say of 203.0.113.7")
raise ValueError("203.0.113.7")
"""


def logged(style: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, style]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    return ended.stderr.splitlines()


def test_lines_for_people() -> None:
    lines = logged("text")
    assert lines[0] == ("gateway worker 1: INFO https://files.acme.example/latest leads to 1.2")
    assert lines[-1] == "gateway worker 1: CRITICAL ends by ValueError at <string>:9"


def test_objects_for_programs() -> None:
    before = dt.datetime.now(dt.UTC)
    first, second, last = map(json.loads, logged("json"))
    assert before <= dt.datetime.fromisoformat(first.pop("time")) <= dt.datetime.now(dt.UTC)
    assert first == {
        "level": "info",
        "process": "worker 1",
        "module": "gateway.watch",
        "template": "%s leads to %s",
        "message": "https://files.acme.example/latest leads to 1.2",
    }
    assert second["message"] == "two\nlines"  # one line in the log all the same
    assert last["level"] == "critical"
    assert "203.0.113.7" not in json.dumps(last)


def test_trouble_that_goes_on_is_told_now_and_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seldom = Seldom(logging.getLogger("seldom"))
    for _ in range(3):
        seldom.warn("disk", "no room for %d events", 5)
    assert caplog.messages == ["no room for 5 events"]
    monkeypatch.setattr("gateway.logs.SELDOM_SECONDS", 0.0)
    seldom.warn("disk", "no room for %d events", 7)
    assert caplog.messages[1:] == ["no room for 7 events (2 more since the last time)"]
    assert len({record.msg for record in caplog.records}) == 1
