"""The gateway's commands.

python -m gateway serve --routes data/routes.toml --data data/lake
python -m gateway check --routes data/routes.toml
python -m gateway explain get.acme.example/tool/latest/tool.tgz --as curl/8
python -m gateway doctor --routes data/routes.toml --data data/lake
python -m gateway import-scarf MANIFEST.json > routes.toml
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import click
import msgspec

from gateway import config, logs, routefile
from gateway.config import GatewayConfig, Rotation, SettingError
from gateway.explain_command import explain
from gateway.problems import RoutesError

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _setting(flag: str, **attributes: Any) -> Callable[[_Command], _Command]:
    """Make an option that reads a flag, else FOOTFALL_<FLAG>, else its default."""
    variable = "FOOTFALL_" + flag.removeprefix("--").replace("-", "_").upper()
    return click.option(
        flag, envvar=variable, show_envvar=True, show_default="default" in attributes, **attributes
    )


def _reading(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Turn a reader of a setting's text into a click callback that names the setting it refuses."""

    def callback(_context: click.Context, parameter: click.Parameter, value: str) -> Any:
        try:
            return read(value)
        except SettingError as error:
            raise click.BadParameter(str(error), param=parameter) from error

    return callback


@click.group(context_settings={"max_content_width": 100})
def main() -> None:
    """Answer downloads, and write one anonymous event for each."""


@main.command()
@_setting(
    "--routes",
    default="data/routes.toml",
    type=click.Path(path_type=Path),
    help="What to serve: a TOML file, or a Scarf manifest by the ending .json.",
)
@_setting(
    "--data",
    default="data/lake",
    callback=_reading(config.read_lake),
    help="The lake, a folder.",
)
@_setting("--host", default="127.0.0.1", help="The public address.")
@_setting("--port", default=8080, type=click.IntRange(0, 65535), help="The public port; 0: any.")
@_setting("--admin-host", default="127.0.0.1", help="The admin port's address.")
@_setting(
    "--admin-port", default=8081, type=click.IntRange(0, 65535), help="The admin port; 0: any."
)
@_setting("--workers", default=1, type=click.IntRange(1, 256), help="Processes that answer.")
@_setting(
    "--trusted-proxies",
    default="0",
    callback=_reading(config.read_trusted_proxies),
    help="Whose X-Forwarded-For is believed: 0 nobody's, a number of hops, or networks.",
)
@_setting(
    "--flush-seconds",
    default=1.0,
    type=click.FloatRange(0.1, 3600),
    help="How old an event gets before it goes from the journal into a Parquet file.",
)
@_setting(
    "--ip-data",
    default="data/ip",
    type=click.Path(path_type=Path),
    help="A folder of MMDB files that say where addresses are.",
)
@_setting(
    "--salts",
    default="data/salts",
    type=click.Path(path_type=Path),
    help="A folder outside the lake for the salts of the ids.",
)
@_setting(
    "--salt-rotation",
    default="day",
    type=click.Choice(get_args(Rotation)),
    help="How long one salt is in use, and so how long an id means the same visitor.",
)
@_setting(
    "--tag-seconds",
    default=10.0,
    type=click.FloatRange(0, 86_400),
    help="How long an image's tag is believed before its registry is asked again.",
)
@_setting(
    "--document-seconds",
    default=30.0,
    type=click.FloatRange(0, 86_400),
    help="The same for index pages and packuments.",
)
@_setting(
    "--revalidate-seconds",
    default=120.0,
    type=click.FloatRange(0, 86_400),
    help="For how long beyond that one is still answered at once, and asked for behind the answer.",
)
@_setting(
    "--patience-seconds",
    default=3.0,
    type=click.FloatRange(0, 60),
    help="How long a client waits for a newer one where an older one is held.",
)
@_setting(
    "--stale-seconds",
    default=86_400.0,
    type=click.FloatRange(0, 31_536_000),
    help="How old an index page or packument may be served while its upstream is down or slow.",
)
@_setting(
    "--connect-seconds",
    default=10.0,
    type=click.FloatRange(0.1, 3600),
    help="How long a connection to an upstream may take.",
)
@_setting(
    "--read-seconds",
    default=60.0,
    type=click.FloatRange(0.1, 3600),
    help="How long an upstream may send nothing.",
)
@_setting(
    "--cache",
    default="data/cache",
    type=click.Path(path_type=Path),
    help="A folder for manifests, which the workers share.",
)
@_setting(
    "--cache-mb",
    default=256,
    type=click.IntRange(0, 1_048_576),
    help="How many megabytes of manifests that folder keeps; 0: none.",
)
@_setting(
    "--manifest-memory-mb",
    default=64,
    type=click.IntRange(0, 1_048_576),
    help="How many megabytes of manifests each worker keeps in memory.",
)
@_setting(
    "--document-memory-mb",
    default=256,
    type=click.IntRange(0, 1_048_576),
    help="The same for index pages and packuments.",
)
@_setting(
    "--telemetry-rate",
    default=600,
    type=click.IntRange(0, 1_000_000),
    help="Telemetry and install reports that one address may send a minute; 0: any number.",
)
def serve(**settings: Any) -> None:
    """Serve the routes, until SIGTERM or SIGINT."""
    chosen = GatewayConfig(**settings)
    logs.configure("supervisor")
    try:
        config.check_salts(chosen.salts, chosen.data)
    except SettingError as error:
        raise click.BadParameter(
            str(error), param_hint="'--salts' (env var: FOOTFALL_SALTS)"
        ) from error
    # Refused here, with every problem, rather than by each worker again and again.
    routes = _good(chosen.routes)
    from gateway.supervisor import supervise  # noqa: PLC0415 the other commands need no server

    try:
        supervise(chosen, routes)
    except SettingError as error:
        raise click.UsageError(str(error)) from error


