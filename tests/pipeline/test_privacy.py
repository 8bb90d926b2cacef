"""The auditor's report finds what must not be there, and nothing where all is well."""

import datetime as dt
import json
import os
import subprocess
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import scrub
from pipeline import salt_files, traces
from pipeline.config import PipelineConfig
from pipeline.lake import Lake, day_folder
from pipeline.privacy import Report, audit
from pipeline.privacy_text import as_text
from pipeline.run import run
from tests.pipeline.conftest import DAY, NOW, put_raw, raw_row
from tests.programs import ROOT, module


def found(**row: str | None) -> set[tuple[str, str]]:
    frame = pl.LazyFrame([row], schema=dict.fromkeys(row, pl.String))
    return {(trace.column, trace.kind) for trace in traces.find(frame)}


@pytest.mark.parametrize(
    ("column", "text", "kind"),
    [
        ("variables", '{"a":"203.0.113.7"}', "address"),
        ("variables", '{"a":"from203.0.113.7to"}', "address"),
        ("variables", '{"a":"1.1.1.1 and 203.0.113.7"}', "address"),
        ("variables", '{"a":"2001:db8::7"}', "address"),
        ("variables", '{"a":"[2001:db8::7]:443"}', "address"),
        ("variables", '{"a":"::ffff:203.0.113.7"}', "address"),
        ("variables", '{"a":"me@example.com"}', "e-mail"),
        ("variables", '{"a":"ghp_0123456789abcdefghijABCDEFGHIJ"}', "secret"),
        ("variables", '{"a":"https://me:word@example.com/"}', "secret"),
        ("referrer", "https://203.0.113.7/", "address"),
        ("user_agent", "curl/8 (203.0.113.7)", "address"),
        ("user_agent", "bot (+http://203.0.113.7/)", "address"),
        ("user_agent", "bot (me@example.com)", "e-mail"),
        ("artifact", "203.0.113.7", "address"),
        ("artifact", "a/203.0.113.7/203.0.113.8", "address"),
        ("host", "203.0.113.7", "address"),
        ("package", "me@example.com", "e-mail"),
        ("version", "2001:db8::7", "address"),
        ("client", "2001:db8::7", "address"),
        ("reference", "AKIAIOSFODNN7EXAMPLE", "secret"),
        ("record", '{"ip":"203.0.113.7"', "address"),
    ],
)
def test_a_trace_is_found(column: str, text: str, kind: str) -> None:
    assert (column, kind) in found(**{column: text})


@pytest.mark.parametrize(
    "row",
    [
        {"variables": '{"version":"1.2.3.4"}', "version": "1.2.3.4"},
        {"variables": '{"file":"tool-1.2.3.4.tgz"}', "artifact": "tool-1.2.3.4.tgz"},
        {"variables": '{"a":"1.2.3.4.5 1.2.3.456 12:30:45 std::vector"}'},
        {"variables": '{"a":"[ip] [email] [secret]","digest":"sha256:0123456789abcdef"}'},
        {"user_agent": "Mozilla/5.0 (X11) Chrome/120.0.0.0 Safari/537.36"},
        {"artifact": "tool-1.2.3.4.tar.gz", "reference": "name@1.2.3-rc.one"},
        {"artifact": "name@main.zip", "package": "@acme/tool"},
        {"version": "1.2.3.4", "reference": "1.2.3.4"},
        {"client_version": "120.0.0.0", "referrer": "https://acme.example/a@b"},
        {"variables": None, "version": None, "user_agent": ""},
        {"as_org": "abuse@example.com", "company": "203.0.113.7"},
    ],
)
def test_what_is_no_trace(row: dict[str, str | None]) -> None:
    assert found(**row) == set()


@given(st.ip_addresses(), st.sampled_from(["{}", "a {} b", "a={}&b", "[{}]", "({})", "x/{}/y"]))
def test_no_address_hides_in_free_text(address: object, frame: str) -> None:
    if str(address) != "::":
        assert ("referrer", "address") in found(referrer=frame.format(address))


@given(
    st.lists(
        st.one_of(
            st.ip_addresses().map(str),
            st.emails(),
            st.sampled_from(["ghp_0123456789abcdefghijABCDEFGHIJ", "a:b@c", "1.2.3.4.5", "v1.0"]),
            st.text(max_size=8),
        ),
        max_size=5,
    ),
    st.sampled_from(["", " ", "/", "=", "-", ":", "@", ".", "\\", "%40", "::"]),
)
def test_two_searches_that_share_nothing_agree(words: list[str], between: str) -> None:
    """What the gateway has scrubbed, the auditor finds nothing in."""
    clean = scrub.free(between.join(words))
    assert found(referrer=clean) == set(), clean


def salt(folder: Path, name: str, mode: int = 0o600) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.salt").write_bytes(bytes(32))
    (folder / f"{name}.salt").chmod(mode)


def look(lake: Lake, salts: Path | None = None, now: dt.datetime = NOW) -> Report:
    return audit(lake, salts or lake.root.parent / "salts", now, 7)


def test_a_clean_lake_keeps_every_promise(lake: Lake, config: PipelineConfig) -> None:
    put_raw(lake, [raw_row(variables='{"channel":"stable"}'), raw_row(latitude=59.3)])
    run(config, NOW)
    put_raw(lake, [raw_row()])
    salt(lake.root.parent / "salts", "2026-03-03")
    report = look(lake)
    assert report.broken == ()
    assert report.not_searched == ()
    extent = {table.name: (table.rows, table.first_day) for table in report.tables}
    assert extent["raw"] == (1, DAY)
    assert extent["events"] == extent["archive"] == (2, DAY)
    assert [(each.period, each.mode, each.overdue) for each in report.salts] == [
        ("2026-03-03", "0600", False)
    ]
    assert "Every promise" in as_text(report)


