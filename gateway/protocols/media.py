"""Content negotiation: what an Accept header wants, and whether a client has it already."""

from collections.abc import Sequence


def accepted(accept: str, offers: Sequence[str]) -> str | None:
    """The offer that an Accept header wants most; None: it excludes them all.

    Between equal wishes the earlier offer wins. An empty header takes anything.
    """
    ranges = _ranges(accept) or [("*/*", 1.0)]
    best, best_quality = None, 0.0
    for offer in offers:
        quality = _quality(offer, ranges)
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not with a weight of 0."""
    if "gzip" not in accept_encoding:
        return False
    return any(name == "gzip" and weight > 0 for name, weight in _ranges(accept_encoding))


def _ranges(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name:
            ranges.append((name.lower(), _weight(parameters)))
    return ranges


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            # Written so that a "nan" counts as nothing.
            return min(weight, 1.0) if weight > 0 else 0.0
    return 1.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific range that covers the offer."""
    kind = offer.partition("/")[0]
    for candidate in (offer, f"{kind}/*", "*/*"):
        weights = [weight for name, weight in ranges if name == candidate]
        if weights:
            return max(weights)
    return 0.0


def has_it_already(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header names this entity tag; weak tags compare equal to strong."""
    if if_none_match.strip() == "*":
        return True
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return etag.removeprefix("W/") in tags
