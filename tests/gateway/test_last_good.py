"""The last good routes outlive the process that took them, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.last_good import LastGood
from gateway.live import LiveRoutes
from gateway.problems import RoutesError

GOOD = '[[route]]\ntype = "catch-all"\ndomain = "get.acme.example"\n'


@given(st.lists(st.binary(), min_size=1))
def test_what_was_kept_last_is_read(contents: list[bytes]) -> None:
    last_good = LastGood.create(contents[0])
    try:
        for content in contents[1:]:
            last_good.keep(content)
        assert last_good.read() == contents[-1]
    finally:
        os.close(last_good.fd)


def test_half_a_content_is_none() -> None:
    last_good = LastGood.create(GOOD.encode())
    os.ftruncate(last_good.fd, 40)
    assert last_good.read() is None
    os.close(last_good.fd)


def test_a_child_reads_and_keeps_what_others_do() -> None:
    last_good = LastGood.create(b"one")
    child = (
        "import sys; from gateway.last_good import LastGood\n"
        "it = LastGood(int(sys.argv[1])); assert it.read() == b'one'; it.keep(b'two')"
    )
    subprocess.run(
        [sys.executable, "-c", child, str(last_good.fd)], check=True, pass_fds=(last_good.fd,)
    )
    assert last_good.read() == b"two"
    os.close(last_good.fd)


@pytest.mark.parametrize("text", ["[[route]]", ""], ids=["broken", "empty"])
def test_who_comes_back_to_a_bad_file_serves_the_last_good_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(text)
    last_good = LastGood.create(GOOD.encode())
    live = LiveRoutes(file, last_good)
    assert live.table.serves("get.acme.example")
    assert live.refused
    assert last_good.read() == GOOD.encode()
    file.write_text(GOOD.replace("get.", "two."))
    os.utime(file, (1, 1))
    live.refresh()
    assert live.table.serves("two.acme.example")
    assert not live.refused
    assert last_good.read() == file.read_bytes()
    os.close(last_good.fd)


def test_a_bad_file_with_nothing_before_it_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("[[route]]")
    with pytest.raises(RoutesError, match="type: is missing"):
        LiveRoutes(file)
