"""Requests made up from the API's own description, right and wrong ones, against a real process."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from dashboard.openapi import document
from tests.dashboard.conftest import busy_rows, write_lake
from tests.dashboard.test_api import Api, served

EXAMPLES = 15

SCHEMA = schemathesis.openapi.from_dict(document())
# A description cannot say that one day is not before another.
WHAT_DESCRIPTIONS_CANNOT_SAY = "it must not be before start_date"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    home = tmp_path_factory.mktemp("api-schema")
    with served(write_lake(home / "lake", busy_rows(days=3)), home) as api:
        yield api
    assert "Traceback" not in api.log.read_text()


def url(api: Api) -> str:
    return f"http://127.0.0.1:{api.port}"


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
)
def test_every_answer_is_one_that_is_described(case: schemathesis.Case, api: Api) -> None:
    # Among the checks: no 5xx, no status or type that is not described, nothing without a token.
    headers = {"Authorization": f"Bearer {api.token}"}
    response = case.call(url(api), headers=headers)
    excluded: list[schemathesis.CheckFunction] = []
    if response.status_code == 400 and WHAT_DESCRIPTIONS_CANNOT_SAY in response.text:
        excluded.append(positive_data_acceptance)
    case.validate_response(response, headers=headers, excluded_checks=excluded)


def test_the_description_is_served_to_anybody(api: Api) -> None:
    answer = api.ask("/openapi.json", Authorization="")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == document()
