"""What readers and callers of the API may try: files, SQL, formulas, other people's tokens."""

import ast
import datetime as dt
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import api_request, exports, tokens
from dashboard.explore import QueryError, run
from dashboard.exports import Selection
from dashboard.filters import Calendar, Filters, parse
from dashboard.lake import Lake
from dashboard.queries import companies, overview, versions
from gateway.protocols import telemetry
from tests.dashboard.conftest import TODAY, event, write_lake
from tests.programs import ROOT

INJECTIONS = [
    "'", '"', "' OR 1=1 --", "'); DROP VIEW events; --", "\\'; SELECT 1; --", "$start", "$packages",
    "%", "_", "*", "tool') OR ('1'='1", "';COPY (SELECT 1) TO '/tmp/pwned.csv';--", "\0",
    "\uff54ool\uff07", "../../etc/passwd", "../raw", "/etc/passwd", "file:///etc/passwd", "{0}",
    "%s", "tool\n--",
]  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("dashboard") / "lake"
    rows = [event(TODAY, package_id=name, company="Initech", company_kind="business")
            for name in ("tool", "other")]  # fmt: skip
    (root.parent / "secret.csv").parent.mkdir(exist_ok=True)
    (root.parent / "secret.csv").write_text("canary\n1\n")
    return write_lake(root, rows)


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_filter_is_sql(lake: Path, text: str) -> None:
    source = Lake(lake)
    nothing = Filters(TODAY, TODAY, packages=(text,))
    everything = Filters(TODAY, TODAY)
    assert source.ask("SELECT count(*) AS n FROM events", {})["n"][0] == 2
    assert overview.totals(source, everything)["installs"].sum() == 2
    for frame in (
        overview.totals(source, nothing),
        overview.top(source, nothing, "country"),
        companies.by_day(source, everything, text),
        companies.detail(source, everything, text, "country"),
        versions.table(source, everything, text),
        versions.clients(source, everything, text),
    ):
        numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()]
        assert sum(frame[name].fill_null(0).sum() for name in numbers) == 0
    assert source.ask("SELECT count(*) AS n FROM events", {})["n"][0] == 2


KEYS = ["period", "from", "to", "package", "counted", "traffic"]
VALUES = st.text(max_size=30) | st.sampled_from(INJECTIONS)


@given(st.dictionaries(st.sampled_from(KEYS), st.lists(VALUES, max_size=3)))
def test_any_address_is_some_choice(query: dict[str, list[str]]) -> None:
    chosen = parse(query, Calendar(TODAY, TODAY - dt.timedelta(days=9)))
    assert chosen.start <= chosen.end
    assert set(chosen.traffic) <= {"person", "ci", "mirror", "bot", "unknown"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('{lake}/../secret.csv')",
        "SELECT * FROM read_csv_auto('{lake}/../secret.csv')",
        "SELECT * FROM read_json('/proc/self/environ')",
        "SELECT * FROM read_parquet('{lake}/events/../../secret.csv')",
        "SELECT * FROM '{lake}/../secret.csv'",
        "SELECT * FROM parquet_schema('/etc/passwd')",
        "SELECT * FROM sniff_csv('{lake}/../secret.csv')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM query_table('/etc/passwd')",
        "SELECT * FROM sqlite_scan('/etc/x.db', 't')",
        "SELECT * FROM postgres_scan('host=127.0.0.1', 'a', 'b')",
        "SELECT * FROM read_csv('https://127.0.0.1:9/')",
        "SELECT * FROM read_parquet('gcs://a/b')",
        "SELECT * FROM 'hf://datasets/a/b.csv'",
        "SELECT getenv('PATH')",
        "WITH a AS (INSERT INTO events VALUES (1)) SELECT 1",
        "WITH a AS (DELETE FROM events RETURNING *) SELECT * FROM a",
        "WITH a AS MATERIALIZED (COPY events TO '/tmp/x') SELECT 1",
        "SELECT * FROM (ATTACH '{lake}/events/x.db')",
        "ATTACH ':memory:' AS other",
        "DETACH memory",
        "COPY events TO '{lake}/events/date=2026-03-31/data.parquet'",
        "EXPORT DATABASE '{lake}/events'",
        "IMPORT DATABASE '{lake}/events'",
        "INSTALL httpfs FROM 'https://127.0.0.1:9/'",
        "FORCE INSTALL json",
        "LOAD '/tmp/evil.duckdb_extension'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET GLOBAL allowed_directories = ['/']",
        "RESET allowed_directories",
        "PRAGMA database_list",
        "PRAGMA disable_verification",
        "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
        "CREATE MACRO m() AS TABLE SELECT * FROM read_text('/etc/passwd')",
        "CREATE OR REPLACE VIEW events AS SELECT 1",
        "CREATE FUNCTION f(a) AS a",
        "CHECKPOINT",
        "VACUUM",
        "ANALYZE",
        "BEGIN; SELECT 1; COMMIT",
        "SELECT 1; SELECT * FROM read_text('/etc/passwd')",
        "SELECT 1 /* ; */; DROP VIEW events; --",
        "EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')",
        "EXECUTE x",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
        "SELECT * FROM which_secret('s3://a', 's3') , read_text('/etc/passwd')",
        "UPDATE events SET package = 'x'",
        "MERGE INTO events USING daily ON true WHEN MATCHED THEN DELETE",
        "TRUNCATE events",
        "COMMENT ON VIEW events IS 'x'",
        "SET VARIABLE a = (SELECT content FROM read_text('/etc/passwd'))",
    ],
)
def test_explore_reads_nothing_else(lake: Path, sql: str) -> None:
    before = sorted(os.walk(lake.parent))
    with pytest.raises(QueryError) as refused:
        run(lake, sql.format(lake=lake))
    assert "root:" not in str(refused.value)
    assert "canary" not in str(refused.value)
    assert sorted(os.walk(lake.parent)) == before
    assert run(lake, "SELECT count(*) FROM events").rows.item() == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM duckdb_secrets()",
        "SELECT current_setting('home_directory')",
        "SELECT * FROM duckdb_settings() WHERE value LIKE '%secret%'",
        "SELECT current_user, version(), getvariable('a')",
    ],
)
def test_what_explore_tells_of_itself_is_nothing_of_the_machine(lake: Path, sql: str) -> None:
    try:
        told = str(run(lake, sql).rows.rows())
    except QueryError:
        return
    for secret in (os.environ["HOME"], os.environ["PATH"], "canary"):
        assert secret == "/" or secret not in told


