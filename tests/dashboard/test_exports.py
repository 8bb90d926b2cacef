"""Every format holds the same rows, and memory does not depend on how many."""

import csv
import datetime as dt
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import export_formats
from dashboard.export_columns import COLUMNS, SCARF, ColumnSet, schema
from dashboard.export_formats import MEDIA_TYPES, Format
from dashboard.exports import Selection, UnreadableDayError, export, stored_days, write_whole
from pipeline.schema import EVENTS
from tests.dashboard.conftest import event, write_lake
from tests.dashboard.large import repeat
from tests.programs import ROOT

DAY = dt.date(2026, 3, 1)
NEXT = DAY + dt.timedelta(days=1)
EVER = Selection(first=dt.date(2000, 1, 1), last=dt.date(2100, 1, 1))


def whole(
    lake: Path, columns: ColumnSet = "all", output: Format = "csv", chosen: Selection = EVER
) -> bytes:
    return b"".join(export(lake, chosen, columns, output))


def packages(lake: Path, **chosen: Any) -> list[str]:
    selection = Selection(**{"first": EVER.first, "last": EVER.last, **chosen})
    answer = pl.read_parquet(io.BytesIO(whole(lake, "all", "parquet", selection)))
    return sorted(answer["package"])


def read_csv(content: bytes, folder: Path, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """By DuckDB, which tells null from empty; then the apostrophes go, as API.md says."""
    file = folder / "export.csv"
    file.write_bytes(content)
    rows = duckdb.sql(
        "FROM read_csv($file, header = true, all_varchar = true, allow_quoted_nulls = false, "
        "quote = '\"', escape = '\"', delim = ',', new_line = '\\n', auto_detect = false, "
        "columns = $columns, max_line_size = 4000000)",
        params={"file": str(file), "columns": dict.fromkeys(types, "VARCHAR")},
    ).pl()
    text = pl.col([name for name, kind in types.items() if kind == pl.String])
    return rows.with_columns(text.str.strip_prefix("'")).pipe(typed, types)


def read_ndjson(content: bytes, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    rows = [json.loads(line) for line in content.decode().split("\n") if line]
    names = dict.fromkeys(types, pl.String)
    texts = [{key: as_text(value) for key, value in row.items()} for row in rows]
    return pl.DataFrame(texts, schema=names).pipe(typed, types)


def as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def typed(texts: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    columns = []
    for name, kind in types.items():
        text = pl.col(name)
        if kind == pl.Boolean:
            columns.append(text == "true")
        elif kind == pl.Datetime("us", "UTC"):
            columns.append(text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_zone="UTC"))
        else:
            columns.append(text.cast(kind))
    return texts.select(columns)


def values(kind: Any) -> st.SearchStrategy[Any]:
    if kind == pl.String:
        starts = st.sampled_from(
            ["", "=", "'", "@acme/", "-1", "\t", "\r", "\n", ",", '"', "\uff1d", " "]
        )
        text = st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5
        )
        return st.one_of(st.none(), st.builds(str.__add__, starts, text))
    if kind == pl.Boolean:
        return st.none() | st.booleans()
    if kind == pl.Float32:
        return st.none() | st.floats(-180, 180, width=32)
    if kind == pl.Datetime("us", "UTC"):
        noon = dt.datetime.combine(DAY, dt.time(12))
        return st.datetimes(noon, noon + dt.timedelta(hours=1), timezones=st.just(dt.UTC))
    bits = {pl.Int16: (-(2**15), 2**15 - 1), pl.Int32: (-(2**31), 2**31 - 1)}
    low, high = bits.get(type(kind), (0, 2**64 - 1) if kind == pl.UInt64 else (-(2**63), 2**63 - 1))
    return st.none() | st.integers(low, high)


ROWS = st.lists(st.fixed_dictionaries({k: values(v) for k, v in EVENTS.items()}), max_size=4)


@given(rows=ROWS, columns=st.sampled_from(list(COLUMNS)))
@settings(max_examples=60)
def test_every_format_holds_the_same_rows(
    rows: list[dict[str, Any]],
    columns: ColumnSet,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lake = tmp_path_factory.mktemp("lake")
    folder = lake / "events" / f"date={DAY}"
    folder.mkdir(parents=True)
    stored = pl.DataFrame(rows, schema=EVENTS)
    stored.write_parquet(folder / "data.parquet")
    types = schema(COLUMNS[columns])

    parquet = pl.read_parquet(io.BytesIO(whole(lake, columns, "parquet")))

    assert parquet.schema == types
    assert parquet.equals(stored.select(column.value for column in COLUMNS[columns]))
    assert read_ndjson(whole(lake, columns, "ndjson"), types).equals(parquet)
    assert read_csv(whole(lake, columns, "csv"), lake, types).equals(parquet)


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_range_without_events_is_a_valid_file(tmp_path: Path, columns: ColumnSet) -> None:
    names = [column.name for column in COLUMNS[columns]]
    assert whole(tmp_path, columns, "csv").decode() == ",".join(names) + "\n"
    assert whole(tmp_path, columns, "ndjson") == b""
    empty = tmp_path / "empty.parquet"
    empty.write_bytes(whole(tmp_path, columns, "parquet"))
    assert duckdb.sql(f"SELECT count(*) FROM '{empty}'").fetchall() == [(0,)]
    assert pl.read_parquet(empty).schema == schema(COLUMNS[columns])


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        pytest.param("=HYPERLINK(1)", "'=HYPERLINK(1)", id="equals"),
        pytest.param("+1", "'+1", id="plus"),
        pytest.param("-1", "'-1", id="minus"),
        pytest.param("@acme/cli", "'@acme/cli", id="at"),
        pytest.param("\t=1", "'\t=1", id="tab"),
        pytest.param("\r=1", "'\r=1", id="carriage return"),
        pytest.param("\n=1", "'\n=1", id="line feed"),
        pytest.param("\uff1d1", "'\uff1d1", id="full width"),
        pytest.param("'tis", "''tis", id="apostrophe"),
        pytest.param("1=1", "1=1", id="inside"),
        pytest.param("v1", "v1", id="plain"),
    ],
)
def test_no_text_is_a_formula(tmp_path: Path, text: str, cell: str) -> None:
    lake = write_lake(tmp_path, [event(DAY, version=text, latitude=-33.9)])
    [row] = csv.DictReader(io.StringIO(whole(lake).decode(), newline=""))
    assert row["version"] == cell
    assert row["latitude"] == "-33.9"
    assert json.loads(whole(lake, output="ndjson"))["version"] == text


