"""Caddy in front: certificates on demand, for the domains that the gateway serves and no others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.footfall import curate, gateway, rows
from tests.oci import make_layout, push, registry
from tests.programs import free_port, need, run, running

pytestmark = pytest.mark.clients

# What curl is told to resolve, and what every resolver resolves.
HOST = "127.0.0.1"
DOMAIN, IMAGES = "get.acme.localhost", "localhost"


@contextmanager
def caddy(home: Path, upstream: str, admin_port: int) -> Iterator[int]:
    """Serve HTTPS in front of a gateway; yields the port."""
    port = free_port(HOST)
    config = home / "Caddyfile"
    config.write_text(
        f"""
        {{
            admin off
            auto_https disable_redirects
            skip_install_trust
            storage file_system {home}/caddy
            on_demand_tls {{
                ask http://127.0.0.1:{admin_port}/-/tls-ask
            }}
        }}
        https://:{port} {{
            bind {HOST}
            tls internal {{
                on_demand
            }}
            reverse_proxy {upstream}
        }}
        """
    )
    with running(
        ["caddy", "run", "--adapter", "caddyfile", "--config", config],
        host=HOST, port=port, log=home / "caddy.log",
        env={"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)},
    ):  # fmt: skip
        yield port


def test_https_with_certificates_on_demand(tmp_path: Path) -> None:
    need("caddy", "curl", "docker-registry", "skopeo")
    make_layout(tmp_path / "layout")
    with registry(tmp_path) as images:
        push(tmp_path / "layout", images, "acme/hello:1.0")
        routes = f"""
            [[route]]
            type = "file"
            domain = "{DOMAIN}"
            package = "tool"
            incoming-path = "/tool/{{version}}"
            outgoing-url = "https://files.acme.example/{{version}}"

            [[route]]
            type = "docker"
            domain = "{IMAGES}"
            image = "hello"
            registry = "http://{images}"
            repository = "acme/hello"

            [[route]]
            type = "python"
            domain = "{DOMAIN}"
            package = "thing"

            [[route.files]]
            url = "https://files.acme.example/thing-1.0-py3-none-any.whl"
        """
        with (
            gateway(tmp_path, routes, "--trusted-proxies", "1") as footfall,
            caddy(tmp_path, footfall.authority, footfall.admin_port) as port,
        ):
            root = tmp_path / "caddy/pki/authorities/local/root.crt"
            curl = ["curl", "--silent", "--show-error", "--cacert", root, "--max-time", "20"]

            def at(domain: str) -> list[str]:
                return ["--resolve", f"{domain}:{port}:{HOST}"]

            answer = run(
                [*curl, *at(DOMAIN), "--header", "X-Forwarded-For: 8.8.8.8",
                 "--header", "X-Forwarded-Host: evil.example", "--output", "/dev/null",
                 "--write-out", "%{http_code} %{redirect_url}", f"https://{DOMAIN}:{port}/tool/1.2"]
            )  # fmt: skip
            assert answer == "307 https://files.acme.example/1.2"
            page = run([*curl, *at(DOMAIN), f"https://{DOMAIN}:{port}/simple/thing/"])
            assert f"https://{DOMAIN}:{port}/" in page
            (tmp_path / "certificates").mkdir()
            (tmp_path / "certificates/ca.crt").write_bytes(root.read_bytes())
            run(
                ["skopeo", "copy", "--quiet", "--override-os=linux", "--override-arch=arm64",
                 "--src-cert-dir", tmp_path / "certificates",
                 f"docker://{IMAGES}:{port}/hello:1.0", f"oci:{tmp_path / 'copy'}:1.0"]
            )  # fmt: skip
            # Nobody gets a certificate for a domain that no route names.
            refused = run(
                ["sh", "-c", '! "$@" 2>&1', "sh", *curl, *at("evil.localhost"),
                 f"https://evil.localhost:{port}/"]
            )  # fmt: skip
            assert "alert" in refused, refused
    curate(footfall.lake)
    assert rows(
        footfall.lake,
        # A forwarded address that Caddy did not write would have a country.
        "SELECT package, host, client, version, platform, country FROM lake WHERE counted"
        " ORDER BY package DESC",
    ) == [
        {"package": "tool", "host": DOMAIN, "client": "curl", "version": "1.2",
         "platform": None, "country": None},
        {"package": "hello", "host": IMAGES, "client": "skopeo", "version": "1.0",
         "platform": "linux/arm64", "country": None},
    ]  # fmt: skip
