"""The metrics of the admin port, in the Prometheus text format. METRICS.md says what each means."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, get_args

import msgspec

from gateway import salts
from gateway.counters import BOUNDS, WAYS, Counters
from gateway.heartbeats import ENDS, Heartbeats
from gateway.ipdata import IpData
from gateway.journal import OPEN, SEALED
from gateway.live import LiveRoutes
from gateway.upstream.notes import CacheOutcome, UpstreamOutcome

Kind = Literal["counter", "gauge", "histogram"]
Labels = Mapping[str, str]


class ShippingState(msgspec.Struct):
    """How the last passes of the shipper went; written by the keeper."""

    passed_at: float = 0.0  # seconds since the epoch, of the last pass without trouble; 0: none yet
    events: int = 0  # shipped since the start
    bad: int = 0  # records set aside since the start
    trouble: str = ""  # why the last pass failed; "": it did not


class Sample(msgspec.Struct, frozen=True):
    """One line; the suffix is of a histogram's parts."""

    value: float
    labels: Labels = {}
    suffix: str = ""


class Metric(msgspec.Struct, frozen=True):
    """One metric with all of its samples."""

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]


class Backlog(msgspec.Struct, frozen=True):
    """What is in the journal and not in the lake."""

    segments: int
    size: int  # bytes
    lag: float  # seconds that the oldest sealed segment has waited; 0: none waits


def backlog(journal: Path, now: float) -> Backlog:
    """Look at the journal's files. Those that are shipped meanwhile are not counted."""
    states = []
    for path in journal.glob("*"):
        try:
            if path.suffix in {OPEN, SEALED}:
                states.append((path.suffix, path.stat()))
        except OSError:
            continue
    waits = [now - state.st_mtime for suffix, state in states if suffix == SEALED]
    return Backlog(
        segments=len(states),
        size=sum(state.st_size for _, state in states),
        lag=max(0.0, *waits) if waits else 0.0,
    )


def of_counters(counters: Counters) -> Iterator[Metric]:
    """What the workers count, summed over all of them."""
    yield _metric(
        "requests_total", "counter", "Answered requests by route type and status.",
        [
            Sample(answers, {"route_type": route_type, "status": str(status)})
            for route_type, status, answers in counters.requests()
        ],
    )  # fmt: skip
    yield _metric(
        "request_duration_seconds", "histogram",
        "How long answers took, from memory or with an upstream asked.",
        [sample for way in WAYS for sample in _histogram({"way": way}, *counters.durations(way))],
    )  # fmt: skip
    yield _metric(
        "requests_shed_total", "counter", "Requests with a body turned away under overload.",
        [Sample(counters.sheds())],
    )  # fmt: skip
    yield _metric(
        "requests_throttled_total", "counter",
        "Requests with a body turned away because their client had sent too many.",
        [Sample(counters.throttles())],
    )  # fmt: skip
    yield _metric(
        "connections", "gauge", "Open connections by worker.",
        [Sample(n, {"worker": str(slot)}) for slot, n in enumerate(counters.connections())],
    )  # fmt: skip
    yield _metric(
        "connections_closed_total", "counter", "Idle connections closed to make room for others.",
        [Sample(counters.closed())],
    )  # fmt: skip
    yield _metric(
        "events_total", "counter",
        "Events by what became of them; unrecorded ones asked for it, the others are lost.",
        [Sample(events, {"fate": fate}) for fate, events in counters.fates().items()],
    )  # fmt: skip
    notes = counters.notes()
    yield _metric(
        "upstream_requests_total", "counter", "Requests to upstreams by how they ended.",
        [Sample(notes[kind], {"outcome": kind}) for kind in get_args(UpstreamOutcome)],
    )  # fmt: skip
    cached = [(kind, *kind.split("-")) for kind in get_args(CacheOutcome)]
    yield _metric(
        "cache_lookups_total", "counter", "Looks into the caches of the upstream side.",
        [Sample(notes[kind], {"cache": cache, "outcome": found}) for kind, cache, found in cached],
    )  # fmt: skip