def test_ids_survive_json_readers_that_round(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [event(DAY, origin_id=2**64 - 1)])
    assert json.loads(whole(lake, output="ndjson"))["origin_id"] == "18446744073709551615"


class TestSelection:
    @pytest.fixture
    def lake(self, tmp_path: Path) -> Path:
        return write_lake(
            tmp_path,
            [
                event(DAY, package_id="a", package="acme/a", traffic="person"),
                event(DAY, package_id="b", package="acme/b", traffic="ci", counted=False),
                event(NEXT, package_id="c", package="acme/c", traffic="bot", event_type="view"),
                event(NEXT, package_id="d", package="d", company_domain="initech.example"),
            ],
        )

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            pytest.param({}, ["acme/a", "acme/b", "acme/c", "d"], id="everything"),
            pytest.param({"last": DAY}, ["acme/a", "acme/b"], id="the last day is included"),
            pytest.param({"first": NEXT}, ["acme/c", "d"], id="the first day is included"),
            pytest.param({"packages": ("a",)}, ["acme/a"], id="by id"),
            pytest.param({"packages": ("acme/b", "d")}, ["acme/b", "d"], id="by name or id"),
            pytest.param({"packages": ("zz",)}, [], id="unknown package"),
            pytest.param({"traffic": ("ci", "bot")}, ["acme/b", "acme/c"], id="traffic"),
            pytest.param({"event_types": ("view",)}, ["acme/c"], id="event type"),
            pytest.param({"company_domain": "initech.example"}, ["d"], id="company"),
            pytest.param({"counted_only": True}, ["acme/a", "acme/c", "d"], id="counted"),
            pytest.param({"packages": ("' OR 1=1 --",)}, [], id="text is only text"),
        ],
    )
    def test_narrows(self, lake: Path, chosen: dict[str, Any], expected: list[str]) -> None:
        assert packages(lake, **chosen) == expected

    def test_only_row_groups_that_can_hold_a_package_are_read(self, tmp_path: Path) -> None:
        lake = write_lake(tmp_path, [event(DAY, package_id=name) for name in "abcdefgh"])
        file = lake / "events" / f"date={DAY}" / "data.parquet"
        pl.read_parquet(file).write_parquet(file, row_group_size=2)
        chosen = Selection(first=DAY, last=DAY, packages=("f",))
        # Each row group that is read gives a piece, and one more ends the file.
        assert len(list(export(lake, chosen, "all", "csv"))) == 2
        assert packages(lake, packages=("f",)) == ["f"]


