"""The gateway's commands.

python -m gateway serve --routes data/routes.toml --data data/lake
python -m gateway check --routes data/routes.toml
python -m gateway explain get.acme.example/tool/latest/tool.tgz --as curl/8
python -m gateway doctor --routes data/routes.toml --data data/lake
python -m gateway import-scarf MANIFEST.json > routes.toml
"""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from gateway import config, logs, routefile
from gateway.config import GatewayConfig, SettingError
from gateway.doctor.command import doctor
from gateway.explain_command import explain
from gateway.options import SETTINGS
from gateway.problems import RoutesError


@click.group(context_settings={"max_content_width": 100})
def main() -> None:
    """Answer downloads, and write one anonymous event for each."""


@main.command(params=[*SETTINGS])
def serve(**settings: Any) -> None:
    """Serve the routes, until SIGTERM or SIGINT."""
    chosen = GatewayConfig(**settings)
    logs.configure("supervisor", chosen.log_format)
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
@click.option(
    "--routes",
    envvar="FOOTFALL_ROUTES",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The routes file.",
)
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
main.add_command(doctor)


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
