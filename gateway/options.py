"""The options of `serve` and `doctor`: each a flag, else FOOTFALL_<FLAG>, else its default."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args

import click

from gateway import config
from gateway.config import GatewayConfig, LogFormat, Rotation, SettingError

_DEFAULTS = GatewayConfig(routes=Path("data/routes.toml"), data=Path("data/lake"))


def _setting(flag: str, **attributes: Any) -> click.Option:
    name = flag.removeprefix("--").replace("-", "_")
    return click.Option(
        [flag],
        # As text, for what a callback reads.
        default=str(getattr(_DEFAULTS, name)),
        envvar=f"FOOTFALL_{name.upper()}",
        show_envvar=True,
        show_default=True,
        **attributes,
    )


def _reading(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Turn a reader of a setting's text into a click callback that names the setting it refuses."""

    def callback(_context: click.Context, parameter: click.Parameter, value: str) -> Any:
        try:
            return read(value)
        except SettingError as error:
            raise click.BadParameter(str(error), param=parameter) from error

    return callback


SETTINGS: Final = (
    _setting(
        "--routes",
        type=click.Path(path_type=Path),
        help="What to serve: a TOML file, or a Scarf manifest by the ending .json.",
    ),
    _setting("--data", callback=_reading(config.read_lake), help="The lake, a folder."),
    _setting("--host", help="The public address."),
    _setting("--port", type=click.IntRange(0, 65535), help="The public port; 0: any."),
    _setting("--admin-host", help="The admin port's address."),
    _setting("--admin-port", type=click.IntRange(0, 65535), help="The admin port; 0: any."),
    _setting("--workers", type=click.IntRange(1, 256), help="Processes that answer."),
    _setting(
        "--trusted-proxies",
        callback=_reading(config.read_trusted_proxies),
        help="Whose X-Forwarded-For is believed: 0 nobody's, a number of hops, or networks.",
    ),
    _setting(
        "--flush-seconds",
        type=click.FloatRange(0.1, 3600),
        help="How old an event gets before it goes from the journal into a Parquet file.",
    ),
    _setting(
        "--hung-seconds",
        type=click.FloatRange(0, 3600),
        help="How long a process may be silent before it is killed and started again; 0: for ever.",
    ),
    _setting(
        "--ip-data",
        type=click.Path(path_type=Path),
        help="A folder of MMDB files that say where addresses are.",
    ),
    _setting(
        "--salts",
        type=click.Path(path_type=Path),
        help="A folder outside the lake for the salts of the ids.",
    ),
    _setting(
        "--salt-rotation",
        type=click.Choice(get_args(Rotation)),
        help="How long one salt is in use, and so how long an id means the same visitor.",
    ),
    _setting(
        "--tag-seconds",
        type=click.FloatRange(0, 86_400),
        help="How long an image's tag is believed before its registry is asked again.",
    ),
    _setting(
        "--document-seconds",
        type=click.FloatRange(0, 86_400),
        help="The same for index pages and packuments.",
    ),
    _setting(
        "--revalidate-seconds",
        type=click.FloatRange(0, 86_400),
        help="How long beyond that one is still answered at once, and asked for behind the answer.",
    ),
    _setting(
        "--patience-seconds",
        type=click.FloatRange(0, 60),
        help="How long a client waits for a newer one where an older one is held.",
    ),
    _setting(
        "--stale-seconds",
        type=click.FloatRange(0, 31_536_000),
        help="How old an index page or packument may be served while its upstream is down or slow.",
    ),
    _setting(
        "--connect-seconds",
        type=click.FloatRange(0.1, 3600),
        help="How long a connection to an upstream may take.",
    ),
    _setting(
        "--read-seconds",
        type=click.FloatRange(0.1, 3600),
        help="How long an upstream may send nothing.",
    ),
    _setting(
        "--cache",
        type=click.Path(path_type=Path),
        help="A folder for manifests, which the workers share.",
    ),
    _setting(
        "--cache-mb",
        type=click.IntRange(0, 1_048_576),
        help="How many megabytes of manifests that folder keeps; 0: none.",
    ),
    _setting(
        "--manifest-memory-mb",
        type=click.IntRange(0, 1_048_576),
        help="How many megabytes of manifests each worker keeps in memory.",
    ),
    _setting(
        "--document-memory-mb",
        type=click.IntRange(0, 1_048_576),
        help="The same for index pages and packuments.",
    ),
    _setting(
        "--telemetry-rate",
        type=click.IntRange(0, 1_000_000),
        help="Telemetry and install reports that one address may send a minute; 0: any number.",
    ),
    _setting(
        "--log-format",
        type=click.Choice(get_args(LogFormat)),
        help="Log lines for people, or JSON objects for programs.",
    ),
)
