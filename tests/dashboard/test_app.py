"""The whole app, page by page, on lakes in every state."""

import datetime as dt
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import busy_rows, event, write_lake

DASHBOARD = Path(__file__).parents[2] / "dashboard"
PAGES = sorted(path.stem for path in (DASHBOARD / "views").glob("*.py"))
PAGES = [name for name in PAGES if name not in {"__init__", "parts"}]
NOW = dt.datetime.now(dt.UTC).date()

pages = pytest.mark.parametrize("page", PAGES)


def open_app(
    monkeypatch: pytest.MonkeyPatch, lake: Path, page: str = "overview", **address: str
) -> AppTest:
    """The app as a reader sees it who follows a link."""
    st.cache_data.clear()
    monkeypatch.setattr(sys, "argv", ["app.py", "--data", str(lake)])
    app = AppTest.from_file(DASHBOARD / "app.py", default_timeout=30)
    for key, value in address.items():
        app.query_params[key] = value
    if page != "overview":
        app.switch_page(f"views/{page}.py")
    app.run()
    assert not app.exception, app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def said(app: AppTest) -> str:
    """All the prose of a page."""
    kinds = ("caption", "info", "warning", "error", "title", "subheader")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


@pytest.fixture(scope="module")
def live_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A busy lake whose last day is today."""
    return write_lake(tmp_path_factory.mktemp("live"), busy_rows(today=NOW))


@pages
def test_every_page_draws(monkeypatch: pytest.MonkeyPatch, live_lake: Path, page: str) -> None:
    app = open_app(monkeypatch, live_lake, page)
    assert app.title[0].value == page.capitalize()
    assert not app.error
    assert not app.warning
    assert not app.info


@pages
def test_an_empty_lake_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: str
) -> None:
    app = open_app(monkeypatch, tmp_path / "none", page)
    [info] = app.info
    assert "python -m pipeline demo --data" in info.value
    assert str(tmp_path) in info.value


@pages
def test_a_damaged_lake_is_an_error_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: str
) -> None:
    write_lake(tmp_path, [event(NOW)])
    (tmp_path / f"daily/date={NOW}/data.parquet").write_bytes(b"PAR1 half a file")
    app = open_app(monkeypatch, tmp_path, page)
    assert "data.parquet" in app.error[0].value
    assert "python -m pipeline rebuild" in app.error[0].value


@pages
def test_a_period_without_events_is_said(
    monkeypatch: pytest.MonkeyPatch, live_lake: Path, page: str
) -> None:
    app = open_app(monkeypatch, live_lake, page, **{"from": "2020-01-01", "to": "2020-01-31"})
    assert not app.error
    if page != "explore":
        assert "1 to 31 Jan 2020" in said(app)


@pages
def test_nonsense_in_the_address_shows_the_defaults(
    monkeypatch: pytest.MonkeyPatch, live_lake: Path, page: str
) -> None:
    nonsense = {
        "from": "yesterday", "period": "eternity", "traffic": "aliens", "counted": "%00",
        "package": "'; DROP TABLE events", "company": "<script>", "of": "nothing",
    }  # fmt: skip
    app = open_app(monkeypatch, live_lake, page, **nonsense)
    assert not app.error


def test_the_numbers_are_those_of_the_lake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [event(NOW, origin_id=1, country="DE", company="Globex", company_kind="business")] * 3
    rows += [event(NOW, origin_id=2, country="FR"), event(NOW, event_type="view")]
    rows += [event(NOW, traffic="bot")] * 5
    rows += [event(NOW - dt.timedelta(days=40), origin_id=1)] * 2
    app = open_app(monkeypatch, write_lake(tmp_path, rows))
    assert metrics(app) == {
        "Installs": "4", "Daily uniques": "2", "Companies": "1", "Countries": "2",
        "Page views": "1", "Telemetry": "0",
    }  # fmt: skip
    assert app.metric[0].delta == "+100 %"
    assert "Hidden: 5 by bots" in said(app)


def test_a_change_that_compares_a_part_of_today_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    days = [NOW - dt.timedelta(days=back) for back in range(4)]
    lake = write_lake(tmp_path, [event(day) for day in days])
    assert "Today is not over" in said(open_app(monkeypatch, lake, period="today"))
    whole = {"from": str(days[1]), "to": str(days[1])}
    app = open_app(monkeypatch, lake, **whole)
    assert app.metric[0].delta == "0 %"
    assert "Today is not over" not in said(app)


def test_a_link_reproduces_the_view(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [event(NOW, package_id="a")] * 3 + [event(NOW, package_id="b", traffic="bot")] * 2
    lake = write_lake(tmp_path, rows)
    app = open_app(monkeypatch, lake, period="7d", package="b", traffic="bot,mirror")
    assert metrics(app)["Installs"] == "2"
    assert app.multiselect[0].value == ["b"]


def test_a_change_of_the_filters_is_in_the_address(
    monkeypatch: pytest.MonkeyPatch, live_lake: Path
) -> None:
    app = open_app(monkeypatch, live_lake)
    before = metrics(app)["Installs"]
    app.multiselect[0].set_value(["cli"]).run()
    assert app.query_params["package"] == "cli"
    assert int(metrics(app)["Installs"]) < int(before)
    app.toggle[0].set_value(False).run()
    assert app.query_params["counted"] == "all"
    assert "Requests" in metrics(app)
    app.date_input[0].set_value(NOW - dt.timedelta(days=3)).run()
    assert app.query_params["from"] == str(NOW - dt.timedelta(days=3))
    assert app.query_params["to"] == str(NOW)
    assert app.query_params["package"] == "cli"


def test_demo_numbers_are_marked_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lake = write_lake(tmp_path, busy_rows(prefix="demo:", days=3, today=NOW))
    app = open_app(monkeypatch, lake, "companies")
    assert f"python -m pipeline purge --demo --data {lake}" in app.warning[0].value


def test_new_events_are_seen_without_a_restart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = open_app(monkeypatch, write_lake(tmp_path, [event(NOW)]))
    assert metrics(app)["Installs"] == "1"
    new = write_lake(tmp_path / "new", [event(NOW)] * 2)
    for table in ("events", "daily"):
        file = f"{table}/date={NOW}/data.parquet"
        (new / file).replace(tmp_path / file)
    from dashboard import warehouse  # noqa: PLC0415  its caches are the subject

    warehouse._stamp.clear()  # else a second has to pass  # noqa: SLF001
    app.run()
    assert metrics(app)["Installs"] == "2"


def headings(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html")]


def test_a_company_is_shown_by_its_link(monkeypatch: pytest.MonkeyPatch, live_lake: Path) -> None:
    app = open_app(monkeypatch, live_lake, "companies", company="Initech")
    assert "<h3>Initech</h3>" in headings(app)
    app.button[0].click().run()
    assert "company" not in app.query_params
    assert "<h3>Initech</h3>" not in headings(app)


def test_versions_remember_their_package(monkeypatch: pytest.MonkeyPatch, live_lake: Path) -> None:
    app = open_app(monkeypatch, live_lake, "versions", of="sdk")
    assert app.selectbox[0].value == "sdk"
    app.selectbox[0].set_value("desktop").run()
    assert app.query_params["of"] == "desktop"


def test_explore_answers_and_refuses(monkeypatch: pytest.MonkeyPatch, live_lake: Path) -> None:
    app = open_app(monkeypatch, live_lake, "explore")
    app.text_area[0].set_value("SELECT count(*) AS n FROM events")
    app.button[0].click().run()
    assert app.dataframe[0].value["n"].to_list() == [len(busy_rows(today=NOW))]
    app.text_area[0].set_value("DROP VIEW events")
    app.button[0].click().run()
    assert "Only statements that read" in app.error[0].value


def test_export_shows_the_same_as_commands(
    monkeypatch: pytest.MonkeyPatch, live_lake: Path
) -> None:
    app = open_app(monkeypatch, live_lake, "export", package="sdk", period="7d")
    start = NOW - dt.timedelta(days=6)
    for code in (element.value for element in app.code):
        assert str(start) in code
        assert "sdk" in code
    assert f"--data {live_lake}" in app.code[0].value
