"""The dashboard's commands. This is the only place in the room that reads the environment."""

import datetime as dt
import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from tqdm import tqdm

from dashboard import tokens as token_file
from dashboard.api_request import parse_day
from dashboard.config import ApiConfig, ServeConfig
from dashboard.export_columns import COLUMNS
from dashboard.export_formats import MEDIA_TYPES
from dashboard.exports import Selection, UnreadableDayError, export, stored_days, write_whole
from pipeline.schema import TRAFFIC

TOKENS: Final = Path("data/api-tokens.toml")

Command = TypeVar("Command", bound=Callable[..., Any])


class Day(click.ParamType[dt.date]):
    """A UTC day, YYYY-MM-DD."""

    name = "day"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        """Read a day, or fail with what would be right."""
        if isinstance(value, dt.date):
            return value
        try:
            return parse_day(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}.", param, ctx)


def setting(flag: str, *names: str, **rules: Any) -> Callable[[Command], Command]:
    """An option that FOOTFALL_<FLAG> in the environment sets as well."""
    name = "FOOTFALL_" + flag.lstrip("-").replace("-", "_").upper()
    return click.option(flag, *names, envvar=name, show_envvar=True, show_default=True, **rules)


data = setting("--data", type=click.Path(path_type=Path), default="data/lake", help="The lake.")
host = setting("--host", default="127.0.0.1", help="The address to listen on.")
tokens = setting(
    "--tokens",
    type=click.Path(dir_okay=False, path_type=Path),
    default=TOKENS,
    help="The file of token hashes, outside the lake.",
)


def port(default: int) -> Callable[[Command], Command]:
    """The port to listen on; each server has its own default."""
    return setting("--port", type=click.IntRange(1, 65535), default=default, help="The port.")


@click.group()
def main() -> None:
    """Show the counts of a lake, answer for them over HTTP, and hand them out as files."""


@main.command()
@data
@host
@port(8501)
@setting("--api", default="http://127.0.0.1:8090", help="The API's address, for pages to show.")
def serve(**settings: Any) -> None:
    """Serve the web pages."""
    from dashboard.serve import serve as serve_pages  # noqa: PLC0415  Streamlit is slow to load

    serve_pages(ServeConfig(**settings))


@main.command()
@data
@host
@port(8090)
@tokens
@setting(
    "--rate",
    type=click.IntRange(0, 1_000_000),
    default=600,
    help="Requests a minute for each token, or address without one; 0: any number.",
)
def api(**settings: Any) -> None:
    """Serve the API."""
    from dashboard.api import CannotListenError, serve_api  # noqa: PLC0415  others need no server

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        serve_api(ApiConfig(**settings))
    except (token_file.TokensError, CannotListenError) as error:
        raise click.ClickException(str(error)) from error


@main.command(name="export")
@setting(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="data/lake",
    help="The lake.",
)
@setting("--format", "output", type=click.Choice(list(MEDIA_TYPES)), default="csv")
@setting("--from", "first", type=Day(), required=True, help="The first day, UTC.")
@setting("--to", "last", type=Day(), required=True, help="The last day, UTC, included.")
@setting("--package", "packages", multiple=True, help="A package's name or id; may be repeated.")
@setting("--counted", "counted_only", is_flag=True, help="Only rows that count as one install.")
@setting("--traffic", multiple=True, type=click.Choice(TRAFFIC), help="May be repeated.")
@setting("--columns", type=click.Choice(list(COLUMNS)), default="all", help="Ours, or Scarf's.")
@click.option("-o", "target", required=True, help="The file to write; - is standard output.")
def export_command(data: Path, output: Any, columns: Any, target: str, **chosen: Any) -> None:
    """Write the events of some days to a file."""
    selection = Selection(**chosen)
    if selection.last < selection.first:
        raise click.UsageError(
            f"--to {selection.last} is before --from {selection.first}: give the later day as --to."
        )
    if output == "parquet" and target == "-" and sys.stdout.isatty():
        raise click.UsageError("-o - would write Parquet to the terminal: name a file instead.")
    # None: tqdm shows itself on a terminal only.
    days = tqdm(stored_days(data, selection), desc="days", unit="day", disable=None)
    pieces = export(data, selection, columns, output, days)
    try:
        if target == "-":
            _print(pieces)
        else:
            _save(pieces, Path(target))
    except UnreadableDayError as error:
        raise click.ClickException(str(error)) from error


def _print(pieces: Iterable[bytes]) -> None:
    # A reader that has seen enough, such as head, is click's to deal with.
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _save(pieces: Iterable[bytes], target: Path) -> None:
    try:
        write_whole(pieces, target)
    except OSError as error:
        raise click.ClickException(f"-o {target} cannot be written: {error.strerror}") from error


@main.command()
@click.argument("name")
@tokens
def token(name: str, tokens: Path) -> None:
    """Create a bearer token for the API and print it: it cannot be shown again."""
    try:
        click.echo(token_file.create(tokens, name, dt.datetime.now(dt.UTC).date()))
    except token_file.TokensError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(prog_name="python -m dashboard")
