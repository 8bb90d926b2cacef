"""Settings: each documented, each from flag, environment or default, each refused by name."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway import config
from gateway.__main__ import main, serve
from gateway.config import GatewayConfig, SettingError

ROOT = Path(__file__).parents[2]
ROUTES = """
[[route]]
type = "file"
domain = "get.acme.example"
package = "tool"
incoming-path = "/tool/{version}"
outgoing-url = "https://files.acme.example/{version}"
"""


def test_every_setting_is_an_option_and_is_documented() -> None:
    documented = (ROOT / "gateway/SETTINGS.md").read_text()
    options = {option.name: option for option in serve.params if isinstance(option, click.Option)}
    assert set(options) == set(GatewayConfig.__struct_fields__)
    for name, option in options.items():
        flag, variable = "--" + name.replace("_", "-"), "FOOTFALL_" + name.upper()
        assert option.opts == [flag]
        assert option.envvar == variable
        row = f"| `{flag}` | `{variable}` | "
        assert row in documented, f"SETTINGS.md lacks {flag}"
        if not option.required:
            shown = documented.split(row)[1].split(" |")[0].strip("`")
            assert shown == str(option.default).removesuffix(".0")


def test_options_that_nobody_gives_are_read_as_the_defaults_of_the_type() -> None:
    with serve.make_context("serve", []) as context:
        chosen = GatewayConfig(**context.params)
    assert chosen == GatewayConfig(routes=chosen.routes, data=chosen.data)


@pytest.mark.parametrize(
    ("text", "trusted"),
    [("0", 0), ("2", 2), ("10.0.0.0/8, fd00::/8", ("10.0.0.0/8", "fd00::/8")),
     ("10.0.0.1", ("10.0.0.1/32",))],
)  # fmt: skip
def test_trusted_proxies(text: str, trusted: object) -> None:
    assert config.read_trusted_proxies(text) == trusted


REFUSED = [
    ("port", ["--port", "99999"], ["--port", "FOOTFALL_PORT", "99999", "65535"]),
    ("port in words", ["--port", "http"], ["--port", "http"]),
    ("proxies", ["--trusted-proxies", "10.0.0.1/8"], ["--trusted-proxies", "10.0.0.1/8", "right"]),
    ("proxies, none", ["--trusted-proxies", ","], ["--trusted-proxies", "right would be"]),
    ("object store", ["--data", "s3://bucket/x"], ["--data", "s3://bucket/x", "right would be"]),
    ("rotation", ["--salt-rotation", "year"], ["--salt-rotation", "year", "week"]),
    ("workers", ["--workers", "0"], ["--workers", "0"]),
    ("seconds", ["--flush-seconds", "0"], ["--flush-seconds", "0.1"]),
    ("unknown", ["--prot", "1"], ["--prot", "--port"]),
    ("salts in the lake", ["--data", "x", "--salts", "x/salts"], ["--salts", "x/salts", "outside"]),
    ("no routes file", ["--routes", "missing.toml"], ["missing.toml"]),
]


@pytest.mark.parametrize(
    ("flags", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_bad_value_stops_the_start_and_says_what_would_be_right(
    flags: list[str], words: list[str]
) -> None:
    base = ["serve", "--routes", "data/routes.toml", "--data", "data/lake"]
    result = CliRunner(env={"COLUMNS": "400"}).invoke(main, [*base, *flags])
    assert result.exit_code in {1, 2}
    for word in words:
        assert word in result.output


def test_the_environment_is_read_and_named() -> None:
    result = CliRunner().invoke(main, ["serve"], env={"FOOTFALL_PORT": "nonsense"})
    assert result.exit_code == 2
    assert "FOOTFALL_ROUTES" in result.output or "FOOTFALL_PORT" in result.output


def test_a_lake_is_a_folder() -> None:
    with pytest.raises(SettingError, match="s3:// is not supported"):
        config.read_lake("s3://bucket/prefix")
    assert config.read_lake("data/lake") == Path("data/lake")


def test_settings_survive_the_way_to_another_process() -> None:
    chosen = GatewayConfig(routes=Path("r"), data=Path("d"), trusted_proxies=("10.0.0.0/8",))
    assert config.from_json(config.to_json(chosen), GatewayConfig) == chosen


@pytest.mark.parametrize("as_option", [True, False])
def test_check(tmp_path: Path, as_option: bool) -> None:  # noqa: FBT001 pytest passes it
    file = tmp_path / "routes.toml"
    command = ["check", "--routes", str(file)] if as_option else ["check", str(file)]
    file.write_text(ROUTES)
    assert CliRunner().invoke(main, command).exit_code == 0
    file.write_text(ROUTES + '[[route]]\ntype = "nonsense"\n')
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "routes.toml" in result.output
    assert "nonsense" in result.output


def test_import_scarf_writes_routes_that_pass_the_check(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(
        '{"rules": [{"type": "file-v1", "domain": "get.acme.example", "package-id": "x",'
        ' "incoming-path": "/a/{v}", "outgoing-url": "https://files.acme.example/{v}"}]}'
    )
    result = CliRunner().invoke(main, ["import-scarf", str(manifest)])
    assert result.exit_code == 0, result.output
    (tmp_path / "routes.toml").write_text(result.output)
    checked = CliRunner().invoke(main, ["check", str(tmp_path / "routes.toml")])
    assert checked.exit_code == 0, checked.output
    manifest.write_text("{")
    assert CliRunner().invoke(main, ["import-scarf", str(manifest)]).exit_code == 1
