"""The journal and its way into the lake: nothing lost, nothing doubled, damage set aside."""

import datetime as dt
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import segments, shipper
from gateway.events import SCHEMA, VERSION, RawEvent
from gateway.journal import Journal, NotWritten, encode

NOON = 1_790_000_000_000_000  # 2026-09-21 13:33:20 UTC
DAY = 86_400_000_000


def event(number: int, **changes: Any) -> RawEvent:
    plain = RawEvent(
        v=VERSION,
        event_id=f"id-{number:06}",
        event_time=NOON,
        event_type="download",
        route_type="file",
        package_id="tool",
        package="tool",
        host="get.acme.example",
        artifact="tool.tgz",
        version="1.0",
        method="GET",
        status=307,
        user_agent="curl/8",
        variables='{"a":"b"}',
        country="DE",
        latitude=52.5,
        longitude=13.4,
        asn=64500,
        origin_id=2**64 - 1,
        endpoint_id=0,
    )
    return msgspec.structs.replace(plain, **changes)


def ship(lake: Path) -> shipper.Shipment:
    return shipper.ship(lake / "journal", shipper.into_folder(lake))


def raw(lake: Path) -> pl.DataFrame:
    files = sorted(lake.glob("raw/*/*.parquet"))
    frames = [pl.read_parquet(path, hive_partitioning=False) for path in files]
    return pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)


def ids(lake: Path) -> list[str]:
    return sorted(raw(lake)["event_id"])


def fill(lake: Path, numbers: range, **changes: Any) -> Journal:
    journal = Journal(lake / "journal", seal_after=3600)
    for number in numbers:
        journal.append(event(number, **changes))
        journal.flush()
    return journal


def test_what_is_journaled_is_shipped_with_exactly_the_contracts_columns(tmp_path: Path) -> None:
    fill(tmp_path, range(3)).close()
    assert ship(tmp_path) == shipper.Shipment(segments=1, events=3)

    table = raw(tmp_path)
    assert table.schema == SCHEMA
    first = table.sort("event_id").row(0, named=True)
    assert first["event_time"] == dt.datetime(2026, 9, 21, 14, 13, 20, tzinfo=dt.UTC)
    assert first["origin_id"] == 2**64 - 1
    assert first["latitude"] == 52.5
    assert list((tmp_path / "journal").iterdir()) == []


def test_what_is_not_known_is_left_out_and_a_null_says_the_same(tmp_path: Path) -> None:
    assert b"null" not in encode(event(1))
    journal = Journal(tmp_path / "journal", 1)
    sent = event(1, reference="tag", asn=None)
    spelled = msgspec.json.encode({**msgspec.structs.asdict(sent), "event_id": "id-000002"})
    assert spelled.count(b"null") == 9
    journal.append(sent)
    journal.append_json(spelled)
    journal.flush()
    journal.close()
    ship(tmp_path)
    without, with_nulls = raw(tmp_path).sort("event_id").drop("event_id").rows()
    assert without == with_nulls
    assert sum(value is None for value in without) == 9


def test_an_open_segment_with_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    journal = fill(tmp_path, range(2))
    assert ship(tmp_path).segments == 0
    journal.close()
    assert ship(tmp_path).events == 2


