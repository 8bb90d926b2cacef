"""What each container client asks for, as a file: the requests of a story and the rows they become.

A line is: seconds, method, what is asked for, the verdict, and the row's version and platform, "-"
for none. `1.0=index` is a tag and what it points to, `@amd64` a digest; `redirected` says that the
gateway saw only the requests.
"""

import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.conftest import NOON, raw_row
from tests.pipeline.test_count import OCI_INDEX, OCI_MANIFEST, curated

CASES = Path(__file__).parent / "cases/pulls"
EVENT_TYPES = {"manifests": "pull", "blobs": "blob", "referrers": "metadata"}
NAMES = (
    "index", "amd64", "arm64", "newer", "newer64", "single", "chart",
    "config", "config2", "layer1", "layer2",
)  # fmt: skip
DIGESTS = {name: f"sha256:{number:064x}" for number, name in enumerate(NAMES, 1)}
TAGS = {"SIGNATURE": f"sha256-{'a' * 64}.sig", "ATTESTATION": f"sha256-{'a' * 64}.att"}
CHILDREN = {
    "amd64": ("index", "linux/amd64"),
    "arm64": ("index", "linux/arm64"),
    "newer64": ("newer", "linux/amd64"),
}


def _known(name: str) -> dict[str, str]:
    """What a proxying gateway knows of a manifest."""
    known = {"digest": DIGESTS[name], "media_type": OCI_MANIFEST}
    if name in {"index", "newer"}:
        known["media_type"] = OCI_INDEX
    if name in CHILDREN:
        parent, known["platform"] = CHILDREN[name]
        known["index"] = DIGESTS[parent]
    return known


def _row(line: str, user_agent: str, *, redirected: bool) -> dict[str, Any]:
    after, method, path = line.split()[:3]
    endpoint, _, asked = path.partition("/")
    tag, _, name = asked.rpartition("=") if "=" in asked else ("", "", asked)
    is_digest = asked.startswith("@")
    name = name.removeprefix("@")
    reference = DIGESTS[name] if is_digest else TAGS.get(tag or asked, tag or asked)
    is_seen = endpoint == "manifests" and not redirected
    return raw_row(
        event_time=NOON.replace(hour=0) + dt.timedelta(seconds=float(after)),
        event_type=EVENT_TYPES[endpoint],
        route_type="docker",
        artifact="acme/tool",
        version=reference if endpoint == "manifests" and not is_digest else None,
        reference=reference,
        method=method,
        status=307 if redirected else 200,
        variables=json.dumps(_known(name) if is_seen else {}),
        user_agent=user_agent,
        origin_id=1,
        endpoint_id=1,
    )


def _expected(line: str) -> tuple[str | None, str | None, str | None]:
    reason, version, platform = (*line.split()[3:], "-", "-")[:3]
    return (
        None if reason == "counted" else reason,
        None if version == "-" else TAGS.get(version, version),
        None if platform == "-" else platform,
    )


@pytest.mark.parametrize("case", sorted(CASES.glob("*.toml")), ids=lambda case: case.stem)
def test_a_client_s_requests_become_these_rows(case: Path) -> None:
    story = tomllib.loads(case.read_text())
    assert set(story) <= {"user-agent", "requests", "redirected"}
    lines = story["requests"].strip().splitlines()
    redirected = story.get("redirected", False)
    events = curated([_row(line, story["user-agent"], redirected=redirected) for line in lines])
    verdicts = events.select("not_counted_because", "version", "platform").rows()
    assert verdicts == [_expected(line) for line in lines]
    assert events["counted"].to_list() == [reason is None for reason, _, _ in verdicts]
