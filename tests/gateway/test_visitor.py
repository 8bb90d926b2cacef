"""Visitors: ids that agree within a period, differ between periods, and name nobody."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ipdata import NOWHERE, IpData
from gateway.visitor import Visitors

DAY = 86_400.0
NO_DATA = IpData([], [])


class Clock:
    def __init__(self) -> None:
        self.now = 20_000 * DAY + 60

    def __call__(self) -> float:
        return self.now


def test_ids_are_keyed_hashes_under_the_salt_of_the_day(tmp_path: Path) -> None:
    visitor = Visitors(NO_DATA, tmp_path, clock=Clock()).visitor("198.51.100.7", "curl/8")
    (file,) = tmp_path.iterdir()
    salt, packed = file.read_bytes(), bytes((198, 51, 100, 7))
    origin = hashlib.blake2b(
        b"\x04" + packed + b"curl/8", digest_size=8, key=salt, person=b"origin"
    )
    endpoint = hashlib.blake2b(packed, digest_size=8, key=salt, person=b"endpoint")
    assert visitor.origin_id == int.from_bytes(origin.digest(), "little")
    assert visitor.endpoint_id == int.from_bytes(endpoint.digest(), "little")


def test_the_same_address_in_any_spelling_is_the_same_visitor(tmp_path: Path) -> None:
    visitors = Visitors(NO_DATA, tmp_path)
    plain = visitors.visitor("198.51.100.7", "a")
    assert visitors.visitor("::ffff:198.51.100.7", "a") == plain
    assert visitors.visitor("198.51.100.7:4711", "a") == plain
    assert plain.address == "198.51.100.7"


def test_another_agent_is_another_origin_at_the_same_endpoint(tmp_path: Path) -> None:
    visitors = Visitors(NO_DATA, tmp_path)
    one, other = visitors.visitor("198.51.100.7", "a"), visitors.visitor("198.51.100.7", "b")
    assert one.origin_id != other.origin_id
    assert one.endpoint_id == other.endpoint_id


def test_processes_agree_and_midnight_changes_every_id(tmp_path: Path) -> None:
    clock = Clock()
    one, other = (Visitors(NO_DATA, tmp_path, clock=clock) for _ in range(2))
    before = one.visitor("198.51.100.7", "a")
    assert other.visitor("198.51.100.7", "a") == before
    clock.now += DAY
    after = one.visitor("198.51.100.7", "a")
    assert after.origin_id != before.origin_id
    assert after.endpoint_id != before.endpoint_id
    assert other.visitor("198.51.100.7", "a") == after
    clock.now -= DAY  # a clock that jumps back finds yesterday's salt where it was
    assert one.visitor("198.51.100.7", "a") == before
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_salt_folder_ids_hold_within_the_process(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    clock = Clock()
    visitors = Visitors(NO_DATA, blocked, clock=clock)
    before = visitors.visitor("198.51.100.7", "a")
    clock.now += 60
    assert visitors.visitor("198.51.100.7", "a") == before
    blocked.unlink()  # and once there can be one, it is used
    clock.now += 60
    assert visitors.visitor("198.51.100.7", "a") != before
    assert len(list(blocked.iterdir())) == 1


@pytest.mark.parametrize("address", ["", "unknown", "1.2.3"])
def test_no_address_is_a_visitor_from_nowhere(tmp_path: Path, address: str) -> None:
    visitor = Visitors(NO_DATA, tmp_path).visitor(address, "a")
    assert visitor.place == NOWHERE
    assert visitor.address == ""


@given(st.text(max_size=50), st.text(max_size=50))
def test_total_for_any_text(
    tmp_path_factory: pytest.TempPathFactory, address: str, agent: str
) -> None:
    visitor = Visitors(NO_DATA, tmp_path_factory.getbasetemp() / "any").visitor(address, agent)
    assert 0 <= visitor.origin_id < 2**64
