"""The metrics: a format that a strict reader takes, sums over the workers, and a whole document."""

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway import metrics
from gateway.admin import Losses
from gateway.counters import BOUNDS, NOTES, WAYS, Counters, Way
from gateway.heartbeats import Heartbeats
from gateway.ipdata import IpData
from gateway.live import LiveRoutes
from gateway.metrics import Backlog, Metric, Sample, ShippingState, backlog
from tests.gateway.running import ROUTES, Running, gateway, wait_for

ROOT = Path(__file__).parents[2]
_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?!$)|$)')
_PARTS = {"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}}

Labels = tuple[tuple[str, str], ...]


@dataclass
class Parsed:
    kind: str
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def value(self, suffix: str = "", **labels: str) -> float:
        return self.samples[suffix, tuple(labels.items())]


def parse(text: str) -> dict[str, Parsed]:
    """Read version 0.0.4 of the text format, and let nothing pass that it does not allow."""
    assert text.endswith("\n")
    found: dict[str, Parsed] = {}
    explained, current = "", ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            explained = line.split(" ", 3)[2]
            assert explained not in found
        elif line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current == explained
            found[current] = Parsed(kind)
        else:
            match = _SAMPLE.fullmatch(line)
            assert match, line
            name, inside, value = match.groups()
            assert name.startswith(current), "samples of one metric stand together"
            suffix = name.removeprefix(current)
            assert suffix in _PARTS[found[current].kind], line
            labels = tuple(_LABEL.findall(inside or ""))
            assert _LABEL.sub("", inside or "") == "", line
            assert (suffix, labels) not in found[current].samples, f"twice: {line}"
            found[current].samples[suffix, labels] = float(value)
    return found


def everything(tmp_path: Path, counters: Counters) -> dict[str, Parsed]:
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    (tmp_path / "salts").mkdir(exist_ok=True)
    (tmp_path / "salts/2026-11-20.salt").write_bytes(bytes(32))
    return parse(
        metrics.exposition(
            metrics.all_of(
                counters=counters,
                heartbeats=Heartbeats.create(2),
                shipping=ShippingState(events=3),
                journal=tmp_path / "journal",
                routes=LiveRoutes(routes),
                ip_data=IpData.open(ROOT / "data/ip"),
                salt_folder=tmp_path / "salts",
            )
        )
    )


def test_every_metric_is_documented_with_its_kind_and_labels(tmp_path: Path) -> None:
    counters = Counters.create(1)
    counters.answered("file", 307)
    found = everything(tmp_path, counters)
    document = (ROOT / "gateway/METRICS.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| ", document, re.MULTILINE)
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert documented == {
        name: (
            parsed.kind,
            {label for _, labels in parsed.samples for label, _ in labels} - {"le"},
        )
        for name, parsed in found.items()
    }


def test_sums_over_workers(tmp_path: Path) -> None:
    first = Counters.create(2)
    second = Counters(first.fd, 2, 1)
    for counters in (first, second):
        counters.answered("file", 307)
        counters.note("document-hit")
        counters.shed()
        counters.throttle()
        counters.count("descriptors", 4)
    found = everything(tmp_path, second)
    assert found["footfall_requests_total"].value(route_type="file", status="307") == 2
    assert found["footfall_cache_lookups_total"].value(cache="document", outcome="hit") == 2
    assert found["footfall_requests_shed_total"].value() == 2
    assert found["footfall_requests_throttled_total"].value() == 2
    assert found["footfall_events_total"].value(fate="descriptors") == 8
    assert found["footfall_salts"].value() == 1
    assert found["footfall_salt_age_seconds"].value() > 0


@pytest.mark.parametrize("way", WAYS)
def test_a_histogram_puts_each_answer_into_its_bucket(tmp_path: Path, way: Way) -> None:
    counters = Counters.create(2)
    other = Counters(counters.fd, 2, 1)
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, 100.0):
        counters.observe(way, seconds)
    other.observe(way, 0.002, 10)
    histogram = everything(tmp_path, counters)["footfall_request_duration_seconds"]
    below = [histogram.value("_bucket", way=way, le=str(bound)) for bound in BOUNDS]
    assert below == sorted(below)
    assert below[:5] == [2, 3, 3, 3, 13]
    assert below[-1] == 13
    assert histogram.value("_bucket", way=way, le="+Inf") == 14
    assert histogram.value("_count", way=way) == 14
    assert histogram.value("_sum", way=way) == pytest.approx(100.02, abs=0.001)
    others = [one for one in WAYS if one != way]
    assert all(histogram.value("_count", way=one) == 0 for one in others)


def test_every_note_has_a_place_of_its_own() -> None:
    counters = Counters.create(1)
    for number, note in enumerate(NOTES, 1):
        for _ in range(number):
            counters.note(note)
    assert list(counters.notes().values()) == list(range(1, len(NOTES) + 1))
    assert not any(counters.fates().values())
    assert counters.sheds() == counters.throttles() == 0


def test_a_label_with_quotes_and_lines_survives() -> None:
    name = 'a "b"\\\n'
    text = metrics.exposition([Metric("m", "gauge", "Help.", (Sample(1, {"file": name}),))])
    assert parse(text)["m"].value(file=r"a \"b\"\\\n") == 1


def test_the_backlog_is_what_waits(tmp_path: Path) -> None:
    assert backlog(tmp_path / "none", 0) == Backlog(0, 0, 0)
    now = time.time()
    (tmp_path / "a.sealed").write_bytes(bytes(10))
    os.utime(tmp_path / "a.sealed", (now - 30, now - 30))
    (tmp_path / "b.open").write_bytes(bytes(5))
    (tmp_path / ".c.new").write_bytes(bytes(5))
    found = backlog(tmp_path, now)
    assert (found.segments, found.size) == (2, 15)
    assert found.lag == pytest.approx(30)


def test_losses_are_told_with_their_reason_for_a_while() -> None:
    counters, now = Counters.create(1), 0.0
    counters.count("disk", 5)  # before this process
    losses = Losses(counters, clock=lambda: now)
    assert losses.check().ok
    counters.count("journaled", 5)
    counters.count("unrecorded")
    assert losses.check().ok
    counters.count("no-space", 2)
    assert "no-space: 2" in losses.check().detail
    now = 61.0
    assert losses.check().ok
    assert losses.check().detail == "7 lost since the start"


def total(running: Running, name: str, **labels: str) -> float:
    text = running.admin("/metrics")[1]
    suffix = labels.pop("suffix", "")
    return parse(text)[name].samples.get((suffix, tuple(labels.items())), 0)


def test_two_workers_are_one_gateway(tmp_path: Path) -> None:
    with gateway(tmp_path, "--workers", "2") as running:

        def timed() -> float:
            name = "footfall_request_duration_seconds"
            return total(running, name, suffix="_count", way="memory")

        # The time of an answer is counted just after it has gone, the one of the start included.
        wait_for(lambda: timed() == 1)
        for number in range(60):
            assert running.ask(f"/tool/1.{number}/x")[0] == 307
        assert running.ask("/tool/1.1/x", method="HEAD")[0] == 307
        wait_for(lambda: total(running, "footfall_shipped_events_total") == 61)
        ask = {"route_type": "file", "status": "307"}
        assert total(running, "footfall_requests_total", **ask) == 61
        assert total(running, "footfall_events_total", fate="journaled") == 61
        wait_for(lambda: timed() == 62)
        assert total(running, "footfall_routes") == 3
        (tmp_path / "routes.toml").write_text("nonsense")
        wait_for(lambda: total(running, "footfall_routes_refused") == 1)