def test_nothing_is_written_for_nothing(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", 1).close()
    assert ship(tmp_path) == shipper.Shipment()
    assert not (tmp_path / "raw").exists()


def test_an_idle_segment_is_sealed_when_it_is_old_enough(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", seal_after=0.05)
    journal.append(event(1))
    journal.flush()
    time.sleep(0.06)
    journal.tick()
    assert ship(tmp_path).events == 1
    journal.close()


def test_a_segment_over_midnight_becomes_one_file_a_day(tmp_path: Path) -> None:
    journal = fill(tmp_path, range(2))
    journal.append(event(2, event_time=NOON + DAY))
    journal.flush()
    journal.close()
    ship(tmp_path)
    assert [path.parent.name for path in sorted(tmp_path.glob("raw/*/*"))] == [
        "date=2026-09-21",
        "date=2026-09-22",
    ]


def test_shipping_twice_replaces_instead_of_doubling(tmp_path: Path) -> None:
    fill(tmp_path, range(5)).close()
    (segment,) = (tmp_path / "journal").iterdir()
    content = segment.read_bytes()
    ship(tmp_path)
    segment.write_bytes(content)  # as after a crash between the rename and the unlinking
    ship(tmp_path)
    assert ids(tmp_path) == [f"id-{number:06}" for number in range(5)]


def test_a_crash_while_writing_parquet_shows_no_reader_half_a_file(tmp_path: Path) -> None:
    fill(tmp_path, range(5)).close()

    def crash(name: str, content: bytes) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.with_name(f".tmp-{path.stem}").write_bytes(content[:100])
        raise OSError(5, "power")

    with pytest.raises(OSError, match="power"):
        shipper.ship(tmp_path / "journal", crash)
    assert list(tmp_path.glob("raw/*/*.parquet")) == []
    ship(tmp_path)
    assert len(ids(tmp_path)) == 5
    assert list(tmp_path.glob("raw/*/.tmp-*")) == []


def abandon(lake: Path, data: bytes) -> None:
    (lake / "journal").mkdir(parents=True)
    (lake / "journal" / f"{'a' * 32}.open").write_bytes(data)


@pytest.mark.parametrize("cut", [1, 9, 10, 100])
def test_a_torn_record_is_cut_off_and_the_whole_ones_kept(tmp_path: Path, cut: int) -> None:
    whole = encode(event(1)) + encode(event(2))
    abandon(tmp_path, whole + encode(event(3))[:-cut])
    assert ship(tmp_path) == shipper.Shipment(segments=1, events=2)
    assert ids(tmp_path) == ["id-000001", "id-000002"]
    assert not (tmp_path / "quarantine").exists()


def test_a_damaged_record_goes_to_quarantine_with_its_reason(tmp_path: Path) -> None:
    damaged = encode(event(2)).replace(b'"tool"', b'"fool"')
    foreign = b'{"no": "event"}'
    no_text = b'{"package": "\xff"}'
    strange = b"".join(b"%08x %b\n" % (zlib.crc32(each), each) for each in (foreign, no_text))
    abandon(tmp_path, encode(event(1)) + damaged + b"\xff\x00\n" + strange + encode(event(3)))
    assert ship(tmp_path) == shipper.Shipment(segments=1, events=2, bad=4)
    assert ids(tmp_path) == ["id-000001", "id-000003"]
    (file,) = (tmp_path / "quarantine").iterdir()
    reasons = [json.loads(line)["reason"] for line in file.read_text().splitlines()]
    assert reasons[:2] == ["the checksum does not fit"] * 2
    assert all(reason.startswith("is no raw event") for reason in reasons[2:])


def test_events_that_the_table_cannot_hold_go_to_quarantine_and_block_nothing(
    tmp_path: Path,
) -> None:
    fill(tmp_path, range(1), asn=2**40).close()
    fill(tmp_path, range(1, 2)).close()
    assert ship(tmp_path) == shipper.Shipment(segments=2, events=1, bad=1)
    assert ids(tmp_path) == ["id-000001"]


def test_a_journal_deleted_under_the_writer_comes_back(tmp_path: Path) -> None:
    journal = fill(tmp_path, range(2))
    for path in (tmp_path / "journal").iterdir():
        path.unlink()
    (tmp_path / "journal").rmdir()
    journal.close()
    assert ship(tmp_path).events == 2


def test_a_full_disk_loses_the_event_says_so_and_recovers(tmp_path: Path) -> None:
    """A file-size limit stops a write midway, as a full disk does."""
    journal = fill(tmp_path, range(1))
    record = len(encode(event(1)))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (record * 2 + record // 2, before[1]))
    try:
        for number in (1, 2, 3):
            journal.append(event(number))
        with pytest.raises(NotWritten) as lost:
            journal.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert lost.value.events == 2
    journal.append(event(4))
    journal.flush()
    journal.close()
    assert ship(tmp_path) == shipper.Shipment(segments=1, events=3)
    assert ids(tmp_path) == ["id-000000", "id-000001", "id-000004"]


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_journal import event
from gateway.journal import Journal
journal = Journal(Path(sys.argv[1]) / "journal", 3600)
for number in range(10**9):
    journal.append(event(number))
    journal.flush()
    print(number, flush=True)
"""


def test_a_killed_writer_has_lost_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    writer = WRITER.format(here=str(Path(__file__).parent))
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", writer, tmp_path],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        process.kill()
        acknowledged = 200 + len(process.stdout.read().splitlines())
    ship(tmp_path)
    shipped = ids(tmp_path)
    assert acknowledged - 1 <= len(shipped) <= acknowledged + 1
    assert shipped == [f"id-{number:06}" for number in range(len(shipped))]


@given(st.lists(st.text(max_size=40), max_size=20), st.data())
def test_any_text_and_any_cut_give_back_a_whole_beginning(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject
) -> None:
    records = [encode(event(n, package=text)) for n, text in enumerate(texts)]
    content = b"".join(records)
    cut = data.draw(st.integers(0, len(content)))
    path = tmp_path_factory.mktemp("cut") / "x.open"
    path.write_bytes(content[:cut])
    found = segments.read(path)
    assert [encode(msgspec.json.decode(body, type=RawEvent)) for body in found.events] == (
        records[: len(found.events)]
    )
    assert found.bad == []
    assert sum(map(len, records[: len(found.events)])) + found.torn == cut


def test_who_is_late_begins_no_further_segment_and_loses_none(tmp_path: Path) -> None:
    fill(tmp_path, range(5)).close()
    fill(tmp_path, range(5, 9)).close()
    late = iter([False, True])
    put = shipper.into_folder(tmp_path)
    assert shipper.ship(tmp_path / "journal", put, lambda: next(late)).segments == 1
    assert len(list(tmp_path.glob("journal/*.sealed"))) == 1
    ship(tmp_path)
    assert ids(tmp_path) == [f"id-{number:06}" for number in range(9)]
