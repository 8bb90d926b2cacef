"""The command `explain`: a request as it would be sent, put to the routes in a file."""

import datetime as dt
import re
import sys
import time
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Final

import click
import msgspec

from gateway import intake, routefile
from gateway.circumstances import Circumstances, Observed
from gateway.continents import CONTINENTS
from gateway.explain import explain as explained
from gateway.explanation_text import lines
from gateway.problems import RoutesError
from gateway.proxies import Proxies
from gateway.request import Request

_URL: Final = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<authority>[^/?#]+)(?P<target>.*)", re.IGNORECASE
)


@click.command()
@click.argument("url")
@click.option("--as", "agent", default="curl/8", show_default=True, help="The user agent.")
@click.option(
    "--routes",
    default="data/routes.toml",
    envvar="FOOTFALL_ROUTES",
    show_envvar=True,
    show_default=True,
    type=click.Path(path_type=Path),
    help="The routes file.",
)
@click.option("--method", default="GET", show_default=True, help="The method.")
@click.option("--header", "headers", multiple=True, help="Another header, as 'Name: value'.")
@click.option("--country", help="Where the visitor is, such as DE; else that is not known.")
@click.option("--at", help="The moment, such as 2026-12-24T18:00:00Z; else it is now.")
@click.option(
    "--visitor", help="A made-up visitor for staged roll-outs; another draws another lot."
)
@click.option("--down", multiple=True, help="A health check to take for failing, by its URL.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def explain(
    url: str,
    *,
    agent: str,
    routes: Path,
    method: str,
    headers: tuple[str, ...],
    country: str | None,
    at: str | None,
    visitor: str | None,
    down: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what a request would be answered, by which route, and why by no other.

    Nothing is sent, and no event is written.
    """
    placed, problems = routefile.read(routes)
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        click.echo(str(RoutesError(fatal)), err=True)
        sys.exit(1)
    circumstances = Circumstances(
        time=_moment(at),
        country=_country(country),
        draw=None if visitor is None else _draw(visitor),
        observed=Observed(down=dict.fromkeys(down, "as you say")),
    )
    request = msgspec.structs.replace(
        _request(url, method, agent, headers), circumstances=circumstances
    )
    explanation = explained(placed, request)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(explanation), indent=2))
        return
    for line in lines(f"{method} {url} as {agent}", explanation):
        click.echo(line)


def _request(url: str, method: str, agent: str, headers: Iterable[str]) -> Request:
    match = _URL.fullmatch(url)
    if match is None:
        raise click.BadParameter(f"{url!r} has no host", param_hint="'URL'")
    pairs = [("host", match["authority"]), ("user-agent", agent), *map(_header, headers)]
    target = match["target"]
    try:
        request, _ = intake.read(
            method,
            target if target.startswith("/") else f"/{target}",
            pairs,
            body=b"",
            peer="",
            proxies=Proxies(0),
        )
    except intake.BadTarget as error:
        raise click.BadParameter(f"answered with 400: {error}", param_hint="'URL'") from error
    scheme = (match["scheme"] or "https").lower()
    return msgspec.structs.replace(request, scheme=scheme)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} is not 'Name: value'", param_hint="'--header'")
    return name.strip().lower(), value.strip()


def _country(text: str | None) -> str | None:
    if text is not None and text not in CONTINENTS:
        raise click.BadParameter(
            f"{text!r} is no country's code, such as DE", param_hint="'--country'"
        )
    return text


def _moment(text: str | None) -> float:
    if text is None:
        return time.time()
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no moment, such as 2026-12-24T18:00:00Z", param_hint="'--at'"
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _draw(visitor: str) -> int:
    return int.from_bytes(blake2b(visitor.encode(), digest_size=8).digest(), "big")
