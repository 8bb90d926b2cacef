"""A rendering becomes an answer: ETag and 304, HEAD without a body; a file becomes a redirect."""

from string import punctuation
from urllib.parse import quote

from gateway.decision import Hit
from gateway.protocols.media import has_it_already, takes_gzip
from gateway.request import Request
from gateway.upstream.answer import Answer, Headers
from gateway.upstream.documents import Rendering

_OK = 200
_NOT_MODIFIED = 304


def rendered_answer(
    made: Rendering, content_type: str, request: Request, hits: tuple[Hit, ...]
) -> Answer:
    """Answer with a document that clients keep, and ask about each time they need it."""
    body, etag = made.body, made.etag
    encoding: Headers = ()
    if made.packed is not None and takes_gzip(request.headers.get("accept-encoding", "")):
        # Other bytes need another tag.
        body, etag = made.packed, f'{made.etag[:-1]}-gzip"'
        encoding = (("Content-Encoding", "gzip"),)
    shared = (("ETag", etag), ("Vary", "Accept, Accept-Encoding"), ("Cache-Control", "no-cache"))
    if has_it_already(request.headers.get("if-none-match", ""), etag):
        return Answer(status=_NOT_MODIFIED, headers=shared, hits=hits)
    headers = (*shared, ("Content-Type", content_type), *encoding)
    if request.method == "HEAD":
        length = ("Content-Length", str(len(body)))
        return Answer(status=_OK, headers=(*headers, length), hits=hits)
    return Answer(status=_OK, headers=headers, body=body, hits=hits)


def is_web_url(url: str) -> bool:
    """Whether a client may be sent there: no other scheme, and nothing that breaks a header."""
    return url.startswith(("https://", "http://")) and url.isprintable() and " " not in url


def redirected_answer(location: str, hits: tuple[Hit, ...]) -> Answer:
    """Send the client on to a file, in a way that no client remembers."""
    # Only what is no ASCII is encoded; the rest is as the upstream wrote it, signatures and all.
    location = quote(location, safe=punctuation)
    headers = (("Location", location), ("Cache-Control", "no-store"))
    return Answer(status=307, headers=headers, hits=hits)