def of_processes(heartbeats: Heartbeats) -> Iterator[Metric]:
    """What came to an end that nobody had asked for, and was started again."""
    workers = heartbeats.slots - 1
    yield _metric(
        "processes_restarted_total", "counter",
        "Processes started again because they had died, or hung and were killed.",
        [
            Sample(
                heartbeats.ends(slot, end),
                {"process": f"worker {slot}" if slot < workers else "keeper", "why": end},
            )
            for slot in range(heartbeats.slots)
            for end in ENDS
        ],
    )  # fmt: skip


def of_shipping(shipping: ShippingState, waiting: Backlog) -> Iterator[Metric]:
    """How events get from the journal into the lake."""
    for name, kind, help_, value in (
        ("shipped_events_total", "counter", "Events written to the lake's raw files.",
         shipping.events),
        ("quarantined_records_total", "counter", "Damaged journal records set aside.",
         shipping.bad),
        ("shipping_last_success_seconds", "gauge", "Time of the last pass without trouble.",
         round(shipping.passed_at, 3)),
        ("journal_segments", "gauge", "Files of the journal.", waiting.segments),
        ("journal_bytes", "gauge", "Size of the journal.", waiting.size),
        ("journal_lag_seconds", "gauge", "How long the oldest sealed segment has waited.",
         round(waiting.lag, 3)),
    ):  # fmt: skip
        yield _metric(name, _kind(kind), help_, [Sample(value)])


def of_files(
    routes: LiveRoutes, ip_data: IpData, salt_folder: Path, now: float
) -> Iterator[Metric]:
    """What the gateway has read from its folders."""
    yield _metric("routes", "gauge", "Routes in force.", [Sample(len(routes.table.routes))])
    yield _metric(
        "routes_refused", "gauge", "1 while the routes file as it is is refused.",
        [Sample(int(bool(routes.refused)))],
    )  # fmt: skip
    ages = [now - period.start.timestamp() for period in salts.kept(salt_folder)]
    yield _metric("salts", "gauge", "Salts that exist.", [Sample(len(ages))])
    yield _metric(
        "salt_age_seconds", "gauge", "Since the beginning of the oldest salt's period.",
        [Sample(round(max(0.0, *ages), 1) if ages else 0)],
    )  # fmt: skip
    yield _metric(
        "ip_data_age_seconds", "gauge", "Since each IP database was built.",
        [
            Sample(round(now - source.built.timestamp()), {"file": source.path.name})
            for source in ip_data.sources
        ],
    )  # fmt: skip
    yield _metric(
        "ip_data_problems", "gauge", "IP databases that cannot be used, or not fully.",
        [Sample(len(ip_data.problems))],
    )  # fmt: skip


def exposition(metrics: Iterable[Metric]) -> str:
    """Write metrics as text."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for sample in metric.samples:
        labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in sample.labels.items())
        shown = f"{{{labels}}}" if labels else ""
        yield f"{metric.name}{sample.suffix}{shown} {sample.value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _histogram(labels: Labels, buckets: list[int], total: float) -> Iterator[Sample]:
    below = 0
    for bound, answers in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
        below += answers
        yield Sample(below, {**labels, "le": bound}, "_bucket")
    yield Sample(round(total, 6), labels, "_sum")
    yield Sample(below, labels, "_count")


def _metric(name: str, kind: Kind, help_: str, samples: Iterable[Sample]) -> Metric:
    return Metric(f"footfall_{name}", kind, help_, tuple(samples))


def _kind(word: str) -> Kind:
    return "counter" if word == "counter" else "gauge"


def all_of(
    *,
    counters: Counters,
    heartbeats: Heartbeats,
    shipping: ShippingState,
    journal: Path,
    routes: LiveRoutes,
    ip_data: IpData,
    salt_folder: Path,
) -> Iterator[Metric]:
    """Every metric there is, as of now."""
    now = time.time()
    yield from of_counters(counters)
    yield from of_processes(heartbeats)
    yield from of_shipping(shipping, backlog(journal, now))
    yield from of_files(routes, ip_data, salt_folder, now)
