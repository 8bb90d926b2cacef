"""A manifest written for Scarf Gateway is served as it is, and every redirect becomes one row."""

import http.client
import json
from pathlib import Path

from tests.footfall import curate, gateway, rows

REDIRECTS = 2_000

MANIFEST = {
    "rules": [
        {
            "type": "file-v1",
            "domain": "get.acme.example",
            "package-id": "5b0e2b44-4f0a-4b44-9f0e-5d2f6c1d8a10",
            "incoming-path": "/tool/{version}/{file}",
            "outgoing-url": "https://files.acme.example/{version}/{file}",
        }
    ]
}


def test_two_thousand_redirects_through_one_worker_are_two_thousand_rows(tmp_path: Path) -> None:
    manifest = json.dumps(MANIFEST)
    with gateway(tmp_path, manifest, routes_name="manifest.json") as footfall:
        client = http.client.HTTPConnection(footfall.host, footfall.port, timeout=10)
        for number in range(REDIRECTS):
            client.request(
                "GET",
                f"/tool/1.0.{number}/tool.tar.gz",
                headers={"Host": "get.acme.example", "User-Agent": f"curl/8.{number % 7}"},
            )
            answer = client.getresponse()
            answer.read()
            assert answer.status == 307
            assert answer.getheader("Location") == (
                f"https://files.acme.example/1.0.{number}/tool.tar.gz"
            )
            assert answer.getheader("Cache-Control") == "no-store"
        client.close()
    curate(footfall.lake)

    assert rows(
        footfall.lake,
        "SELECT count(*) AS n, count(DISTINCT event_id) AS ids, count(DISTINCT version) AS versions"
        " FROM lake WHERE counted",
    ) == [{"n": REDIRECTS, "ids": REDIRECTS, "versions": REDIRECTS}]
