"""API.md leaves nothing out and promises nothing that is not there."""

import re
from typing import Any

import click
import pytest

from dashboard import api, api_request, rates
from dashboard.__main__ import TOKENS, main
from dashboard.api_request import Refusal, decide
from dashboard.export_columns import CURATED, SCARF
from dashboard.export_formats import FORMULA_STARTS, MEDIA_TYPES
from dashboard.openapi import document
from pipeline.schema import TRAFFIC
from tests.programs import ROOT

DOCUMENT = (ROOT / "dashboard" / "API.md").read_text()


def section(title: str) -> str:
    _, found, rest = DOCUMENT.partition(f"\n## {title}\n")
    assert found, f"API.md has no section {title!r}"
    return rest.partition("\n## ")[0]


def table(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_scarf_columns_are_listed_in_order_with_their_source() -> None:
    expected = [[f"`{column.name}`", column.meaning] for column in SCARF]
    assert table("Columns: scarf") == expected


def test_our_own_columns_are_listed_in_order() -> None:
    listed = section("Columns: all").rpartition("each.\n")[2]
    assert words(listed) == [column.name for column in CURATED]


def test_every_address_is_served_and_described() -> None:
    described = [words(row[0])[0].removeprefix("GET ") for row in table("Addresses")]
    for path in described:
        filled = re.sub(r"\{(\w+)\}", r"some-\1", path)
        answer = decide("POST", filled, "", authorized=True)
        assert isinstance(answer, Refusal)
        assert answer.status == 405, path
    kinds = {path.split("/")[2] for path in described if path.startswith("/v2/")}
    for kind in ("packages", "tracking-pixels", "companies", "organizations", "imports"):
        tried = [f"/v2/{kind}/o", f"/v2/{kind}/o/events", f"/v2/{kind}/o/x/events"]
        answers = [decide("GET", path, "", authorized=False) for path in tried]
        served = any(isinstance(answer, Refusal) and answer.status == 401 for answer in answers)
        assert served == (kind in kinds)


def test_the_description_for_programs_has_the_same_addresses() -> None:
    described = [words(row[0])[0].removeprefix("GET ") for row in table("Addresses")]
    assert list(document()["paths"]) == described


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/v2/packages/{owner}/events", "Parameters of events"),
        ("/v2/packages/{owner}", "Parameters of the package list"),
    ],
)
def test_the_description_for_programs_has_the_same_parameters(path: str, title: str) -> None:
    get = document()["paths"][path]["get"]
    listed = {each["name"]: each for each in get["parameters"] if each["in"] == "query"}
    described = {words(name)[0]: meaning for name, meaning in table(title)}
    assert set(listed) == set(described)
    for name, meaning in described.items():
        assert listed[name]["required"] == ("required" in meaning), name


def test_the_description_for_programs_has_the_same_statuses_and_formats() -> None:
    operations = [get["get"] for get in document()["paths"].values()]
    statuses = {status for operation in operations for status in operation["responses"]}
    # What is no HTTP has statuses of its own, of which a long address is the one that is met.
    assert statuses == {row[0] for row in table("Statuses")} | {"413"}
    answers = document()["paths"]["/v2/packages/{owner}/events"]["get"]["responses"]
    assert list(answers["200"]["content"]) == list(MEDIA_TYPES.values())


@pytest.mark.parametrize(
    ("title", "parameters"),
    [
        ("Parameters of events", api_request.EVENT_PARAMETERS),
        ("Parameters of the package list", api_request.LIST_PARAMETERS),
    ],
)
def test_every_parameter_is_described(title: str, parameters: tuple[str, ...]) -> None:
    assert sorted(words(row[0])[0] for row in table(title)) == sorted(parameters)


def test_every_kind_of_traffic_is_named() -> None:
    [described] = [row[1] for row in table("Parameters of events") if row[0] == "`traffic`"]
    assert set(words(described)) == set(TRAFFIC)


def test_the_page_sizes_are_right() -> None:
    [described] = [
        row[1] for row in table("Parameters of the package list") if row[0] == "`per_page`"
    ]
    assert re.findall(r"\d+", described) == [
        "1", str(api_request.PAGE_LIMIT), str(api_request.PAGE_DEFAULT),
    ]  # fmt: skip


def test_every_format_is_described() -> None:
    assert [words(row[0])[0] for row in table("Formats")] == list(MEDIA_TYPES.values())


def test_every_start_of_a_formula_is_described() -> None:
    described = " ".join(section("Formats").split())
    for start in FORMULA_STARTS:
        name = {"\t": "a tab", "\r": "line break", "\n": "line break", "'": "apostrophe"}.get(start)
        if name is None and start.isascii():
            name = f"`{start}`"
        assert (name or "full width") in described


def test_every_status_is_described() -> None:
    described = {(int(row[0]), *words(row[1])) for row in table("Statuses")}
    source = "".join(
        (ROOT / "dashboard" / name).read_text() for name in ("api.py", "api_request.py")
    )
    refused = re.findall(r'Refusal\(\s*(\d{3}|error\.status_code),\s*"([a-z-]+)"', source)
    decided = {(int(status) if status.isdigit() else 400, code) for status, code in refused}
    assert len(decided) >= 6
    assert described == {(200,), *decided}


def test_the_limits_are_those_of_the_code() -> None:
    limits = {
        row[0]: [int(number) for number in re.findall(r"\d+", row[1])] for row in table("Limits")
    }
    [rate] = [option for option in main.commands["api"].params if option.name == "rate"]
    assert list(limits.values()) == [
        [rate.default, 0],
        [rates.EXPORTS],
        [api.BODY_BYTES, 413],
        [api.HEADER_BYTES, 413],
        [api.HEADER_SECONDS],
    ]
    assert isinstance(rate, click.Option)
    assert rate.envvar == "FOOTFALL_RATE"


def options() -> dict[str, Any]:
    return {option.opts[0]: option for option in main.commands["export"].params}


def test_every_option_of_the_command_is_described() -> None:
    described = [name for row in table("The command") for name in words(row[0])]
    assert sorted(described) == sorted(options())
    for name, option in options().items():
        assert isinstance(option, click.Option)
        expected = None if name == "-o" else "FOOTFALL_" + name.lstrip("-").upper()
        assert option.envvar == expected


def test_the_tokens_file_is_where_the_document_says() -> None:
    assert f"`{TOKENS}`" in section("Tokens")
