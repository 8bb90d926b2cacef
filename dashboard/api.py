"""The API process: Sanic around `api_request.decide`. Nobody's address is looked at or logged."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Final

import msgspec
from sanic import Request, Sanic
from sanic.exceptions import MethodNotAllowed, SanicException
from sanic.http import Http
from sanic.response import HTTPResponse

from dashboard.api_request import (
    Description,
    Events,
    Health,
    Packages,
    Refusal,
    bearer,
    decide,
)
from dashboard.api_stream import stream
from dashboard.config import ApiConfig
from dashboard.exports import UnreadableDayError, export
from dashboard.lake import Lake, LakeError
from dashboard.openapi import document
from dashboard.package_list import package_list
from dashboard.rates import EXPORTS, EXPORTS_RETRY_AFTER, Rates, TooManyExportsError
from dashboard.tokens import TokenFile

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Sanic's limit for a handler would also end a long export; a stalled one has a limit of its own.
HANDLER_SECONDS: Final = 24 * 3600
# Nothing here takes a body. Sanic lets headers be no larger than one may be.
BODY_BYTES: Final = 8192
HEADER_BYTES: Final = 8192
HEADER_SECONDS: Final = 20  # in which a request must be there
# How long a stop waits for exports under way.
GRACE_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


class CannotListenError(Exception):
    """The address to serve on is not to be had."""


def serve_api(config: ApiConfig) -> None:
    """Serve until SIGTERM or SIGINT, then return."""
    tokens = TokenFile(config.tokens)
    # Sanic only logs an address that is taken, and goes on to end with status 0.
    with _listen(config.host, config.port) as listening:
        log.info("API on http://%s:%d, data in %s", config.host, config.port, config.data)
        if len(tokens) == 0:
            log.warning(
                "%s holds no token, so every request is answered 401; to create one: "
                "python -m dashboard token NAME --tokens %s",
                config.tokens,
                config.tokens,
            )
        app = create_app(config, tokens)
        app.run(sock=listening, single_process=True, access_log=False, motd=False)


def create_app(config: ApiConfig, tokens: TokenFile) -> Sanic:  # type: ignore[type-arg]  # Sanic's own defaults
    """One handler for every address, since what deserves what is decided in one place."""
    app = Sanic("footfall-api", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = BODY_BYTES
    app.config.REQUEST_MAX_HEADER_SIZE = HEADER_BYTES
    app.config.REQUEST_TIMEOUT = HEADER_SECONDS
    app.config.RESPONSE_TIMEOUT = HANDLER_SECONDS
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = GRACE_SECONDS
    lake = Lake(config.data)
    rates = Rates(config.rate)

    async def answer(request: Request, path: str = "") -> HTTPResponse | None:
        del path  # what counts is the target as it was sent
        _agree_with_fronts(request)
        secret = bearer(request.headers.get("authorization", ""))
        accept = ",".join(request.headers.getall("accept", []))
        owner = tokens.owner(secret)
        asked = decide(request.method, _target(request), accept, authorized=owner is not None)
        client = rates.client(owner, request.ip)
        # Whoever watches the process asks often, and that costs nothing.
        if not isinstance(asked, Health) and (seconds := rates.take(client)):
            return _refuse(_too_many(f"more than {config.rate} requests a minute", seconds))
        match asked:
            case Refusal():
                return _refuse(asked)
            case Health():
                return _json(200, {"status": "ok"})
            case Description():
                return _json(200, document())
            case Packages():
                return _json(200, await asyncio.to_thread(package_list, lake, asked))
            case Events():
                try:
                    with rates.export(client):
                        pieces = export(config.data, asked.selection, asked.columns, asked.format)
                        await stream(request, asked, pieces)
                except TooManyExportsError:
                    several = f"{EXPORTS} exports with this token are under way"
                    return _refuse(_too_many(several, EXPORTS_RETRY_AFTER))
                return None

    app.add_route(answer, "/", methods=METHODS, name="root")
    app.add_route(answer, "/<path:path>", methods=METHODS, name="answer")
    app.exception(Exception)(_explain)
    return app


def _explain(request: Request, error: Exception) -> HTTPResponse:
    """Say in JSON what Sanic or the lake found wrong, before any of the answer was sent."""
    _agree_with_fronts(request)
    if isinstance(error, MethodNotAllowed):
        # A method that Sanic has no name for.
        asked = decide(request.method, _target(request), "", authorized=False)
        if isinstance(asked, Refusal):
            return _refuse(asked)
    if isinstance(error, SanicException):
        return _refuse(Refusal(error.status_code, "bad-request", str(error)))
    if isinstance(error, UnreadableDayError | LakeError):
        log.error("%s", error)
        reason = "the data could not be read; the API's log names the file"
    else:
        log.error("a request failed", exc_info=error)
        reason = "the request failed; the API's log has the details"
    return _refuse(Refusal(500, "internal-error", reason))


def _agree_with_fronts(request: Request) -> None:
    """Leave no doubt, to a server in front of this one, where the answer ends and what follows."""
    if isinstance(request.stream, Http):
        # To Sanic "head" is a HEAD, whose answer has no body. To others it is some other method.
        request.stream.head_only = request.method == "HEAD"
        # Bodies are not wanted, and Sanic reads chunks less strictly than others: nothing follows.
        if "content-length" in request.headers or "transfer-encoding" in request.headers:
            request.stream.keep_alive = False


def _too_many(what: str, seconds: int) -> Refusal:
    message = f"{what}; ask again in {seconds} s"
    return Refusal(429, "too-many-requests", message, (("Retry-After", str(seconds)),))


def _target(request: Request) -> str:
    return request.raw_url.decode("ascii")


def _refuse(refusal: Refusal) -> HTTPResponse:
    body = {"code": refusal.code, "message": refusal.message}
    return _json(refusal.status, body, refusal.headers)


def _json(status: int, body: object, headers: Sequence[tuple[str, str]] = ()) -> HTTPResponse:
    return HTTPResponse(
        msgspec.json.encode(body),
        status,
        {**dict(headers), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
        "application/json",
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListenError(f"--host {host}: {error.strerror}") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise CannotListenError(
            f"--host {host} --port {port}: {error.strerror}; choose a free one"
        ) from error
    return listening