@main.command()
@_setting("--routes", type=click.Path(path_type=Path), help="The routes file.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(routes: Path | None, file: Path | None) -> None:
    """Report every problem in a routes file, with its place. The status is 1 if there is any."""
    path = file or routes
    if path is None:
        raise click.UsageError(
            "no routes file; right would be: python -m gateway check --routes FILE"
        )
    problems = routefile.check(path)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        sys.exit(1)
    click.echo(f"{path}: no problems")


@main.command("import-scarf")
@click.argument("manifest", type=click.Path(path_type=Path))
def import_scarf(manifest: Path) -> None:
    """Convert a Scarf manifest to a routes file in TOML, on the standard output."""
    try:
        click.echo(routefile.manifest_to_toml(manifest), nl=False)
    except (RoutesError, OSError) as error:
        _fail(str(error))


main.add_command(explain)


@click.pass_context
def _doctor(context: click.Context, /, **settings: Any) -> None:
    """Examine a deployment and say what to do; the status is 1 if something is broken.

    Takes the settings that `serve` takes.
    """
    from gateway.doctor.examination import Extras, examine  # noqa: PLC0415 only here
    from gateway.doctor.finding import is_sound  # noqa: PLC0415

    as_json = settings.pop("as_json")
    extras = Extras(**{name: settings.pop(name) for name in Extras.__struct_fields__})
    findings = list(examine(GatewayConfig(**settings), extras))
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    else:
        for finding in findings:
            click.echo(str(finding))
    context.exit(0 if is_sound(findings) else 1)


main.add_command(
    click.Command(
        "doctor",
        callback=_doctor,
        help=_doctor.__doc__,
        params=[
            *serve.params,
            click.Option(["--dashboard-port"], type=int, help="Also look whether it answers."),
            click.Option(["--api-port"], type=int, help="Also look whether it answers."),
            click.Option(
                ["--tls-port"], type=int, default=443, show_default=True,
                help="Where the domains' certificates are.",
            ),
            click.Option(
                ["--network/--no-network"], default=True, help="Whether to look the domains up."
            ),
            click.Option(["--json", "as_json"], is_flag=True, help="Print a JSON array."),
        ],
    )
)  # fmt: skip


def _good(path: Path) -> bytes:
    """Return the content of a routes file that can be served."""
    try:
        content = routefile.content_of(path)
        routefile.load(path, content)
    except RoutesError as error:
        _fail(str(error))
    return content


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m gateway")
