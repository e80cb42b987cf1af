"""IIIF: a Presentation 3 manifest for each item. The image services lie in `iiif_images.py`."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request, url_for

from archive.errors import UsageError
from archive.model.identifiers import file_key
from archive.web import presentation
from archive.web.hall import absolute, cache_rule, hall, reader
from archive.web.problems import answer, item_or_404

blueprint = Blueprint("iiif", __name__, url_prefix="/iiif")


@blueprint.errorhandler(UsageError)
def _wrong(error: UsageError) -> Response:
    response = answer(400, str(error))
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@blueprint.after_request
def _open_to_viewers(response: Response) -> Response:
    """Viewers on other sites may read what everyone may read; the reader's own cookies are never part of it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/3/<item>/manifest")
def manifest(item: str) -> Response:
    """The item as a Presentation 3 manifest, as this reader may see it."""
    seen = hall().reading.whole(reader(), item_or_404(item), texts=False)
    body = presentation.manifest(seen, hall().definitions, hall().settings, _links(seen.id))
    response = Response(json.dumps(body, ensure_ascii=False), mimetype=None)
    response.headers["Content-Type"] = 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
    response.headers["Cache-Control"] = cache_rule(60)
    response.add_etag()
    response.make_conditional(request)
    return response


def _links(item: str) -> presentation.Links:
    def absolute_for(endpoint: str, **values: Any) -> str:
        return absolute(url_for(endpoint, **values))

    return presentation.Links(
        manifest=absolute_for("iiif.manifest", item=item),
        page=absolute_for("browse.item", item=item),
        record=absolute_for("api.item", item=item),
        home=absolute_for("browse.home"),
        leaf=lambda page: absolute_for("browse.page", item=item, page=page),
        service=lambda file, part: absolute_for("images.base", key=file_key(item, file, part)),
        thumb=lambda file, part, size: absolute_for("media.thumb", key=file_key(item, file, part), size=size),
        web=lambda file: absolute_for("media.web", key=file_key(item, file)),
        poster=lambda file: absolute_for("media.poster", key=file_key(item, file)),
        cues=lambda track: absolute_for("browse.cues", item=item, track=track),
    )