def test_days_are_those_of_the_lake_in_order(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [event(NEXT), event(DAY), event(dt.date(2027, 1, 1))])
    for stray in ("date=unknown", "date=2026-03-99"):
        (lake / "events" / stray).mkdir()
    assert stored_days(lake, Selection(first=DAY, last=NEXT)) == [DAY, NEXT]


def test_a_day_replaced_meanwhile_is_exported_as_it_was(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [event(DAY, version="old")])
    file = repeat(lake, DAY, 40_000)
    pieces = export(lake, EVER, "all", "csv")
    read = next(pieces)
    fresh = tmp_path / "fresh.parquet"
    pl.DataFrame(schema=EVENTS).write_parquet(fresh)
    fresh.replace(file)
    assert (read + b"".join(pieces)).count(b",old,") == 40_000


def test_a_file_from_before_a_column_existed_has_null_there(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [event(DAY, cloud_provider="AWS", city="Berlin")])
    file = lake / "events" / f"date={DAY}" / "data.parquet"
    pl.read_parquet(file).drop("cloud_provider", "counted").write_parquet(file)
    row = pl.read_parquet(io.BytesIO(whole(lake, output="parquet"))).row(0, named=True)
    assert (row["cloud_provider"], row["counted"], row["city"]) == (None, None, "Berlin")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [event(DAY)])
    file = lake / "events" / f"date={DAY}" / "data.parquet"
    file.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(UnreadableDayError, match=str(file)):
        next(export(lake, EVER, "all", "csv"))


def test_large_parquet_has_large_row_groups(tmp_path: Path) -> None:
    rows = export_formats.ROW_GROUP_ROWS + 1
    lake = write_lake(tmp_path, [event(DAY)])
    repeat(lake, DAY, rows)
    exported = tmp_path / "export.parquet"
    write_whole(export(lake, EVER, "all", "parquet"), exported)
    sizes = duckdb.sql(
        f"SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata('{exported}')"
    ).fetchall()
    assert sum(size for _, size in sizes) == rows
    assert len(sizes) == 2


