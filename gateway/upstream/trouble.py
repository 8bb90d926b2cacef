"""What goes wrong between the gateway and an upstream, and how a client is told."""

from urllib.parse import urlsplit

import msgspec

from gateway.decision import Hit
from gateway.upstream.answer import Answer

BAD_GATEWAY = 502
GATEWAY_TIMEOUT = 504


class Trouble(Exception):  # noqa: N818 - the base of three kinds, each named for what happened
    """An upstream gave no usable answer; carries the status and the reason that the client gets."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Unreachable(Trouble):
    """No connection, or it broke before the answer began, or before a document was whole."""

    def __init__(self, url: str, error: Exception) -> None:
        # An error's own text may hold addresses and credentials; its type tells as much.
        super().__init__(BAD_GATEWAY, f"{host_of(url)} cannot be reached ({type(error).__name__})")


class TimedOut(Trouble):
    """The upstream did not answer in time."""

    def __init__(self, url: str) -> None:
        super().__init__(GATEWAY_TIMEOUT, f"{host_of(url)} does not answer in time")


class Unusable(Trouble):
    """The upstream answered with something that is no answer."""

    def __init__(self, url: str, what: str) -> None:
        super().__init__(BAD_GATEWAY, f"{host_of(url)} answered with {what}")


class Forbidden(Trouble):
    """The upstream wanted to lead the gateway into a network of somebody's own."""

    def __init__(self, url: str) -> None:
        super().__init__(
            BAD_GATEWAY,
            f"the upstream leads to {host_of(url)}, which is not public; where that is right, its"
            " route needs allow-private = true",
        )


class Refused(Trouble):
    """The upstream answered with an error status, which the client gets as it is."""


def host_of(url: str) -> str:
    """The upstream as an operator and a client may see it: no path, no user, no query."""
    try:
        return urlsplit(url).hostname or "the upstream"
    except ValueError:
        return "the upstream"


def as_answer(trouble: Trouble, hits: tuple[Hit, ...] = ()) -> Answer:
    """Tell a client in JSON, in the form that its own kind of registry would have used."""
    return Answer(
        status=trouble.status,
        headers=(("Content-Type", "application/json"), ("Cache-Control", "no-store")),
        body=msgspec.json.encode({"error": trouble.reason}),
        hits=hits,
    )
