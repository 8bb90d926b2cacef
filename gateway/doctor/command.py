"""The command `doctor`: a deployment examined, from the settings that it is served with."""

from typing import Any

import click
import msgspec

from gateway.config import GatewayConfig
from gateway.doctor.examination import Extras, examine
from gateway.doctor.finding import is_sound
from gateway.options import SETTINGS


@click.command(params=[*SETTINGS])
@click.option("--dashboard-port", type=int, help="Also look whether it answers.")
@click.option("--api-port", type=int, help="Also look whether it answers.")
@click.option(
    "--tls-port", default=443, show_default=True, help="Where the domains' certificates are."
)
@click.option("--network/--no-network", default=True, help="Whether to look the domains up.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_context
def doctor(context: click.Context, /, *, as_json: bool, **settings: Any) -> None:
    """Examine a deployment and say what to do; the status is 1 if something is broken.

    Takes the settings that `serve` takes.
    """
    extras = Extras(**{name: settings.pop(name) for name in Extras.__struct_fields__})
    findings = list(examine(GatewayConfig(**settings), extras))
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    else:
        for finding in findings:
            click.echo(str(finding))
    context.exit(0 if is_sound(findings) else 1)
