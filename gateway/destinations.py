"""Where a file route sends its requests beyond one URL: by condition, by health, by alias.

Values of a routes file; the field names, with dashes for underscores, are its keys.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

import msgspec

Names = str | tuple[str, ...]  # one name, or a list of which any will do
Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class _Table(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
): ...


class When(_Table, frozen=True, kw_only=True):
    """When a target applies. All that is given must hold; of a list, one is enough.

    What is not known of a request holds for no condition, so that it gets the route's own URL.
    """

    client: Names = ()  # by user agent: curl, wget, powershell, firefox, browser, homebrew, ...
    os: Names = ()  # by the variable `os`, else by user agent
    arch: Names = ()  # by the variable `arch`, else by user agent
    country: Names = ()  # ISO 3166-1 alpha-2
    continent: Names = ()  # AF, AN, AS, EU, NA, OC or SA
    variables: Mapping[str, Names] = {}  # of the path and the query
    from_: Moment | None = msgspec.field(default=None, name="from")
    until: Moment | None = None  # the first moment that is no longer in it
    # Per cent of the visitors, the same ones for as long as the ids' salt. Targets of a route
    # whose other conditions are equal divide one hundred among them.
    share: float | None = None


class Target(_Table, frozen=True, kw_only=True):
    """A URL for some of a route's requests; the first whose conditions hold is taken."""

    url: str
    when: When
    name: str = ""  # told by the event as the variable `target`; "": no such variable


class Health(_Table, frozen=True, kw_only=True):
    """How a route's targets are looked after, each origin apart, in the background."""

    path: str = "/"  # asked for on each target's host; below 400 is well
    every: float = 10.0  # seconds
    timeout: float = 3.0  # seconds
    down_after: int = 3  # failures in a row
    up_after: int = 2  # successes in a row


class Alias(_Table, frozen=True, kw_only=True):
    """A version that is found by a rule."""

    newest: str = ""  # of the route's versions: "*", or those of a line such as "1.*"
    prereleases: bool = False  # whether the newest may be one
    redirect: str = ""  # the last segment of where this URL redirects to, looked up now and then
    prefix: str = ""  # taken off that segment, such as v
    every: float = 300.0  # seconds between two looks
    until_known: str = ""  # the version while nothing has been found yet
