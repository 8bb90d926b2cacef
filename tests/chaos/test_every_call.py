"""Some of the kills at every change of the disk, and proof that one that does harm is found."""

import sys

import pytest

from tests.chaos import tracer
from tests.programs import module, run

pytestmark = pytest.mark.skipif(not tracer.IS_POSSIBLE, reason="kills by Linux's means on x86-64")

# A program each: only one that has no thread may fork.
_UNSAFE = """
import sys
from pathlib import Path
from tests.chaos.tracer import run_until

home = Path(sys.argv[1])
file = home / "file"

def act():
    (home / "draft").write_text("new")
    file.unlink()
    (home / "draft").rename(file)

for number in range(1, 9):
    file.write_text("old")
    call = run_until(home, number, act)
    print(call.call if call else None, file.read_text() if file.exists() else "gone")
"""


def test_kills_at_some_changes_of_the_disk_do_no_harm() -> None:
    told = run(module("tests.chaos", "--every-call", "--step", "41"))
    assert " 0 with faults" in told
    assert "journal" in told


def test_a_kill_falls_before_each_change_in_turn(tmp_path: object) -> None:
    told = run([sys.executable, "-c", _UNSAFE, str(tmp_path)]).splitlines()
    assert told[:5] == ["openat old", "write old", "unlink old", "rename gone", "None new"]