def test_what_is_found_is_named_and_never_shown(lake: Lake, config: PipelineConfig) -> None:
    row = raw_row(
        variables='{"a":"203.0.113.7"}', user_agent="x (me@example.com)",
        referrer="https://u:ghp_0123456789abcdefghijABCDEFGHIJ@x.example/", latitude=59.334,
    )  # fmt: skip
    put_raw(lake, [row, raw_row()])
    run(config, NOW)
    report = look(lake)
    told = {(each.table, each.column, each.kind, each.rows) for each in report.findings}
    assert told >= {
        ("archive", "variables", "address", 1),
        ("archive", "user_agent", "e-mail", 1),
        ("archive", "latitude", "exact place", 1),
        ("events", "variables", "address", 1),
        ("events", "referrer", "secret", 1),
    }
    assert len(report.broken) >= len(report.findings)
    for shown in (as_text(report), json.dumps(report.broken)):
        for value in ("203.0.113.7", "me@example.com", "ghp_", "59.33"):
            assert value not in shown


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        ("2026-03-01", 0o600, "should be destroyed"),
        ("2026-03-03", 0o640, "mode 0640"),
        ("2026-W09", 0o600, "should be destroyed"),
        ("2026-02", 0o644, "mode 0644"),
    ],
)
def test_salts_that_are_kept_too_long_or_too_openly(
    lake: Lake, name: str, mode: int, said: str
) -> None:
    put_raw(lake, [raw_row()])
    salt(lake.root.parent / "salts", name, mode)
    assert any(said in each for each in look(lake).broken)


def test_a_salt_inside_the_lake_is_found_wherever_it_is(lake: Lake) -> None:
    put_raw(lake, [raw_row()])
    salt(lake.root / "raw", "2026-03-03")
    assert any("inside the lake" in each for each in look(lake).broken)
    assert any("inside the lake" in each for each in look(lake, lake.root / "raw").broken)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("2026-12-31", dt.date(2027, 1, 1)),
        ("2026-W53", dt.date(2027, 1, 4)),
        ("2026-12", dt.date(2027, 1, 1)),
        ("2026-13", None),
        ("2026-W60", None),
        ("2026-02-30", None),
        ("9999-12-31", None),
        ("mine", None),
    ],
)
def test_periods(name: str, end: dt.date | None) -> None:
    moment = salt_files.period_end(name)
    assert (moment.date() if moment else None) == end


def test_a_user_agent_after_curation_and_a_column_of_a_stranger(
    lake: Lake, config: PipelineConfig
) -> None:
    put_raw(lake, [raw_row()])
    run(config, NOW)
    file = lake.events_file(DAY)
    pl.read_parquet(file, hive_partitioning=False).with_columns(
        user_agent=pl.lit("x"), address=pl.lit("y")
    ).write_parquet(file)
    broken = "\n".join(look(lake).broken)
    assert "events/ has a column user_agent" in broken
    assert "events/ has a column address" in broken


def test_an_archive_that_is_kept_too_long(lake: Lake, config: PipelineConfig) -> None:
    put_raw(lake, [raw_row()])
    run(config, NOW)
    assert look(lake, now=NOW + dt.timedelta(days=8)).broken == ()
    assert "keeps 1 files" in "\n".join(look(lake, now=NOW + dt.timedelta(days=9)).broken)


def test_ids_that_outlive_a_day_are_told(lake: Lake, config: PipelineConfig) -> None:
    next_day = DAY + dt.timedelta(days=1)
    put_raw(lake, [raw_row(endpoint_id=7)])
    put_raw(
        lake,
        [raw_row(endpoint_id=7, event_time=raw_row()["event_time"] + dt.timedelta(days=1))],
        day=next_day,
    )
    run(config, NOW + dt.timedelta(days=2))
    report = look(lake)
    assert report.ids_on_two_days == 1
    assert "longer than a day" in as_text(report)


def test_what_cannot_be_searched_is_said(lake: Lake) -> None:
    put_raw(lake, [raw_row()])
    (day_folder(lake.raw, DAY) / "broken.parquet").write_bytes(b"PAR1 nothing PAR1")
    (lake.root / "journal").mkdir()
    (lake.root / "journal/a.open").write_text("x")
    lake.quarantine.mkdir()
    (lake.quarantine / "journal-a.ndjson").write_text('{"record":"203.0.113.7"}\n')
    report = look(lake)
    assert len(report.not_searched) >= 2
    assert any(each.column == "record" for each in report.findings)


def test_the_command_says_it_by_its_status(lake: Lake, tmp_path: Path) -> None:
    put_raw(lake, [raw_row()])

    def command(*extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            module(
                "pipeline", "privacy", "--data", lake.root, "--salts", tmp_path / "salts", *extra
            ),
            check=False, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ),
        )  # fmt: skip

    clean = command()
    assert clean.returncode == 0, clean.stderr
    assert "1 rows in 1 files" in clean.stdout
    put_raw(lake, [raw_row(variables='{"a":"203.0.113.7"}')])
    broken = command("--json")
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["findings"] == [
        {"table": "raw", "column": "variables", "kind": "address", "rows": 1}
    ]
    missing = subprocess.run(
        module("pipeline", "privacy", "--data", tmp_path / "none"),
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert missing.returncode != 0
    assert "there is no lake" in missing.stderr
