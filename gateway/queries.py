"""A request's query: its parts as sent, and the first value of each key."""

import msgspec

from gateway.escapes import decoded, legal_query, query_value


class RequestQuery(msgspec.Struct, frozen=True):
    """Keys and values in canonical form: a plus sign is a space, and no value an empty one."""

    values: dict[str, str]  # each key's first value
    parts: tuple[tuple[str, str], ...]  # the same in the order sent: key, and its text to pass on

    def variables(self) -> dict[str, str]:
        """The keys and values as their sender meant them."""
        values = self.values
        return {decoded(key): decoded(value) for key, value in values.items()} if values else {}


EMPTY = RequestQuery({}, ())


def parse(query: str) -> RequestQuery:
    """Read what stands behind the question mark. Total: everything is some query."""
    if not query:
        return EMPTY
    values: dict[str, str] = {}
    parts: list[tuple[str, str]] = []
    for text in query.split("&"):
        key, _, value = text.partition("=")
        canonical_key = query_value(key)
        if text and canonical_key not in values:
            values[canonical_key] = query_value(value)
            parts.append((canonical_key, legal_query(text)))
    return RequestQuery(values, tuple(parts))
