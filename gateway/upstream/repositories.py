"""Documents of repositories that lead clients on: served with their links at the gateway."""

from collections.abc import Callable
from typing import Final

from gateway.decision import FromRepository
from gateway.formats.helm import INDEX
from gateway.protocols.python import with_suffix
from gateway.request import Request
from gateway.upstream.answer import Answer
from gateway.upstream.cargo_config import crate_url, parse_config, rendered_config
from gateway.upstream.documents import Document, Documents, Parse, Source
from gateway.upstream.helm_index import parse_index, rendered_index
from gateway.upstream.json_links import parse_links, rendered_links
from gateway.upstream.narinfo import parse_narinfo, rendered_narinfo
from gateway.upstream.rendered import redirected_answer, rendered_answer
from gateway.upstream.trouble import Refused, Trouble, as_answer

_PROVENANCE: Final = ".prov"


class Repositories:
    """Carries out `FromRepository`."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def answer(self, fetch: FromRepository, request: Request) -> Answer:
        """Serve a document, or send the client on to where it says that a link leads.

        A document that cannot be had, nor was seen before, is the client's own to fetch: what it
        installs is then not seen, but is installed.
        """
        source = Source(f"{fetch.upstream}/{fetch.path}", "*/*", fetch.allow_private)
        try:
            if fetch.link:
                return redirected_answer(await self._link(source, fetch), fetch.hits)
            document = await self._documents.get(source, _PARSE[fetch.document])
            form = f"{fetch.document} {fetch.upstream}"
            made = await self._documents.rendering(
                document, fetch.base, form, lambda body: _RENDER[fetch.document](body, fetch)
            )
        except Refused as refused:
            return as_answer(refused, fetch.hits)
        except Trouble as trouble:
            if fetch.link:
                return as_answer(trouble, fetch.hits)
            return redirected_answer(source.url, fetch.hits)
        return rendered_answer(made, _CONTENT_TYPES[fetch.document], request, fetch.hits)

    async def _link(self, source: Source, fetch: FromRepository) -> str:
        """Where a link leads; one that is new, of which another worker told, is looked for anew."""
        parse = _PARSE[fetch.document]
        document = await self._documents.get(source, parse)
        try:
            return _where(fetch, document)
        except Refused:
            return _where(fetch, await self._documents.newest(source, parse))


def _where(fetch: FromRepository, document: Document) -> str:
    if fetch.document == "cargo-config":
        crate, version, checksum = fetch.link
        return crate_url(document.links["dl"], crate, version, checksum)
    digest, file = fetch.link
    url = document.links.get(digest)
    if url is None:
        raise Refused(404, "this repository's index has no such chart")
    return with_suffix(url, _PROVENANCE) if file.endswith(_PROVENANCE) else url


_PARSE: Final[dict[str, Parse]] = {
    "cargo-config": parse_config,
    "helm-index": parse_index,
    "json-links": parse_links,
    "narinfo": parse_narinfo,
}
_RENDER: Final[dict[str, Callable[[bytes, FromRepository], bytes]]] = {
    "cargo-config": lambda body, fetch: rendered_config(body, fetch.base),
    "helm-index": lambda body, fetch: rendered_index(
        body, fetch.upstream, fetch.path.removesuffix(INDEX), fetch.base
    ),
    "json-links": lambda body, fetch: rendered_links(body, fetch.upstream, fetch.path, fetch.base),
    "narinfo": lambda body, _: rendered_narinfo(body),
}
_CONTENT_TYPES: Final = {
    "cargo-config": "application/json",
    "helm-index": "application/yaml",
    "json-links": "application/json",
    "narinfo": "text/x-nix-narinfo",
}