def test_a_large_answer_takes_no_more_memory_than_allowed(lake: Path) -> None:
    with pytest.raises(QueryError):
        run(lake, "SELECT list(range) FROM range(1000000000)", seconds=5)


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize(
    "path",
    [
        "/v2/packages/{}/events", "/v2/packages/o/{}/events", "/v2/companies/o/{}/events",
        "/v2/tracking-pixels/{}/events", "/{}", "/v2/packages/{}",
    ],
)  # fmt: skip
def test_no_parameter_is_a_path(lake: Path, path: str, text: str) -> None:
    target = path.format(text.replace("\0", "%00").replace("\n", "%0a").replace("?", "%3f"))
    days = f"start_date={TODAY}&end_date={TODAY}"
    asked = api_request.decide("GET", f"{target}?{days}&package={text}", "", authorized=True)
    if isinstance(asked, api_request.Events):
        pieces = exports.export(lake, asked.selection, asked.columns, asked.format)
        assert b"".join(pieces).count(b"\n") == 1, "a header and no row"
        assert "/" not in asked.file_name
    stranger = api_request.decide("GET", f"{target}?{days}", "", authorized=False)
    assert isinstance(stranger, api_request.Refusal)
    assert stranger.status in {401, 404}


@pytest.mark.parametrize(
    "text",
    ["=cmd|'/C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "'=1",
     '=HYPERLINK("https://evil.example","x")', "=1,2", '"=1'],
)  # fmt: skip
def test_no_cell_is_a_formula(tmp_path: Path, text: str) -> None:
    names = ("package", "artifact", "version", "referrer", "client", "variables", "company")
    write_lake(tmp_path, [event(TODAY, **dict.fromkeys(names, text))])
    for columns in ("scarf", "all"):
        pieces = exports.export(tmp_path, Selection(first=TODAY, last=TODAY), columns, "csv")
        content = b"".join(pieces)
        cells = pl.read_csv(content, infer_schema=False).row(0)
        assert any(text.strip("\t\r\n") in (cell or "") for cell in cells)
        for cell in cells:
            assert (cell or "")[:1] not in {*"=+@\t\r\n", "\uff1d", "\uff0b", "\uff20"}, cell


@pytest.mark.parametrize("module", [tokens, telemetry], ids=["api", "telemetry"])
def test_tokens_are_compared_in_constant_time(module: object) -> None:
    """By the one function that promises it; a comparison of digests by == is nowhere."""
    tree = ast.parse(Path(str(module.__file__)).read_text())  # type: ignore[attr-defined]
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "hmac.compare_digest" in called
    for compared in (node for node in ast.walk(tree) if isinstance(node, ast.Compare)):
        if isinstance(compared.comparators[0], ast.Constant):
            continue  # whether a digest is there, or is one at all
        words = ast.unparse(compared)
        assert not any(name in words for name in ("sha256", "digest", "secret", "shown")), words


def test_no_page_shows_html_of_strangers() -> None:
    """What Streamlit takes as HTML is put together where it is escaped, and nowhere else."""
    for file in (ROOT / "dashboard").rglob("*.py"):
        assert "unsafe_allow_html" not in file.read_text(), file
        assert "components.html" not in file.read_text(), file
        assert "unsafe_allow_javascript" not in file.read_text(), file
