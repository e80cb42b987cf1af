"""A search as asked for, answered: the one call that the page, the interface for scripts, the feed and the command share."""

from __future__ import annotations

from archive.model.rights import Audience
from archive.services.reading import SearchView
from archive.web.asking import Asked
from archive.web.hall import hall, reader


def run(wanted: Asked, audience: Audience | None = None) -> SearchView:
    """Ask the archive, for whoever asks or for `audience`; raises QueryError, SearchIndexError, and NotFound for an item that is not there."""
    return hall().reading.search(
        audience or reader(),
        wanted.text,
        collection=wanted.collection,
        kind=wanted.kind,
        year_from=wanted.year_from,
        year_to=wanted.year_to,
        filters=wanted.filters,
        item=wanted.item,
        sort=wanted.sort,
        page=wanted.page,
        size=wanted.size,
        facets=wanted.facets,
        scope=wanted.scope,
        taboo=wanted.taboo,
        confusable=wanted.confusable,
        group=wanted.group,
    )
