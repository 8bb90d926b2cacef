"""Requests against the API's real process: made up from its own description, right and wrong ones,
and some by hand that two servers could read in two ways.
"""

import re
import socket
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


def statuses(api: Api, data: bytes) -> list[int]:
    """Send bytes as they are; return the statuses of all answers, each as long as it says."""
    with socket.create_connection(("127.0.0.1", api.port), 30) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        rest = connection.makefile("rb").read()
    found = []
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        answer = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        length = re.search(rb"(?i)\ncontent-length: (\d+)", head)
        assert answer is not None, head
        assert length is not None, head
        found.append(int(answer[1]))
        rest = rest[int(length[1]) :]
    return found


NEXT = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
TO_NOWHERE = b"POST /v2/none HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        pytest.param(b"", [], id="nothing before"),
        pytest.param(NEXT, [200], id="another request"),
        pytest.param(NEXT.replace(b"GET", b"head"), [405], id="head in small letters"),
    ],
)
def test_an_answer_is_as_long_as_it_says(api: Api, data: bytes, wanted: list[int]) -> None:
    assert statuses(api, data + NEXT) == [*wanted, 200]


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2;a=\n\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
        b"Transfer-Encoding: identity\r\n\r\n",
        b"Content-Length: 9000\r\n\r\n" + bytes(9000),
    ],
)
def test_a_request_with_a_body_is_the_last_on_its_connection(api: Api, body: bytes) -> None:
    (status,) = statuses(api, TO_NOWHERE + body + NEXT)
    assert status // 100 == 4