PEAK = """
import datetime as dt, resource, sys
from pathlib import Path
from dashboard.exports import Selection, export
chosen = Selection(first=dt.date(2026, 3, 1), last=dt.date(2026, 3, int(sys.argv[2])))
for piece in export(Path(sys.argv[1]), chosen, "all", "csv"):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_range(tmp_path: Path) -> None:
    lake = write_lake(tmp_path, [event(DAY, artifact="x" * 200)])
    first = repeat(lake, DAY, 60_000)
    for later in range(1, 8):
        folder = lake / "events" / f"date={DAY + dt.timedelta(days=later)}"
        folder.mkdir()
        (folder / "data.parquet").hardlink_to(first)

    def peak(days: int) -> int:
        command = [sys.executable, "-c", PEAK, str(lake), str(days)]
        return int(subprocess.check_output(command, cwd=ROOT))

    # Seven times the rows; what they would take as text alone is over 200 MB.
    assert peak(8) - peak(1) < 100


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "export.csv"
    target.write_bytes(b"before")

    def pieces() -> Any:
        yield b"half"
        raise UnreadableDayError(Path("day"), ValueError("damaged"))

    with pytest.raises(UnreadableDayError):
        write_whole(pieces(), target)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [
        ("export.csv", b"before")
    ]
    write_whole([b"who", b"le"], target)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [
        ("export.csv", b"whole")
    ]


class TestScarfColumns:
    @staticmethod
    def row(tmp_path: Path, **facts: Any) -> dict[str, Any]:
        lake = write_lake(tmp_path, [event(DAY, **facts)])
        row: dict[str, Any] = json.loads(whole(lake, "scarf", "ndjson"))
        return row

    def test_order_is_that_of_scarf_s_own_loader(self) -> None:
        assert [column.name for column in SCARF] == [
            "id", "type", "package", "pixel", "version", "time", "referer", "user_agent",
            "platform", "variables", "origin_id", "origin_latitude", "origin_longitude",
            "origin_country", "origin_city", "origin_postal", "origin_connection_type",
            "origin_company", "origin_domain", "dnt", "confidence", "endpoint_id", "origin_state",
            "mtc_quota_exceeded",
        ]  # fmt: skip

    def test_a_pull(self, tmp_path: Path) -> None:
        assert self.row(
            tmp_path,
            event_id="01890000-0000-7000-8000-000000000000",
            event_type="pull",
            package_id="p1",
            package="acme/tool",
            version="1.2.3",
            referrer="https://acme.example/",
            platform="linux/arm64/v8",
            os="linux",
            variables='{"a":"b"}',
            origin_id=2**63,
            endpoint_id=7,
            latitude=52.5,
            longitude=-13.4,
            country="DE",
            region="Berlin",
            city="Berlin",
            company="Initech",
            company_domain="initech.example",
            company_kind="business",
        ) == {
            "id": "01890000-0000-7000-8000-000000000000",
            "type": "manifest-fetch",
            "package": "acme/tool",
            "pixel": None,
            "version": "1.2.3",
            "time": "2026-03-01T12:00:00.000000Z",
            "referer": "https://acme.example/",
            "user_agent": None,
            "platform": "linux/arm64/v8",
            "variables": '{"a":"b"}',
            "origin_id": "9223372036854775808",
            "origin_latitude": 52.5,
            "origin_longitude": -13.4,
            "origin_country": "DE",
            "origin_city": "Berlin",
            "origin_postal": None,
            "origin_connection_type": "business",
            "origin_company": "Initech",
            "origin_domain": "initech.example",
            "dnt": False,
            "confidence": None,
            "endpoint_id": "7",
            "origin_state": "Berlin",
            "mtc_quota_exceeded": False,
        }

    def test_a_view_names_its_pixel(self, tmp_path: Path) -> None:
        row = self.row(tmp_path, event_type="view", package="Docs")
        assert (row["type"], row["package"], row["pixel"]) == ("pixel-fetch", None, "Docs")

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ("download", "binary-download"),
            ("install", "install"),
            ("telemetry", "telemetry"),
            ("metadata", "metadata"),
            ("blob", "blob"),
        ],
    )
    def test_kinds(self, tmp_path: Path, ours: str, theirs: str) -> None:
        assert self.row(tmp_path, event_type=ours)["type"] == theirs

    @pytest.mark.parametrize(
        ("facts", "platform"),
        [
            pytest.param({"os": "linux", "arch": "amd64"}, "linux/amd64", id="both"),
            pytest.param({"os": "linux"}, "linux", id="system only"),
            pytest.param({"arch": "amd64"}, "amd64", id="architecture only"),
            pytest.param({}, None, id="neither"),
        ],
    )
    def test_platform(self, tmp_path: Path, facts: dict[str, str], platform: str | None) -> None:
        assert self.row(tmp_path, **facts)["platform"] == platform

    @pytest.mark.parametrize("kind", ["isp", "hosting"])
    def test_networks_and_clouds_are_no_companies(self, tmp_path: Path, kind: str) -> None:
        row = self.row(tmp_path, company="Telco", company_domain="t.example", company_kind=kind)
        assert (row["origin_company"], row["origin_domain"]) == (None, None)
        assert row["origin_connection_type"] == kind

    @pytest.mark.parametrize("kind", ["unknown", None])
    def test_an_unknown_kind_is_empty(self, tmp_path: Path, kind: str | None) -> None:
        row = self.row(tmp_path, company="Initech", company_kind=kind)
        assert (row["origin_connection_type"], row["origin_company"]) == (None, "Initech")


def test_every_format_has_a_media_type() -> None:
    assert set(MEDIA_TYPES) == {"csv", "ndjson", "parquet"}
